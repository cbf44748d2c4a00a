"""Writing files so that a failure leaves the old one as it was."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replacing(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary path beside `path` to write to; it takes `path`'s place at the end.

    If the block raises, or the process is killed in it, the file at `path` stays as it was.

    Parameters
    ----------
    path : path-like

    Raises
    ------
    OSError
        If the folder does not exist or cannot be written to.
    """
    target = Path(os.path.realpath(path))  # a link stays one, and its target is written
    try:
        handle, name = tempfile.mkstemp(
            dir=target.parent, prefix=f".{target.name}.", suffix=target.suffix
        )
    except OSError as error:  # the message would name the temporary file
        raise OSError(error.errno, error.strerror, os.fspath(path)) from None
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        _sync(temporary)
        _set_permissions(temporary, target)
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _set_permissions(path: Path, old: Path) -> None:
    """Give the file the permissions ``open`` would leave: the old file's, or a new file's."""
    if old.exists():
        path.chmod(old.stat().st_mode & 0o777)
        return
    mask = os.umask(0)
    os.umask(mask)
    path.chmod(0o666 & ~mask)


def replace_file(path: str | os.PathLike, content: bytes) -> Path:
    """Write all of a file's content at once, in the way of `replacing`; return its path."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)
    return Path(path)
