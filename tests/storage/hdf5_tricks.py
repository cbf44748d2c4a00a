"""HDF5 files of weights, and what a hostile one may hold in their place."""

import io

import h5py
import numpy as np

SHAPES = {"hidden": {"kernel": (4, 3), "bias": (3,)}, "out": {"kernel": (3, 2), "bias": (2,)}}


def by_lists(group):
    """Write small weights in Keras 2's layout."""
    group.attrs["layer_names"] = [name.encode() for name in SHAPES]
    for layer, weights in SHAPES.items():
        inner = group.create_group(layer)
        inner.attrs["weight_names"] = [f"{layer}/{name}:0".encode() for name in weights]
        for name, shape in weights.items():
            inner[f"{layer}/{name}:0"] = np.arange(np.prod(shape), dtype="f4").reshape(shape)


def by_groups(file):
    """Write the same weights in the layout of Keras 3's ``.weights.h5``."""
    for number, (layer, weights) in enumerate(SHAPES.items()):
        group = file.create_group(f"layers/dense_{number}/vars")
        group.attrs["name"] = layer
        for place, shape in enumerate(weights.values()):
            group[f"{place}"] = np.ones(shape, "f4")


def content(write):
    """The bytes of a file that a function fills."""
    target = io.BytesIO()
    with h5py.File(target, "w") as file:
        write(file)
    return target.getvalue()


def compressed(file):
    """Keras 2's layout, with gzip, shuffle and checksums."""
    by_lists(file)
    for layer, weights in SHAPES.items():
        for name in weights:
            key = f"{layer}/{layer}/{name}:0"
            values = file[key][()]
            del file[key]
            file.create_dataset(
                key, data=values, compression="gzip", shuffle=True, fletcher32=True, chunks=True
            )


def seeds():
    """Sound files by the name of their layout."""
    return {
        "lists": content(by_lists),
        "whole": content(lambda file: by_lists(file.create_group("model_weights"))),
        "groups": content(by_groups),
        "gzip": content(compressed),
    }


def external_link(file, key):
    """A link to another file."""
    file[key] = h5py.ExternalLink("/etc/hostname.h5", "/x")


def soft_link(file, key):
    """A link by path."""
    file[key] = h5py.SoftLink("/elsewhere")


def virtual(file, key):
    """A dataset mapped onto another file's."""
    layout = h5py.VirtualLayout(shape=(4, 3), dtype="f4")
    layout[:] = h5py.VirtualSource("/etc/other.h5", "x", shape=(4, 3))
    file.create_virtual_dataset(key, layout)


def external_storage(file, key):
    """A dataset whose values are another file's bytes."""
    file.create_dataset(key, (4, 3), "f4", external=[("/etc/passwd", 0, 48)])


def huge(file, key):
    """A dataset of a petabyte, of which nothing is stored."""
    file.create_dataset(key, (2**40, 2**10), "f4", chunks=(1024, 1024))


def huge_chunks(file, key):
    """A small dataset in one chunk of three gigabytes."""
    file.create_dataset(key, (4, 3), "f4", chunks=(2**15, 3 * 2**13), maxshape=(None, None))


def huge_contiguous(file, key):
    """A dataset of a terabyte for which no space was set aside."""
    space = h5py.h5s.create_simple((2**38,))
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_alloc_time(h5py.h5d.ALLOC_TIME_LATE)
    group = file.require_group(key.rpartition("/")[0] or "/")
    h5py.h5d.create(group.id, key.rpartition("/")[2].encode(), h5py.h5t.IEEE_F32LE, space, plist)


def bomb(file, key):
    """A chunk that unpacks to a thousand times what it states."""
    import zlib

    dataset = file.create_dataset(key, (4, 3), "f4", chunks=(4, 3), compression="gzip")
    dataset.id.write_direct_chunk((0, 0), zlib.compress(bytes(50_000_000), 9))


def strings(file, key):
    """Texts of any length."""
    file.create_dataset(key, data=["a", "b"], dtype=h5py.string_dtype())


def ragged(file, key):
    """Lists of any length."""
    kind = h5py.vlen_dtype(np.dtype("f4"))
    file.create_dataset(key, (3,), kind)[0] = [1.0, 2.0]


def references(file, key):
    """Pointers to other objects."""
    file.create_dataset(key, (3,), h5py.ref_dtype)[0] = file.ref


def compound(file, key):
    """Records."""
    file.create_dataset(key, data=np.zeros((4, 3), [("a", "f4"), ("b", "i4")]))


def long_floats(file, key):
    """Numbers of 16 bytes."""
    file.create_dataset(key, data=np.zeros((4, 3), np.longdouble))


def complex_numbers(file, key):
    """Numbers of two parts."""
    file.create_dataset(key, data=np.zeros((4, 3), "c8"))


def empty(file, key):
    """A dataset without a shape."""
    file[key] = h5py.Empty("f4")


def lzf(file, key):
    """A filter that is not among the known."""
    file.create_dataset(key, data=np.zeros((4, 3), "f4"), compression="lzf")


def a_group(file, key):
    """A group in a dataset's place."""
    file.create_group(key)


def a_type(file, key):
    """A type in a dataset's place."""
    file[key] = np.dtype("f8")


TRICKS = [
    external_link, soft_link, virtual, external_storage, huge, huge_chunks, huge_contiguous, bomb,
    strings, ragged, references, compound, long_floats, complex_numbers, empty, lzf, a_group,
    a_type,
]  # fmt: skip
ATTRIBUTES = [
    "text", b"bytes", 3, [1.5, 2.5], np.zeros(3, "V4"), h5py.Empty("f4"), np.array([], "f8"),
    ["hidden", "out"], ["out"] * 300, [b"hidden/kernel:0"], ["../../x"], ["/"], ["a" * 500],
    ["hidden/" * 60], np.array([b"\xff\xfe"]),
]  # fmt: skip


def datasets_of(file):
    """The paths of all datasets."""
    found = []
    file.visititems(lambda name, one: found.append(name) if isinstance(one, h5py.Dataset) else None)
    return found


def damaged(draw, seed):
    """A file of which one or two objects are something else."""
    target = io.BytesIO(seed)
    with h5py.File(target, "r+") as file:
        for _ in range(draw.choice((1, 1, 2))):
            _damage(draw, file)
    return target.getvalue()


def _damage(draw, file):
    groups = ["/"]
    file.visititems(lambda name, one: groups.append(name) if isinstance(one, h5py.Group) else None)
    group = file[draw.choice(groups)]
    kind = draw.randrange(6)
    keys = datasets_of(file)
    if kind < 3 and keys:
        key = draw.choice(keys)
        del file[key]
        draw.choice(TRICKS)(file, key)
    elif kind == 3:
        names = ("layer_names", "weight_names", "name", "layer_names0", "layer_names1")
        name = draw.choice([*names, *group.attrs])
        if name in group.attrs:
            del group.attrs[name]
        if draw.random() < 0.9:
            group.attrs[name] = draw.choice(ATTRIBUTES)
    elif kind == 4:
        name = draw.choice(("hidden", "layers", "vars", "again", "0"))
        if name not in group:
            group[name] = file[draw.choice(groups)]  # a circle, often
    elif list(group):
        del group[draw.choice(list(group))]
