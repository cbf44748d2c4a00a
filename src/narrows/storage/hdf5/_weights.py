"""Weights in HDF5, by layer name: written in the layout that Keras 2 and R's keras wrote.

Keras 3 reads such a file (``load_weights(path, by_name=True)``) but no longer writes one. The
layouts that are read are told in `narrows.storage.hdf5._layouts`, the checks in
`narrows.storage.hdf5._reading`.
"""

import io
import os
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import h5py
import numpy as np

from narrows._files import at_home, replace_file
from narrows.storage.hdf5._layouts import StoredLayers, stored_layers
from narrows.storage.hdf5._reading import check_dataset, reading, refuse, values_of

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


def save_weights_hdf5(model: Any, path: str | os.PathLike) -> None:
    """Save a model's weights by layer name, in Keras 2's layout.

    Parameters
    ----------
    model : keras.Model or fitted embedder
        Of an embedder, the whole network is saved, encoder and decoder; of a
        `VariationalAutoencoder` also the layer of the log variances, which its
        ``autoencoder_`` does not have.
    path : path-like
        The file to write; an old file is replaced only when the new one is complete.

    Raises
    ------
    TypeError
        If `model` is neither.
    OSError
        If the file cannot be written.

    See Also
    --------
    load_weights_hdf5 : Load such a file into a model that shares layer names.

    Notes
    -----
    Weights of bfloat16, which the format does not know, are stored as float32, which holds them
    exactly. The file is put together in memory first.
    """
    layers = _layers(model)
    path = at_home(path)
    if path.is_dir():
        raise IsADirectoryError(f"Weights are written to a file. Got the folder {str(path)!r}.")
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        file.attrs["backend"] = b"jax"
        file.attrs["keras_version"] = metadata.version("keras").encode()
        _write_names(file, "layer_names", [layer.name for layer in layers])
        for layer in layers:
            group = file.create_group(layer.name)
            weights = _legacy_order(layer)
            names = _names_of(weights)
            _write_names(group, "weight_names", names)
            for name, weight in zip(names, weights, strict=True):
                group.create_dataset(name, data=_plain(weight))
    replace_file(path, content.getvalue())


def load_weights_hdf5(
    model: Any, path: str | os.PathLike, *, skip_mismatch: bool = False
) -> LoadReport:
    """Load weights into the layers of a model whose names stand in the file.

    Parameters
    ----------
    model : keras.Model or fitted embedder
    path : path-like
        A file that `save_weights_hdf5`, Keras 2, tf.keras or R's keras
        (``save_model_weights_hdf5``) wrote, of weights or of a whole model; a whole model in
        HDF5 of Keras 3; or its ``.weights.h5``, if it names its layers, as since Keras 3.6.
    skip_mismatch : bool
        Leave layers alone whose weights have other shapes in the file, instead of raising.

    Returns
    -------
    LoadReport

    Raises
    ------
    ValueError
        If the file is not such a file, no layer's name stands in it, its weights are anything
        but numbers in the file itself, or shapes differ and `skip_mismatch` is false. The model
        is then as it was.
    OSError
        If the file cannot be opened or read.

    Notes
    -----
    Layers are found by name, wherever they stand. Of a model inside a model, Keras 2 stores all
    weights under the inner model's name; its layers are found by their own names too.
    A dataset is read only after its shape was found to be that of the weight it is for, so a
    file cannot ask for more memory than twice what the model takes.
    """
    path = at_home(path)
    layers = _layers(model)
    with reading(path) as file:
        stored = stored_layers(file, os.fspath(path), {layer.name for layer in layers})
        _check_clear(layers, stored, path)
        ready, report = _compare(layers, stored)
        if report.mismatched and not skip_mismatch:
            refuse(
                " ".join(report.mismatched)
                + " Nothing was loaded. Build the model as it was saved, or pass "
                "skip_mismatch=True to leave such layers as they are."
            )
        if not report.matched and not report.mismatched:
            refuse(
                f"At least one layer of the model must be in {os.fspath(path)!r}. The model has "
                f"{report.missing}, the file has {list(stored.outer)}. Name the layers as in the "
                "file."
            )
        values = [(weight, values_of(dataset, where)) for weight, dataset, where in ready]
    for weight, value in values:
        weight.assign(value)
    return report


def _layers(model: Any) -> list[Any]:
    """Return the layers of a Keras model, or of all of an embedder's networks, each once."""
    parts = [getattr(model, f"{name}_", None) for name in ("posterior", "encoder", "decoder")]
    networks = [part for part in parts if part is not None] or [model]
    if not all(hasattr(network, "layers") for network in networks):
        raise TypeError(
            "The 'model' parameter must be a keras.Model or a fitted embedder. "
            f"Got {type(model).__name__} instead. If it is an embedder, fit it first."
        )
    found: dict[int, Any] = {}
    for network in networks:
        for layer in network.layers:
            second_input = network is not networks[0] and type(layer).__name__ == "InputLayer"
            if not second_input:
                found.setdefault(id(layer), layer)
    return list(found.values())


def _legacy_order(layer: Any) -> list[Any]:
    """A layer's weights as Keras 2 stored them: trainable first."""
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def _names_of(weights: list[Any]) -> list[str]:
    """The names of a layer's weights, as Keras 2 gave them, each once."""
    found: list[str] = []
    for weight in weights:
        name, number = f"{weight.path}:0", 0
        while name in found:
            number += 1
            name = f"{weight.path}_{number}:0"
        found.append(name)
    return found


def _plain(weight: Any) -> np.ndarray:
    value = np.asarray(weight.value)
    return value.astype(np.float32) if value.dtype.name == "bfloat16" else value


def _compare(layers: list[Any], stored: StoredLayers) -> tuple[list[tuple], LoadReport]:
    """Sort the layers, and pair weights with datasets, before anything is read or assigned."""
    ready: list[tuple] = []
    matched, missing, mismatched = [], [], []
    for layer in layers:
        weights = _legacy_order(layer)
        if not weights:
            continue
        found = stored.find(layer.name)
        if found is None:
            missing.append(layer.name)
            continue
        where = f"Layer {layer.name!r}"
        for _, dataset in found:
            check_dataset(dataset, where)
        expected = [tuple(weight.shape) for weight in weights]
        shapes = [tuple(dataset.shape) for _, dataset in found]
        if expected != shapes:
            mismatched.append(_mismatch(layer.name, weights, expected, shapes))
            continue
        matched.append(layer.name)
        ready += [(one, two, where) for one, (_, two) in zip(weights, found, strict=True)]
    return ready, LoadReport(matched, missing, _unexpected(stored, layers), mismatched)


def _check_clear(layers: list[Any], stored: StoredLayers, path: str | os.PathLike) -> None:
    """Refuse a file that has several layers of a name that the model has: none is the right one."""
    for layer in layers:
        places = stored.twice.get(layer.name)
        if places and _legacy_order(layer):
            refuse(
                f"Layer {layer.name!r} must stand in {os.fspath(path)!r} once. It stands in "
                f"{' and in '.join(map(repr, places))}. Nothing was loaded. Load the file into the "
                "model that it was saved of, or save the inner model that is meant on its own."
            )


def _unexpected(stored: StoredLayers, layers: list[Any]) -> list[str]:
    """Layers with weights that the model has not; an inner model's, if some of them matched."""
    known = {layer.name for layer in layers}
    opened = {owner for layer, owner in stored.owner.items() if layer in known}
    found = []
    for name, weights in stored.outer.items():
        if name in opened - known:
            inner = [one for one, owner in stored.owner.items() if owner == name]
            found += [one for one in inner if one not in known]
        elif name not in known and weights:
            found.append(name)
    return found


def _mismatch(name: str, weights, expected, found) -> str:
    if len(expected) != len(found):
        return f"Layer {name!r}: expected {len(expected)} weights, file has {len(found)}."
    parts = [
        f"{weight.name} {want}, file has {got}"
        for weight, want, got in zip(weights, expected, found, strict=True)
        if want != got
    ]
    return f"Layer {name!r}: expected " + "; expected ".join(parts) + "."


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
