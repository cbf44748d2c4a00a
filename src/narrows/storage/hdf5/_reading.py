"""HDF5 read so that nothing in a file leads out of it, or to more memory than its model has.

HDF5 can link to other files, map datasets onto other files, declare shapes of any size for a few
bytes, and run filters from plugins. So objects are found one path component at a time through hard
links only, and a dataset is looked at before it is read:

- its values lie in this file (no external or virtual storage) and are plain numbers: floats,
  whole numbers, booleans, or bfloat16 as Keras 3 stores it, two bytes without a type;
- its filters are none, shuffle, gzip or fletcher32;
- no chunk takes more than 64 MiB or the dataset's own size, whichever is larger; what is
  compressed with gzip is unpacked once with that bound before HDF5 sees it;
- its shape is the one that the caller expects: a dataset is read only after it was compared with
  the weight it is for, so reading takes no more memory than the model, doubled for float64.

HDF5's own library takes what some fields of a damaged file say at their word; see
`narrows.storage.hdf5._heaps` for those that are checked before it opens the file.

Lists of names (attributes) take at most 16 MiB, paths at most 32 components, and a walk looks at
no more than 100,000 groups, each once.
"""

import contextlib
import math
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import h5py
import ml_dtypes
import numpy as np

from narrows.storage._messages import in_one_line
from narrows.storage.hdf5._heaps import heaps_are_sound

NAMES_LIMIT = 16 * 2**20  # bytes of one attribute, and names in all its parts
PATH_LIMIT = 32  # components
GROUPS_LIMIT = 100_000
_CHUNK_LIMIT = 64 * 2**20  # bytes
_GZIP = h5py.h5z.FILTER_DEFLATE
_FILTERS = {_GZIP, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32}
_ERRORS = (KeyError, MemoryError, OverflowError, RuntimeError, TypeError, ValueError, zlib.error)


@contextlib.contextmanager
def reading(path: str | os.PathLike, shown: str | os.PathLike | None = None) -> Iterator[h5py.File]:
    """Open an HDF5 file to read it in the block; whatever h5py raises there becomes one error."""
    name = os.fspath(path if shown is None else shown)
    if not Path(path).is_file():
        raise FileNotFoundError(f"There is no file {name!r}.")
    if not h5py.is_hdf5(path):
        raise ValueError(f"{name!r} must be an HDF5 file. Its content is something else.")
    try:
        if not heaps_are_sound(path):
            raise OSError("its heaps are not sound")
        with h5py.File(path, "r") as file:
            yield file
    except _RefusedError as error:
        text = str(error)
        raise ValueError(text if repr(name) in text else f"{text} (In {name!r}.)") from None
    except OSError as error:
        raise OSError(
            f"{name!r} must be a complete HDF5 file. It cannot be read: "
            f"{in_one_line(error)}. Copy or save it again."
        ) from error
    except _ERRORS as error:
        raise ValueError(
            f"{name!r} must be an undamaged HDF5 file. It cannot be read: "
            f"{in_one_line(error)}. Copy or save it again."
        ) from error


class _RefusedError(Exception):
    """A sentence for the caller about what is in a file."""


def refuse(sentence: str) -> NoReturn:
    """Raise the ValueError that `reading` lets through, with the file's name if it lacks it."""
    raise _RefusedError(sentence)


def child(parent: h5py.Group, name: str) -> h5py.Group | h5py.Dataset | None:
    """Return what a group has under a path, followed through hard links only; None if nothing."""
    parts = [part for part in name.split("/") if part]
    if not parts or len(parts) > PATH_LIMIT or set(parts) & {".", ".."}:
        refuse(f"Paths in an HDF5 file must have 1 to {PATH_LIMIT} names. Got {name[:100]!r}.")
    found: Any = parent
    for part in parts:
        if not isinstance(found, h5py.Group):
            return None
        link = found.get(part, getlink=True)
        if link is None:
            return None
        if not isinstance(link, h5py.HardLink):
            refuse(
                f"Weights must lie in the HDF5 file itself. {name[:100]!r} is a "
                f"{type(link).__name__} instead. Nothing was loaded."
            )
        found = found[part]
    return found if isinstance(found, h5py.Group | h5py.Dataset) else None


def names_in(group: h5py.Group, name: str) -> list[str] | None:
    """Read a list of names from an attribute, or from numbered parts of it; None if not there."""
    if name in group.attrs:
        return _names(group, name)
    found: list[str] = []
    count = 0
    while f"{name}{count}" in group.attrs:
        found += _names(group, f"{name}{count}")
        count += 1
        if sum(map(len, found)) > NAMES_LIMIT:
            refuse(f"Attribute {name!r} must take at most {NAMES_LIMIT:,} bytes.")
    return found if count else None


def text_in(thing: h5py.Group | h5py.Dataset, name: str) -> str | None:
    """Read one text from an attribute; None if there is none."""
    if name not in thing.attrs:
        return None
    _check_attribute(thing, name)
    value = thing.attrs[name]
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    return value if isinstance(value, str) else None


def check_dataset(dataset: h5py.Dataset, where: str) -> None:
    """Refuse a dataset whose values lie elsewhere, are no numbers, or could grow on reading."""
    plist = dataset.id.get_create_plist()
    if plist.get_layout() == h5py.h5d.VIRTUAL or plist.get_external_count():
        refuse(f"{where}: expected numbers in the file itself, they lie in another file.")
    kind = dataset.dtype
    plain = kind.kind in "fiub" and kind.itemsize <= 8
    if not plain and kind != np.dtype("V2"):
        refuse(f"{where}: expected numbers, file has {kind}.")
    if dataset.shape is None:
        refuse(f"{where}: expected numbers, file has an empty dataset.")
    filters = {plist.get_filter(number)[0] for number in range(plist.get_nfilters())}
    if filters - _FILTERS:
        refuse(f"{where}: expected no compression, or gzip. File has filter {max(filters)}.")
    if dataset.chunks is not None:
        limit = max(dataset.size * kind.itemsize, _CHUNK_LIMIT)
        size = math.prod(dataset.chunks) * kind.itemsize
        if size > limit:
            refuse(f"{where}: expected chunks of at most {limit:,} bytes, file has {size:,}.")


def check_all(file: h5py.File) -> None:
    """Refuse a file with anything but groups and uncompressed numbers, wherever it stands."""
    size = Path(file.filename).stat().st_size
    for group, _ in groups_in(file):
        for key in group:
            found = child(group, key)
            if isinstance(found, h5py.Dataset):
                check_dataset(found, f"Dataset {found.name!r}")
                filters = found.id.get_create_plist().get_nfilters()
                if filters or found.size * found.dtype.itemsize > size:
                    refuse(f"Dataset {found.name!r}: expected numbers that are in the file.")


def groups_in(file: h5py.File) -> Iterator[tuple[h5py.Group, int]]:
    """Yield every group and its depth, each once, outer ones first."""
    waiting: list[tuple[h5py.Group, int]] = [(file, 0)]
    seen = set()
    while waiting:
        group, depth = waiting.pop()
        address = h5py.h5o.get_info(group.id).addr
        if address in seen:
            continue
        seen.add(address)
        if len(seen) > GROUPS_LIMIT or depth > PATH_LIMIT:
            refuse(
                f"An HDF5 file of weights must have at most {GROUPS_LIMIT:,} groups, and at most "
                f"{PATH_LIMIT} in one another."
            )
        yield group, depth
        below = [child(group, key) for key in group]
        waiting += [(one, depth + 1) for one in reversed(below) if isinstance(one, h5py.Group)]


def values_of(dataset: h5py.Dataset, where: str) -> np.ndarray:
    """Read a dataset that `check_dataset` let through, and whose shape is the expected one."""
    _check_gzip(dataset, where)
    values = np.asarray(dataset[()])
    return values.view(ml_dtypes.bfloat16) if values.dtype.kind == "V" else values


def _check_gzip(dataset: h5py.Dataset, where: str) -> None:
    """Unpack every gzip chunk once, with a bound: HDF5 itself has none."""
    plist = dataset.id.get_create_plist()
    filters = [plist.get_filter(number)[0] for number in range(plist.get_nfilters())]
    if _GZIP not in filters:
        return
    size = math.prod(dataset.chunks) * dataset.dtype.itemsize + 4  # a checksum, if it comes first
    checksum = h5py.h5z.FILTER_FLETCHER32 in filters[filters.index(_GZIP) :]
    whole = Path(dataset.file.filename).stat().st_size
    for number in range(dataset.id.get_num_chunks()):
        about = dataset.id.get_chunk_info(number)
        if about.byte_offset is None or about.byte_offset + about.size > whole:
            refuse(f"{where}: expected chunks in the file, one is said to lie outside.")
        skipped, packed = dataset.id.read_direct_chunk(about.chunk_offset)
        if skipped & (1 << filters.index(_GZIP)):
            continue
        unpacking = zlib.decompressobj()
        unpacking.decompress(packed[:-4] if checksum else packed, size + 1)
        if unpacking.unconsumed_tail or not unpacking.eof:
            refuse(f"{where}: expected chunks of {size:,} bytes, a compressed one is larger.")


def _names(group: h5py.Group, name: str) -> list[str]:
    _check_attribute(group, name)
    value = np.asarray(group.attrs[name])
    if value.size == 0:
        return []  # h5py gives an empty list as floats
    found = [one.decode() if isinstance(one, bytes) else one for one in value.ravel().tolist()]
    if not all(isinstance(one, str) for one in found):
        refuse(f"Attribute {name!r} must be a list of names. Got {value.dtype} instead.")
    return found


def _check_attribute(thing: h5py.Group | h5py.Dataset, name: str) -> None:
    about = thing.attrs.get_id(name)
    if math.prod(about.shape) * max(about.dtype.itemsize, 1) > NAMES_LIMIT:
        refuse(f"Attribute {name[:100]!r} must take at most {NAMES_LIMIT:,} bytes.")
    if about.dtype.kind not in "SOfiu" or (
        about.dtype.kind == "O" and h5py.check_string_dtype(about.dtype) is None
    ):
        refuse(f"Attribute {name[:100]!r} must be text. Got {about.dtype} instead.")
