"""How commands end early: bad input with exit code 2, Ctrl-C with 130, each in one sentence."""

import contextlib
import errno
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from narrows._checks import ParameterError
from narrows._errors import TableTypeError


class BadInputError(Exception):
    """One sentence for the user: what was expected, what came, what to do."""


class InterruptedCommandError(Exception):
    """Ctrl-C came; says what is left of the work."""


# What a disk or its owner says no to. Other errors of the system may be ours.
_REFUSALS = frozenset(
    getattr(errno, name)
    for name in ("EACCES", "EDQUOT", "EFBIG", "ENAMETOOLONG", "ENOSPC", "EPERM", "EROFS")
    if hasattr(errno, name)
)


def is_refusal(error: OSError) -> bool:
    """Whether an error is a full disk, a missing permission or the like: no fault of narrows."""
    return error.errno in _REFUSALS


def sentence_of(error: OSError, path: str | os.PathLike | None = None) -> str:
    """Return one sentence on what a file system refused."""
    name = path if error.filename is None else error.filename
    what = "a file" if name is None else repr(os.fspath(name))
    reason = error.strerror or str(error) or type(error).__name__
    advice = " Free some space, or write elsewhere." if error.errno == errno.ENOSPC else ""
    return f"Cannot read or write {what}: {reason}.{advice}"


def output_folder(path: Path) -> Path:
    """Make sure that files can be written in a folder, making it if it is not there.

    Nothing that is in it is touched.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe = path / f".narrows-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        why = "there is a file of that name" if error.errno == errno.EEXIST else error.strerror
        raise BadInputError(
            f"--out must be a folder that can be written to. Cannot write to {str(path)!r}: {why}. "
            "Give another folder."
        ) from error
    return path


def output_file(path: Path, *inputs: Path, option: str = "--out") -> Path:
    """Make sure that a file can be written, without touching what is there."""
    if path.is_dir():
        raise BadInputError(f"{option} must be a file. Got the folder {str(path)!r}.")
    if any(path.exists() and one.exists() and path.samefile(one) for one in inputs):
        raise BadInputError(
            f"{option} must not be a file that is read. Got {str(path)!r} for both. Give another "
            "name."
        )
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise BadInputError(
            f"{option} must be a file that can be written. Cannot write {str(path)!r}: "
            f"{error.strerror}. Give another path."
        ) from error
    return path


@contextlib.contextmanager
def bad_input(
    path: str | os.PathLike | None = None, options: Mapping[str, str] | None = None
) -> Iterator[None]:
    """Let errors in the block that lie in the user's files or options end with exit code 2.

    A ValueError is what reading, fitting and loading raise for input they cannot take, an
    ImportError what reading raises where an optional library is not installed.
    """
    try:
        yield
    except (ValueError, OSError, ImportError, TableTypeError) as error:
        said = error.sentence(options) if isinstance(error, ParameterError) else str(error)
        sentence = " ".join(said.split("\n"))
        if isinstance(error, OSError) and error.strerror:
            sentence = sentence_of(error, path)
        raise BadInputError(sentence) from error


@contextlib.contextmanager
def interruption(kept: Callable[[], str]) -> Iterator[None]:
    """Say at Ctrl-C in the block what is left of the work."""
    try:
        yield
    except KeyboardInterrupt as stop:
        raise InterruptedCommandError(f"interrupted; {kept()}") from stop


@contextlib.contextmanager
def warnings_on_stderr() -> Iterator[None]:
    """Show each warning in the block as one line on stderr, once, without file and line."""
    shown: set[str] = set()

    def show(message, category, *where, **more) -> None:
        if str(message) in shown:  # Python's own memory ends where a library touches its filters
            return
        shown.add(str(message))
        print(f"narrows: warning: {message}", file=sys.stderr)

    with warnings.catch_warnings():
        warnings.simplefilter("default", UserWarning)
        warnings.showwarning = show
        yield
