"""The heaps of an HDF5 file, where names and texts lie, looked at before HDF5 sees them.

HDF5 2.0 takes some numbers in them at their word: a local heap is given as much memory as it
states, and on a global heap with an object of size zero the library runs for ever, which fuzzing
found. Heaps start with a signature of eight bytes, by which they are found wherever they are. (HDF5
File Format Specification, "Disk Format: Level 1D - Local Heaps" and "Level 1E - Global Heap".)

What this cannot stop: a reference to a text states a length of up to 4 GiB, and HDF5 asks for that
much before it looks whether the text is there.
"""

import mmap
import os
import struct
from collections.abc import Iterator

_LOCAL = b"HEAP\0\0\0\0"
_GLOBAL = b"GCOL\x01\0\0\0"
_HEAD = 16  # bytes: the signature and a size
_OBJECT = struct.Struct("<2HLQ")  # of a global heap: index, references, nothing, size


def heaps_are_sound(path: str | os.PathLike) -> bool:
    """Whether all heaps of a file are within the file, with their objects one after the other."""
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return all(_states_less(content, at) for at in _places(content, _LOCAL)) and all(
            _objects_fit(content, at) for at in _places(content, _GLOBAL)
        )


def _places(content: mmap.mmap, mark: bytes) -> Iterator[int]:
    at = content.find(mark)
    while at >= 0:
        yield at
        at = content.find(mark, at + 1)


def _size(content: mmap.mmap, at: int) -> int:
    return int.from_bytes(content[at + 8 : at + _HEAD], "little")


def _states_less(content: mmap.mmap, at: int) -> bool:
    return _size(content, at) <= len(content)


def _objects_fit(content: mmap.mmap, start: int) -> bool:
    """Whether the objects of a global heap lie one after the other up to its end."""
    end = start + _size(content, start)
    if end > len(content):
        return False
    at = start + _HEAD
    while at + _OBJECT.size <= end:
        index, _, _, size = _OBJECT.unpack_from(content, at)
        # Free space, the object 0, states its whole size; others theirs without the header.
        taken = size if index == 0 else _OBJECT.size + size + -size % 8
        if not 0 < taken <= end - at:
            return False
        at += taken
    return True
