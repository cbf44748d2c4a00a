"""Where weights stand in an HDF5 file of Keras, by layer name: three layouts.

Keras 2, R's keras, tf.keras and `narrows.save_weights_hdf5`
    The root, or in a whole model (``model.save("x.h5")``, of Keras 3 too) the group
    ``model_weights``, has the attribute ``layer_names``; each layer is a group with the attribute
    ``weight_names`` and a dataset for each, trainable weights first. Long lists of names are cut
    into ``layer_names0``, ``layer_names1``, … of at most 64,512 bytes. Documented at
    ``Model.save_weights`` of Keras 2; written by ``keras/engine/saving.py`` (Keras 2.1 to 2.3) and
    ``hdf5_format.py`` (tf.keras).
A model inside a model, there
    One group for the inner model, with all its weights: the trainable ones of all its layers,
    then the others. Their names start with the inner layer's: ``hidden/kernel:0``, and where a
    layer has cells or parts, these follow: ``lstm/lstm_cell/kernel:0``. Such inner layers are
    found by that name too, where the file has no outer layer of it.
Keras 3, ``.weights.h5``
    A group for each layer, by a path of class names; since Keras 3.6 its group ``vars`` has the
    layer's name as the attribute ``name``, and numbered datasets. Layers that hold other layers
    (recurrent ones, wrappers) keep their weights further down, under names that are not unique;
    these are not read.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field

import h5py

from narrows.storage.hdf5._reading import child, groups_in, names_in, refuse, text_in

_ADVICE = "Save it with narrows.save_weights_hdf5 or keras::save_model_weights_hdf5."
Weights = list[tuple[str, h5py.Dataset]]  # names in the file, and where their values are


@dataclass(frozen=True)
class StoredLayers:
    """The layers in a file.

    Attributes
    ----------
    outer : dict of str to list
        By name, in the file's order.
    inner : dict of str to list
        Of models inside the model, by name.
    owner : dict of str to str
        The outer layer that an inner one belongs to.
    twice : dict of str to list
        Names that stand in several places, with these; none of them can be found.
    """

    outer: dict[str, Weights]
    inner: dict[str, Weights] = field(default_factory=dict)
    owner: dict[str, str] = field(default_factory=dict)
    twice: dict[str, list[str]] = field(default_factory=dict)

    def find(self, name: str) -> Weights | None:
        """Return a layer's weights, or None if there is no such layer."""
        return self.outer.get(name, self.inner.get(name))


def stored_layers(file: h5py.File, path: str, wanted: Collection[str]) -> StoredLayers:
    """Find every layer's datasets in a file that `reading` opened; none is read."""
    root: h5py.Group = file
    names = names_in(root, "layer_names")
    if names is None:
        inner = child(file, "model_weights")
        if isinstance(inner, h5py.Group):
            root, names = inner, names_in(inner, "layer_names")
    if names is not None:
        return _by_lists(root, names, wanted)
    if not any(name in file for name in ("layers", "_layer_checkpoint_dependencies")):
        refuse(
            f"{path!r} must hold weights by layer name (an attribute 'layer_names' at its root, "
            f"as Keras 2 and R's keras write them). It has no such attribute. {_ADVICE}"
        )
    return _by_groups(file, path)


def _by_lists(root: h5py.Group, names: list[str], wanted: Collection[str]) -> StoredLayers:
    outer = {name: _listed(root, name) for name in names}
    inner: dict[str, Weights] = defaultdict(list)
    owners: dict[str, list[str]] = defaultdict(list)
    for name, weights in outer.items():
        for key, dataset in weights:
            layer = _layer_in(key, name, wanted)
            if layer == name:
                continue
            inner[layer].append((key, dataset))
            if name not in owners[layer]:
                owners[layer].append(name)
    twice = {layer: found for layer, found in owners.items() if len(found) > 1}
    for layer in twice:
        del inner[layer]
    owner = {layer: found[0] for layer, found in owners.items()}
    return StoredLayers(
        outer, dict(inner), owner, {k: v for k, v in twice.items() if k not in outer}
    )


def _layer_in(key: str, outer: str, wanted: Collection[str]) -> str:
    """Return the layer that a weight's name belongs to: the first part of it that is wanted.

    Where none is, the first part, which is the layer of a cell.
    """
    parts = key.split("/")[:-1]
    parts = parts[1:] if parts[:1] == [outer] else parts
    return next((part for part in parts if part in wanted), (parts or [outer])[0])


def _listed(root: h5py.Group, layer: str) -> Weights:
    group = child(root, layer)
    names = names_in(group, "weight_names") if isinstance(group, h5py.Group) else None
    if names is None:
        refuse(f"Layer {layer!r}: expected a group with 'weight_names', file has none.")
    found: Weights = []
    for name in names:
        dataset = child(group, name)
        if not isinstance(dataset, h5py.Dataset):
            refuse(f"Layer {layer!r}: expected numbers at {name!r}, file has none there.")
        found.append((name, dataset))
    return found


def _by_groups(file: h5py.File, path: str) -> StoredLayers:
    outer: dict[str, Weights] = {}
    twice: dict[str, list[str]] = {}
    places: dict[str, str] = {}
    named = False
    for group, _ in groups_in(file):
        name = text_in(group, "name") if group.name.endswith("/vars") else None
        if name is None or group.name.startswith("/optimizer"):
            continue
        named = True
        if len(group):
            place = group.name.removesuffix("/vars")
            if name in outer:
                twice.setdefault(name, [places[name]]).append(place)
            places[name] = place
            outer[name] = _numbered(group, name)
    if not named:
        refuse(
            f"{path!r} must hold weights by layer name. It is a file of Keras 3 before 3.6, which "
            "finds layers by their place only. Load it with load_weights of a model built as the "
            f"saved one, or save it anew. {_ADVICE}"
        )
    for name in twice:
        del outer[name]
    return StoredLayers(outer, twice=twice)


def _numbered(group: h5py.Group, layer: str) -> Weights:
    found: Weights = []
    for number in range(len(group)):
        dataset = child(group, f"{number}")
        if not isinstance(dataset, h5py.Dataset):
            refuse(f"Layer {layer!r}: expected numbers at '{number}', file has none there.")
        found.append((f"{number}", dataset))
    return found
