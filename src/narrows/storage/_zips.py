"""Zips that hold models: opened and checked so that none of a zip's tricks gets through.

A zip is read from its end record, which states how long its directory is; so that is looked at
before anything of a stated length is read into memory. Members are read by name into memory and
never extracted, so no path in a zip can lead anywhere.
"""

import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple, NoReturn

from narrows.storage._messages import in_one_line

_DIRECTORY_LIMIT = 1 << 16  # bytes of a zip's directory
_MEMBERS_LIMIT = 64
_END = struct.Struct("<4s4H2LH")  # the end record, without a comment
_LOCAL = struct.Struct("<4s2B4HL2L2H")  # a member's own header, before its name
_END64 = struct.Struct("<4sQ2H2L4Q")  # the end record of a zip beyond 4 GB, and its locator
_LOCATOR64 = struct.Struct("<4sLQL")
_ZIP64_ENDS = _END64.size + _LOCATOR64.size
_ENCRYPTED, _DESCRIPTOR, _STRONG, _MASKED = 0x1, 0x8, 0x40, 0x2000
_UNKNOWN = {0xFFFFFFFF}  # what a header states where the number stands in zip64's extra field
_ERRORS = (
    zipfile.BadZipFile, EOFError, MemoryError, NotImplementedError, OverflowError, RuntimeError,
    ValueError, struct.error, zlib.error,
)  # fmt: skip


class Kind(NamedTuple):
    """What sort of file is read, and what writes it."""

    suffix: str
    writer: str


def zip_damaged(path: str | os.PathLike, what: str, kind: Kind) -> NoReturn:
    """Raise ValueError for a file that is not as it was written."""
    raise ValueError(
        f"{os.fspath(path)!r} must be a complete, unaltered {kind.suffix} file. It is damaged: "
        f"{what}. Nothing was loaded. Copy or save it again."
    )


def opened(path: str | os.PathLike, *, kind: Kind) -> zipfile.ZipFile:
    """Open a zip with a directory of a reasonable size and nothing before or behind it."""
    if Path(path).is_dir():
        _not_a_zip(path, "It is a folder", kind)
    if not Path(path).is_file():
        raise FileNotFoundError(f"There is no file {os.fspath(path)!r}.")
    entries = _check_end(path, kind)
    try:
        file = zipfile.ZipFile(path)
    except _ERRORS as error:
        zip_damaged(path, f"its directory cannot be read ({in_one_line(error)})", kind)
    if len(file.infolist()) != entries or any(one.header_offset < 0 for one in file.infolist()):
        file.close()
        zip_damaged(path, "its directory is not what its end states", kind)
    return file


def check_stored(
    file: zipfile.ZipFile,
    names: Collection[str],
    path: str | os.PathLike,
    *,
    kind: Kind,
) -> None:
    """Raise ValueError unless members are plain files, neither encrypted nor compressed."""
    for name in names:
        one = file.getinfo(name)
        odd = one.flag_bits & (_ENCRYPTED | _DESCRIPTOR | _STRONG | _MASKED)
        if one.compress_type != zipfile.ZIP_STORED or odd:
            zip_damaged(path, f"{name} is compressed or encrypted, which it never is", kind)
        if one.file_size != one.compress_size:
            zip_damaged(path, f"{name} states two sizes", kind)
        if stat.S_IFMT(one.external_attr >> 16) not in (0, stat.S_IFREG):
            zip_damaged(path, f"{name} is a link or a folder", kind)


def check_layout(file: zipfile.ZipFile, path: str | os.PathLike, *, kind: Kind) -> None:
    """Raise ValueError unless stored members lie one after the other, from first byte to last.

    What a member's own header says must be what the directory says.
    """
    end = 0
    size = Path(path).stat().st_size
    with Path(path).open("rb") as raw:
        for one in sorted(file.infolist(), key=lambda info: info.header_offset):
            if one.header_offset != end:
                zip_damaged(path, "its members do not lie one after the other", kind)
            raw.seek(end)
            header = raw.read(_LOCAL.size)
            if len(header) < _LOCAL.size:
                zip_damaged(path, "its members do not lie one after the other", kind)
            found = _LOCAL.unpack(header)
            name, extra = found[-2:]
            crc, sizes = found[7], set(found[8:10])
            flags, method = found[3], found[4]
            agrees = (flags, method, crc) == (one.flag_bits, one.compress_type, one.CRC)
            if not agrees or not sizes <= {one.file_size} | _UNKNOWN:
                zip_damaged(path, f"{one.filename} has two headers that differ", kind)
            end += _LOCAL.size + name + extra + one.file_size
    directory = size - end - _END.size
    if end != file.start_dir or not 0 < directory <= _DIRECTORY_LIMIT + _ZIP64_ENDS:
        zip_damaged(path, "its members do not lie one after the other", kind)


def member(file: zipfile.ZipFile, name: str, path: str | os.PathLike, *, kind: Kind) -> bytes:
    """Read a stored member whole."""
    limit = Path(path).stat().st_size
    if file.getinfo(name).file_size > limit:
        zip_damaged(path, f"{name} states more than {limit:,} bytes", kind)
    try:
        with file.open(name) as stream:
            content = stream.read(limit + 1)
    except _ERRORS as error:
        zip_damaged(path, f"{name} cannot be read ({in_one_line(error)})", kind)
    if len(content) > limit or len(content) != file.getinfo(name).file_size:
        zip_damaged(path, f"{name} has not the size that it states", kind)
    return content


def _not_a_zip(path: str | os.PathLike, what: str, kind: Kind) -> NoReturn:
    raise ValueError(
        f"{os.fspath(path)!r} must be a {kind.suffix} file, as {kind.writer} writes it. {what}."
    )


def _check_end(path: str | os.PathLike, kind: Kind) -> int:
    """Look at the zip's end record, so that no long directory is ever read into memory.

    Returns how many members it states.
    """
    with Path(path).open("rb") as file:
        start = file.read(4)
        if start != b"PK\x03\x04":
            what = "It is empty" if not start else "Its content is something else"
            _not_a_zip(path, what, kind)
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - _END.size - _ZIP64_ENDS, 0))
        tail = file.read()
    end = tail[-_END.size :]
    if len(end) < _END.size or end[:4] != b"PK\x05\x06":
        zip_damaged(path, "it is cut off, or something was added at its end", kind)
    _, disk, first_disk, here, entries, directory, _, comment = _END.unpack(end)
    if tail[_END64.size :][:4] == b"PK\x06\x07":  # what this states goes before
        here, entries, directory = _END64.unpack(tail[: _END64.size])[6:9]
    if disk or first_disk or here != entries:
        zip_damaged(path, "it is one part of several", kind)
    if entries > _MEMBERS_LIMIT or directory > _DIRECTORY_LIMIT or comment:
        _not_a_zip(path, f"It is a zip of {entries:,} members or with a comment", kind)
    return entries
