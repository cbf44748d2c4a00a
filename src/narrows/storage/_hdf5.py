"""Weights in HDF5, by layer name: the layout that Keras 2 and R's keras wrote.

The root has the attribute ``layer_names``; each layer is a group with the attribute
``weight_names`` and one dataset a weight, trainable weights first. Keras 3 reads such a file
(``load_weights(path, by_name=True)``) but no longer writes one.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from narrows._files import replacing

_ATTRIBUTE_LIMIT = 64_512  # bytes in one attribute, HDF5's object header limit as Keras has it


@dataclass(frozen=True)
class LoadReport:
    """What became of each layer when weights were loaded by name.

    Attributes
    ----------
    matched : list of str
        Layers of the model that took their weights from the file.
    missing : list of str
        Layers of the model that have weights and are not in the file; they keep theirs.
    unexpected : list of str
        Layers of the file that the model does not have.
    mismatched : list of str
        One sentence for each layer whose weights have other shapes; they keep theirs.
    """

    matched: list[str]
    missing: list[str]
    unexpected: list[str]
    mismatched: list[str]

    def __str__(self) -> str:
        lines = [f"{len(self.matched)} layers loaded: {', '.join(self.matched) or 'none'}"]
        for name in ("missing", "unexpected", "mismatched"):
            found = getattr(self, name)
            if found:
                lines.append(f"{len(found)} {name}: {', '.join(found)}")
        return "\n".join(lines)


def save_weights_hdf5(model, path: str | os.PathLike) -> None:
    """Save a model's weights by layer name, in Keras 2's layout.

    Parameters
    ----------
    model : keras.Model or fitted embedder
        Of an embedder, the whole network is saved, encoder and decoder.
    path : path-like
        The file to write; an old file is replaced only when the new one is complete.

    Raises
    ------
    OSError
        If the file cannot be written.

    See Also
    --------
    load_weights_hdf5 : Load such a file into a model that shares layer names.
    """
    from narrows._keras import keras

    network = _keras_model(model)
    with replacing(path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs["backend"] = b"jax"
        file.attrs["keras_version"] = keras.__version__.encode()
        _write_names(file, "layer_names", [layer.name for layer in network.layers])
        for layer in network.layers:
            group = file.create_group(layer.name)
            weights = _legacy_order(layer)
            names = [f"{weight.path}:0" for weight in weights]
            _write_names(group, "weight_names", names)
            for name, weight in zip(names, weights, strict=True):
                group.create_dataset(name, data=np.asarray(weight.value))


def load_weights_hdf5(model, path: str | os.PathLike, *, skip_mismatch: bool = False) -> LoadReport:
    """Load weights into the layers of a model whose names stand in the file.

    Parameters
    ----------
    model : keras.Model or fitted embedder
    path : path-like
        A file that `save_weights_hdf5`, Keras 2 or R's keras (``save_model_weights_hdf5``) wrote.
    skip_mismatch : bool
        Leave layers alone whose weights have other shapes in the file, instead of raising.

    Returns
    -------
    LoadReport

    Raises
    ------
    ValueError
        If the file is not such a file, no layer's name stands in it, or shapes differ and
        `skip_mismatch` is false. The model is then as it was.
    OSError
        If the file cannot be opened.
    """
    network = _keras_model(model)
    with _open(path) as file:
        file = _weights_group(file)
        stored = _read_names(file, "layer_names")
        if stored is None:
            raise ValueError(
                f"{os.fspath(path)!r} must hold weights by layer name (an attribute 'layer_names' "
                "at its root, as Keras 2 and R's keras write them). It has no such attribute. "
                "Save it with narrows.save_weights_hdf5 or keras::save_model_weights_hdf5."
            )
        ready, report = _compare(network, file, stored)
        if report.mismatched and not skip_mismatch:
            raise ValueError(
                " ".join(report.mismatched)
                + " Nothing was loaded. Build the model as it was saved, or pass "
                "skip_mismatch=True to leave such layers as they are."
            )
        if not report.matched and not report.mismatched:
            raise ValueError(
                f"At least one layer of the model must be in {os.fspath(path)!r}. The model has "
                f"{report.missing}, the file has {stored}. Name the layers as in the file."
            )
        values = [(weight, np.asarray(dataset[()])) for weight, dataset in ready]
    for weight, value in values:
        weight.assign(value)
    return report


def _keras_model(model):
    """Return an embedder's whole network, or the Keras model itself."""
    network = getattr(model, "autoencoder_", model)
    if not hasattr(network, "layers"):
        raise TypeError(
            "The 'model' parameter must be a keras.Model or a fitted embedder. "
            f"Got {type(model).__name__} instead. If it is an embedder, fit it first."
        )
    return network


def _legacy_order(layer) -> list:
    """A layer's weights as Keras 2 stored them: trainable first."""
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def _open(path) -> h5py.File:
    if not Path(path).is_file():
        raise FileNotFoundError(f"There is no file {os.fspath(path)!r}.")
    if not h5py.is_hdf5(path):
        raise ValueError(
            f"{os.fspath(path)!r} must be an HDF5 file. Its content is something else."
        )
    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise OSError(
            f"{os.fspath(path)!r} must be a complete HDF5 file. It cannot be opened: {error}. "
            "Copy or save it again."
        ) from error


def _weights_group(file: h5py.File) -> h5py.Group:
    """Where the layers are: in a file with a whole model, Keras 2 put them one level down."""
    inner = file.get("model_weights")
    whole_model = _read_names(file, "layer_names") is None and isinstance(inner, h5py.Group)
    return inner if whole_model else file


def _compare(network, file, stored: list[str]):
    """Sort the layers, and pair weights with datasets, before anything is assigned."""
    ready: list[tuple] = []
    matched, missing, mismatched = [], [], []
    for layer in network.layers:
        weights = _legacy_order(layer)
        if not weights:
            continue
        if layer.name not in stored:
            missing.append(layer.name)
            continue
        datasets = _datasets(file, layer.name)
        expected = [tuple(weight.shape) for weight in weights]
        found = [tuple(dataset.shape) for dataset in datasets]
        if expected != found:
            mismatched.append(_mismatch(layer.name, weights, expected, found))
            continue
        matched.append(layer.name)
        ready += zip(weights, datasets, strict=True)
    known = {layer.name for layer in network.layers}
    unexpected = [name for name in stored if name not in known and _has_weights(file, name)]
    return ready, LoadReport(matched, missing, unexpected, mismatched)


def _mismatch(name: str, weights, expected, found) -> str:
    if len(expected) != len(found):
        return f"Layer {name!r}: expected {len(expected)} weights, file has {len(found)}."
    parts = [
        f"{weight.name} {want}, file has {got}"
        for weight, want, got in zip(weights, expected, found, strict=True)
        if want != got
    ]
    return f"Layer {name!r}: expected " + "; expected ".join(parts) + "."


def _datasets(file, layer: str) -> list[h5py.Dataset]:
    group = file.get(layer)
    names = _read_names(group, "weight_names") if isinstance(group, h5py.Group) else None
    if names is None:
        raise ValueError(f"Layer {layer!r}: expected a group with 'weight_names', file has none.")
    datasets = [group.get(name) for name in names]
    for name, dataset in zip(names, datasets, strict=True):
        if not isinstance(dataset, h5py.Dataset) or dataset.dtype.kind not in "fiu":
            raise ValueError(f"Layer {layer!r}: expected numbers at {name!r}, file has none there.")
    return datasets


def _has_weights(file, layer: str) -> bool:
    group = file.get(layer)
    return isinstance(group, h5py.Group) and bool(_read_names(group, "weight_names"))


def _write_names(group, name: str, values: list[str]) -> None:
    """Write a list of names, in numbered parts where one attribute is too small, as Keras does."""
    data = np.array([value.encode() for value in values], dtype="S" if values else "S1")
    parts = 1
    while any(part.nbytes > _ATTRIBUTE_LIMIT for part in np.array_split(data, parts)):
        parts += 1
    if parts == 1:
        group.attrs[name] = data
        return
    for number, part in enumerate(np.array_split(data, parts)):
        group.attrs[f"{name}{number}"] = part


def _read_names(group, name: str) -> list[str] | None:
    """Read what `_write_names` wrote; None if it is not there."""
    if name in group.attrs:
        parts = [group.attrs[name]]
    else:
        parts = []
        while f"{name}{len(parts)}" in group.attrs:
            parts.append(group.attrs[f"{name}{len(parts)}"])
        if not parts:
            return None
    return [
        value.decode() if isinstance(value, bytes) else str(value)
        for part in parts
        for value in part
    ]
