"""Writing files so that a failure leaves the old one as it was.

A file is written under a temporary name beside its target, ``.NAME.RANDOM.part`` and the target's
suffix, then synced, then renamed. Whoever writes holds a lock on the temporary file. A process
that was killed leaves one such file behind; the next write to the same target sees that nobody
holds its lock, and removes it. So litter never grows beyond what one crash leaves.
"""

import contextlib
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

from narrows._checks import did_you_mean

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_MARK = ".part"
_OLD = 86_400  # seconds: where files cannot be locked, a temporary file of yesterday is litter


def no_such_file(path: Path) -> str:
    """Return a sentence on a file that is not there, naming files that are called like it."""
    try:
        beside = os.listdir(path.parent)
    except OSError:
        return f"There is no file {str(path)!r}. There is no folder {str(path.parent)!r}."
    advice = did_you_mean(path.name, beside, cutoff=0.7) or "Check the path."
    return f"There is no file {str(path)!r}. {advice}"


def at_home(path: str | os.PathLike) -> Path:
    """Return a path whose leading ``~`` is the home folder, as a shell would give it.

    Every path that narrows is given goes through here: what a shell does not expand, as in
    ``--out=~/x.csv`` and in Python, would be written to a folder named ``~``.
    """
    return Path(os.path.expanduser(path))


@contextlib.contextmanager
def replacing(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary path beside `path` to write to; it takes `path`'s place at the end.

    If the block raises, or the process is killed in it, the file at `path` stays as it was. What
    killed processes left of earlier writes to `path` is removed.

    Notes
    -----
    The temporary file is locked with ``flock`` while the block runs. HDF5 locks files itself, so
    write HDF5 into memory first, or open it with ``locking=False``.
    """
    target = Path(os.path.realpath(at_home(path)))
    _remove_litter(target)
    try:
        temporary, lock = _new_beside(target)
    except OSError as error:  # the message would name the temporary file
        raise OSError(error.errno, error.strerror, os.fspath(path)) from None
    try:
        yield temporary
        _sync(temporary)
        _set_permissions(temporary, target)
        os.replace(temporary, target)
        _sync_folder(target.parent)
    finally:
        temporary.unlink(missing_ok=True)
        if lock is not None:
            os.close(lock)


def replace_file(path: str | os.PathLike, content: bytes) -> Path:
    """Write all of a file's content at once, in the way of `replacing`; return its path."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)
    return at_home(path)


def _new_beside(target: Path) -> tuple[Path, int | None]:
    """Create and lock an empty file that nobody else has; return its path and descriptor."""
    start, end = _ends(target)
    while True:
        temporary = target.with_name(start + secrets.token_hex(4) + end)
        try:
            handle = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            continue
        if fcntl is None:
            os.close(handle)  # Windows renames no file that is open
            return temporary, None
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        if temporary.exists():  # nobody took it for litter before it was locked
            return temporary, handle
        os.close(handle)


def _ends(target: Path) -> tuple[str, str]:
    """How the names of a target's temporary files start and end; no name becomes too long."""
    return f".{target.stem[:40]}.", f"{_MARK}{target.suffix[:20]}"


def _remove_litter(target: Path) -> None:
    """Remove temporary files of `target` that nobody writes to any more."""
    start, end = _ends(target)
    with contextlib.suppress(OSError), os.scandir(target.parent) as entries:
        names = [e.name for e in entries if e.name.startswith(start) and e.name.endswith(end)]
        for name in names:
            with contextlib.suppress(OSError):
                _remove_if_free(target.with_name(name))


def _remove_if_free(path: Path) -> None:
    handle = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    try:
        free = _is_free(handle)
        if fcntl is not None and free:
            path.unlink()  # while it is locked, so that nobody starts to write to it
    finally:
        os.close(handle)
    if fcntl is None and free:
        path.unlink()


def _is_free(handle: int) -> bool:
    """Whether nobody writes to an open file; it is locked then, where that can be done."""
    if fcntl is not None:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # a file system without locks
            pass
        else:
            return True
    return time.time() - os.fstat(handle).st_mtime > _OLD


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Make a renaming last; where a folder cannot be opened, as on Windows, it does without."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _set_permissions(path: Path, old: Path) -> None:
    """Give the file the permissions ``open`` would leave: the old file's, or a new file's."""
    if old.exists():
        path.chmod(old.stat().st_mode & 0o777)
        return
    mask = os.umask(0)
    os.umask(mask)
    path.chmod(0o666 & ~mask)
