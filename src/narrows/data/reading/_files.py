"""Opening text files, packed with gzip or not."""

import contextlib
import csv
import gzip
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

GZIP = ".gz"


def is_packed(path: Path) -> bool:
    """Whether a file's name says that it is packed with gzip."""
    return path.suffix.lower() == GZIP


def extension_of(path: Path) -> str:
    """Return what the name of a file says of what is in it: ``.csv`` of ``x.csv.gz``."""
    return (Path(path.stem) if is_packed(path) else path).suffix.lower()


@contextlib.contextmanager
def opened(path: Path, encoding: str | None = None) -> Iterator[IO]:
    """Open a file's content, as lines of an encoding or as bytes."""
    mode, newline = ("rb", None) if encoding is None else ("rt", "")
    if not is_packed(path):
        with path.open(mode, encoding=encoding, newline=newline) as file:
            yield file
        return
    try:
        with gzip.open(path, mode, encoding=encoding, newline=newline) as file:
            yield cast(IO, file)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(
            f"{str(path)!r} must be a whole gzip file, as its extension says. {_found(path)}."
        ) from error


class _FieldLimit:
    """The longest field that csv takes, one number for the whole process, while it is lifted."""

    lock = threading.Lock()
    readers = 0
    usual = 0


@contextlib.contextmanager
def long_fields() -> Iterator[None]:
    """Let csv read fields of any length in the block; by default 131,072 characters are most."""
    with _FieldLimit.lock:
        if not _FieldLimit.readers:
            _FieldLimit.usual = csv.field_size_limit(2**31 - 1)
        _FieldLimit.readers += 1
    try:
        yield
    finally:
        with _FieldLimit.lock:
            _FieldLimit.readers -= 1
            if not _FieldLimit.readers:
                csv.field_size_limit(_FieldLimit.usual)


def _found(path: Path) -> str:
    with path.open("rb") as file:
        if file.read(2) != b"\x1f\x8b":
            return f"It is not packed. Remove {GZIP} from its name, or pack it"
    return "It is cut off or damaged. Copy or pack it again"
