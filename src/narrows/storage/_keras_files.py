"""``.keras`` files: written by Keras for other programs, read without trusting them.

A ``.keras`` file is a zip of ``metadata.json``, ``config.json`` and ``model.weights.h5``. Keras
alone would build whatever its configuration names before it looks at a weight. Here the zip is
checked first (those three members, stored, in one piece), then the configuration is walked as that
of a ``.narrows`` file is, then the HDF5 file is looked through for anything but numbers, and only
then are layers built and weights loaded. What a model was compiled with is left out.
"""

import contextlib
import os
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from narrows._errors import ForkedProcessError
from narrows._files import at_home, replacing
from narrows.storage._keras_versions import versions_differ, without_younger
from narrows.storage._messages import in_one_line
from narrows.storage._strict_json import parse_json
from narrows.storage._zips import Kind, check_layout, check_stored, member, opened, zip_damaged
from narrows.storage.hdf5._reading import check_all, reading

_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"
_METADATA = "metadata.json"
_MEMBERS = {_CONFIG, _WEIGHTS, _METADATA}
_CONFIG_LIMIT = 64 * 2**20  # bytes
_KIND = Kind(".keras", "keras.Model.save")
_PARTS = ("encoder", "decoder", "autoencoder", "posterior")


def save_keras(embedder: Any, folder: str | os.PathLike) -> list[Path]:
    """Save an embedder's networks as ``.keras`` files, for Keras and what reads its files.

    Parameters
    ----------
    embedder : Autoencoder or another embedder with a network
        Fitted.
    folder : path-like
        Made if it is not there. Gets ``encoder.keras`` and, where there is a decoder,
        ``decoder.keras`` and ``autoencoder.keras``; of a `VariationalAutoencoder` also
        ``posterior.keras``, which gives means and log variances. Each file is replaced only when
        its new content is complete.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    TypeError
        If `embedder` has no network, such as PCA or a pipeline: preprocessing cannot be in such a
        file.
    sklearn.exceptions.NotFittedError
        If it is not fitted.
    OSError
        If a file cannot be written.

    See Also
    --------
    load_keras : Load one of the files.
    narrows.save : Keep the embedder itself, with its preprocessing and history.

    Examples
    --------
    >>> import tempfile
    >>> import narrows
    >>> from narrows.storage import save_keras
    >>> X = narrows.datasets.iris().drop(columns="Species")
    >>> ae = narrows.Autoencoder(encoder=(5,), epochs=1, random_state=0).fit(X)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path.name for path in save_keras(ae, folder)]
    ['encoder.keras', 'decoder.keras', 'autoencoder.keras']
    """
    from sklearn.utils.validation import check_is_fitted

    from narrows.embedders import capabilities_of, timeless

    if not capabilities_of(embedder).network:
        raise TypeError(
            "The 'embedder' parameter of save_keras must be an embedder with a network, such as "
            f"Autoencoder. Got {type(embedder).__name__} instead. Of a pipeline, pass its last "
            "step: preprocessing cannot be in a .keras file."
        )
    check_is_fitted(embedder)
    folder = at_home(folder)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in _PARTS:
        model = getattr(embedder, f"{name}_", None)
        if model is not None:
            path = folder / f"{name}.keras"
            with replacing(path) as temporary:
                model.save(temporary)
                temporary.write_bytes(timeless(temporary.read_bytes(), without_younger))
            written.append(path)
    return written


def load_keras(path: str | os.PathLike, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Load a functional or sequential model from a ``.keras`` file that need not be trusted.

    Parameters
    ----------
    path : path-like
        What `save_keras` or Keras wrote.
    custom_objects : mapping of str to class or function, default=None
        Layers and activations in the model that are your own, by name.

    Returns
    -------
    keras.Model
        Not compiled. It can be the `encoder` or `decoder` of an `Autoencoder`, which copies its
        layers and trains them from new weights.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not such a file, damaged, names a layer that is neither Keras's own nor among
        `custom_objects`, or could run code. Nothing is loaded then.
    OSError
        If its weights are not a complete HDF5 file.

    See Also
    --------
    save_keras : Write such files.
    """
    path = at_home(path)
    config, weights, versions = _contents(path)
    from narrows.storage._graphs import building, checked, from_config

    custom = dict(custom_objects or {})
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / _WEIGHTS
        copy.write_bytes(weights)
        with reading(copy, shown=path) as file:
            check_all(file)
        try:
            config = checked(config, custom, "narrows.storage.load_keras")
            with building(len(weights), custom):
                model = from_config(config)
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # that some weights are left as they were
                model.load_weights(copy)
        except ForkedProcessError:
            raise
        except Exception as error:  # Keras's are of many kinds for files that are none
            raise ValueError(
                f"{os.fspath(path)!r} must describe a Keras model that can be built, with its "
                f"weights. It does not: {in_one_line(error)}. Nothing was loaded."
                f"{versions_differ(versions)}"
            ) from error
    return model


def _contents(path: str | os.PathLike) -> tuple[Any, bytes, dict[str, Any]]:
    """Return the configuration, the HDF5 file and the writer's version in a ``.keras`` file."""
    with opened(path, kind=_KIND) as file:
        names = file.namelist()
        if sorted(names) != sorted(_MEMBERS):
            raise ValueError(
                f"{os.fspath(path)!r} must be a .keras file of {', '.join(sorted(_MEMBERS))}. It "
                f"has {sorted(names)[:5]} instead. Assets and weights in several files are not "
                "read."
            )
        check_stored(file, names, path, kind=_KIND)
        check_layout(file, path, kind=_KIND)
        if file.getinfo(_CONFIG).file_size > _CONFIG_LIMIT:
            zip_damaged(path, f"{_CONFIG} is larger than {_CONFIG_LIMIT:,} bytes", _KIND)
        text = member(file, _CONFIG, path, kind=_KIND)
        weights = member(file, _WEIGHTS, path, kind=_KIND)
        metadata = member(file, _METADATA, path, kind=_KIND)
    try:
        return parse_json(text), weights, _versions(metadata)
    except ValueError as error:
        zip_damaged(path, f"its {_CONFIG} is not JSON ({in_one_line(error)})", _KIND)


def _versions(metadata: bytes) -> dict[str, Any]:
    """What a file says of the Keras that wrote it, for messages; nothing else depends on it."""
    with contextlib.suppress(ValueError, RecursionError):
        found = parse_json(metadata)
        if isinstance(found, dict) and "keras_version" in found:
            return {"keras": found["keras_version"]}
    return {}
