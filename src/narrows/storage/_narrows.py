"""The ``.narrows`` file: a fitted embedder, with its preprocessing, that lasts and cannot bite.

A zip of ``manifest.json`` (what the model is, in words and numbers) and ``weights.safetensors``
(every array: weights, what scalers and PCA learned, the history's columns). The history is not
Parquet, so that neither writing nor reading needs pyarrow. Nothing in it is code: no pickle, no
Lambda, and the only classes it can name are Keras's own layers and those the caller passes.
"""

import contextlib
import datetime
import itertools
import os
import platform
from collections.abc import Iterator, Mapping
from importlib import metadata
from typing import Any

import numpy as np

from narrows._errors import ForkedProcessError, WrongBackendError
from narrows._files import at_home
from narrows._version import __version__
from narrows.storage._archive import damaged, read_archive, write_archive
from narrows.storage._arrays import read_arrays as arrays_in
from narrows.storage._arrays import write_arrays
from narrows.storage._keras_versions import versions_differ
from narrows.storage._messages import in_one_line

_LIBRARIES = ("keras", "jax", "numpy", "scikit-learn", "safetensors")


def save(
    model: Any, path: str | os.PathLike, *, provenance: Mapping[str, Any] | None = None
) -> None:
    """Save a fitted embedder, alone or behind its preprocessing, to a ``.narrows`` file.

    Parameters
    ----------
    model : an embedder, such as Autoencoder or PCA, or sklearn.pipeline.Pipeline
        Fitted. A pipeline is made of `TablePreprocessor`, ``StandardScaler``, ``MinMaxScaler``
        or ``RobustScaler`` and, as its last step, an embedder.
    path : path-like
        The file to write; an old file is replaced only when the new one is complete.
    provenance : mapping, default=None
        Where the model comes from, for the manifest: values for JSON, such as
        ``{"rows": 150, "table": "iris.csv"}``.

    Raises
    ------
    TypeError
        If `model`, or a step of it, is of another class; nothing is written then.
    sklearn.exceptions.NotFittedError
        If it is not fitted.
    ValueError
        If its network holds a Lambda or another layer that would have to be stored as code.
    OSError
        If the file cannot be written.

    See Also
    --------
    load : Build the model again.
    read_manifest : Read what such a file says of itself.

    Notes
    -----
    Of several restarts, the weights of the one in use are kept, and the losses of all. Where
    `encoder` or `decoder` is a function or a model, its graph is stored, not the function: in
    the loaded model that parameter is the graph, as a Keras model. Other functions, such as a
    loss of one's own, and generators are not stored; `load` puts a text in their place.

    The same model gives the same file but for the time in its manifest. Where that must be fixed
    too, set the environment variable ``SOURCE_DATE_EPOCH`` to a number of seconds since 1970.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import narrows
    >>> from narrows.storage import load, save
    >>> X = narrows.datasets.iris().drop(columns="Species")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(narrows.PCA().fit(X), pathlib.Path(folder, "pca.narrows"))
    ...     again = load(pathlib.Path(folder, "pca.narrows"))
    >>> again.transform(X).shape
    (150, 2)
    """
    from narrows.storage._steps import describe_step

    steps: list[dict[str, Any]] = []
    arrays: dict[str, np.ndarray] = {}
    named, pipeline = _named_steps(model)
    for name, step in named:
        about, learned = describe_step(step)
        steps.append({"name": name, **about})
        arrays |= {f"{name}/{key}": v for key, v in learned.items()}
    manifest = {
        "created": _now().isoformat(timespec="seconds"),
        "versions": _versions(),
        "columns": _columns(steps[0]),
        "provenance": dict(provenance or {}),
        "custom_objects": sorted({n for step in steps for n in step.get("custom_objects", [])}),
        "pipeline": pipeline,
        "steps": steps,
    }
    write_archive(path, manifest, write_arrays(arrays))


def load(path: str | os.PathLike, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Load a model from a ``.narrows`` file.

    Parameters
    ----------
    path : path-like
        A file that `save` wrote.
    custom_objects : mapping of str to class or function, default=None
        Layers, activations and losses in the model that are your own, by name.

    Returns
    -------
    an embedder or sklearn.pipeline.Pipeline
        Fitted; on the same versions and machine, transforms to the same bits.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not a ``.narrows`` file, cut off, altered, of a newer format, or names a layer
        that is neither Keras's own nor among `custom_objects`. Nothing is loaded then, and no
        more memory used than a few times the file's size.
    RuntimeError
        If Keras runs on another backend than JAX.

    See Also
    --------
    save : Write such a file.
    """
    path = at_home(path)
    contents = read_archive(path)
    arrays = _arrays(contents.weights, path)
    manifest = contents.manifest
    if any("networks" in about for about in manifest["steps"]):
        import narrows._keras  # noqa: F401 (a wrong backend is not the file's fault)
    from narrows.storage._steps import restore_step

    custom = dict(custom_objects or {})
    steps = []
    with _sound(path, manifest["versions"]):
        for about in manifest["steps"]:
            prefix = f"{about['name']}/"
            own = {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
            steps.append((about["name"], restore_step(about, own, custom)))
        strangers = [key for key in arrays if key.split("/")[0] not in dict(steps)]
        if strangers:
            raise ValueError(f"no step has the arrays {strangers}")
        return _assembled(steps, manifest["pipeline"])


def read_arrays(path: str | os.PathLike) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return a file's manifest and arrays by name, without building a model."""
    path = at_home(path)
    contents = read_archive(path)
    return contents.manifest, _arrays(contents.weights, path)


@contextlib.contextmanager
def _sound(path: str | os.PathLike, versions: dict[str, Any]) -> Iterator[None]:
    """Turn whatever a nonsensical manifest leads to into one ValueError.

    Keras and scikit-learn raise errors of many kinds for configurations that are none.
    """
    try:
        yield
    except (ForkedProcessError, WrongBackendError):  # of the process, not of the file
        raise
    except Exception as error:
        reason = in_one_line(error)
        reason = f"its manifest lacks {reason}" if isinstance(error, KeyError) else reason
        raise ValueError(
            f"{os.fspath(path)!r} must describe a model that can be built. It does not: "
            f"{reason}. Nothing was loaded.{versions_differ(versions)}"
        ) from error


def _arrays(weights: bytes, path: str | os.PathLike) -> dict[str, np.ndarray]:
    try:
        return arrays_in(weights)
    except ValueError as error:
        damaged(path, f"its arrays cannot be read ({in_one_line(error)})")


def _named_steps(model: Any) -> tuple[list[tuple[str, Any]], dict[str, Any] | None]:
    """Return a model's steps with their names, and what is to be known of its pipeline."""
    from sklearn.pipeline import Pipeline

    from narrows.storage._steps import STORED

    if type(model) is not Pipeline:
        if type(model) not in STORED:
            names = " or ".join(kind.__name__ for kind in STORED)
            raise TypeError(
                f"The 'model' parameter must be a fitted {names}, or a Pipeline that ends with "
                f"one. Got {type(model).__name__} instead."
            )
        return [(type(model).__name__.lower(), model)], None
    last = model.steps[-1][1]
    early = [type(step).__name__ for _, step in model.steps[:-1] if isinstance(step, STORED)]
    if type(last) not in STORED or early:
        raise TypeError(
            "A Pipeline in a .narrows file must have an embedder as its last step, and only "
            f"there. Got the steps {[type(step).__name__ for _, step in model.steps]} instead."
        )
    slashes = [name for name, _ in model.steps if "/" in name]
    if slashes:
        raise ValueError(f"Names of steps must be without '/'. Got {slashes} instead.")
    # What passes rows through, as a search may leave it, needs no place in the file.
    steps = [(name, step) for name, step in model.steps if step not in (None, "passthrough")]
    return steps, {"verbose": bool(model.verbose)}


def _assembled(steps: list[tuple[str, Any]], pipeline: dict[str, Any] | None) -> Any:
    from sklearn.pipeline import Pipeline

    from narrows.storage._steps import STORED

    kinds = [isinstance(step, STORED) for _, step in steps]
    if kinds != [False] * (len(steps) - 1) + [True] or (pipeline is None and len(steps) > 1):
        raise ValueError("its steps are not preprocessing and then an embedder")
    for (_, before), (_, after) in reversed(list(itertools.pairwise(steps))):
        # From the last, whose width its arrays bound: a scaler only states a number.
        scaler = not hasattr(before, "encodings_")
        width = before.n_features_in_ if scaler else len(before.get_feature_names_out())
        if width != after.n_features_in_:
            raise ValueError(
                f"its {type(before).__name__} makes {width} columns, and its "
                f"{type(after).__name__} takes {after.n_features_in_}"
            )
    if pipeline is None:
        return steps[0][1]
    return Pipeline(steps, verbose=bool(pipeline.get("verbose")))


def _columns(first: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The columns that the model takes, and their types where they matter."""
    names = first["feature_names_in"]
    if "preprocessing" not in first:
        return None if names is None else [{"name": name, "dtype": "number"} for name in names]
    encodings = first["preprocessing"]["encodings"]
    return [
        {"name": name, "dtype": str(encoding["dtype"])}
        for name, encoding in zip(
            names or [one["name"] for one in encodings], encodings, strict=True
        )
    ]


def _now() -> datetime.datetime:
    """The time for the manifest; fixed by the variable that builds are made repeatable with."""
    fixed = os.environ.get("SOURCE_DATE_EPOCH", "")
    if fixed.isascii() and fixed.isdigit() and len(fixed) <= 11:
        return datetime.datetime.fromtimestamp(int(fixed), datetime.UTC)
    return datetime.datetime.now(datetime.UTC)


def _versions() -> dict[str, str]:
    versions = {"narrows": __version__, "python": platform.python_version()}
    return versions | {name: metadata.version(name) for name in _LIBRARIES}
