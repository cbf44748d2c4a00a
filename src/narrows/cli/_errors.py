"""How commands end early: bad input with exit code 2, Ctrl-C with 130, each in one sentence."""

import contextlib
import difflib
import errno
import os
import re
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path


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


# Where tables are read and checked, and TypeErrors raised for columns that cannot be learned from.
_DATA = Path(__file__).parents[1] / "data"


def is_refusal(error: OSError) -> bool:
    """Whether an error is a full disk, a missing permission or the like: no fault of narrows."""
    return error.errno in _REFUSALS


def sentence_of(error: OSError, path: str | os.PathLike | None = None) -> str:
    """Return one sentence on what a file system refused.

    Parameters
    ----------
    error : OSError
    path : path-like, optional
        The file that was read or written, for errors that do not know it.
    """
    name = path if error.filename is None else error.filename
    what = "a file" if name is None else repr(os.fspath(name))
    reason = error.strerror or str(error) or type(error).__name__
    advice = " Free some space, or write elsewhere." if error.errno == errno.ENOSPC else ""
    return f"Cannot read or write {what}: {reason}.{advice}"


def near_files(path: Path) -> str:
    """Return advice for a file that is not there: files beside it that are called like it."""
    try:
        beside = os.listdir(path.parent)
    except OSError:
        return f" There is no folder {str(path.parent)!r}."
    near = difflib.get_close_matches(path.name, beside, n=3, cutoff=0.7)
    return f" Did you mean {' or '.join(map(repr, near))}?" if near else " Check the path."


def output_folder(path: Path) -> Path:
    """Make sure that files can be written in a folder, making it if it is not there.

    Nothing that is in it is touched.

    Raises
    ------
    BadInputError
        If it is a file, cannot be made, or cannot be written to.
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
    """Make sure that a file can be written, without touching what is there.

    Parameters
    ----------
    path : Path
    *inputs : Path
        Files that the command reads, which it must not overwrite.
    option : str
        What the error calls it.

    Raises
    ------
    BadInputError
        If its folder does not exist or cannot be written to, it is a folder, or it is an input.
    """
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
def bad_input(path: str | os.PathLike | None = None) -> Iterator[None]:
    """Let errors in the block that lie in the user's files or options end with exit code 2.

    A ValueError is what reading, fitting and loading raise for input they cannot take, an
    ImportError what reading raises where an optional library is not installed. A TypeError is
    taken for the input's only where the checks of a table raise it themselves.

    Parameters
    ----------
    path : path-like, optional
        The file that the block reads or writes, for errors that do not know it.
    """
    try:
        yield
    except (ValueError, OSError, ImportError, TypeError) as error:
        # scikit-learn's InvalidParameterError is a ValueError and a TypeError.
        is_type = isinstance(error, TypeError) and not isinstance(error, ValueError)
        if is_type and not _is_of_the_table(error):
            raise
        sentence = " ".join(str(error).split("\n"))
        if isinstance(error, OSError) and error.strerror:
            sentence = sentence_of(error, path)
        raise BadInputError(sentence) from error


@contextlib.contextmanager
def named_as_options(options: Mapping[str, str]) -> Iterator[None]:
    """Let errors of bad input in the block speak of options instead of Python's parameters.

    Parameters
    ----------
    options : mapping of str to str
        Options by the parameters' names.
    """
    try:
        yield
    except BadInputError as error:

        def option(found: re.Match) -> str:
            return options.get(found[1], found[0])

        def setting(found: re.Match) -> str:
            known = found[1] in options
            return f"{options[found[1]]} {found[2]}" if known else found[0]

        said = re.sub(r"The '(\w+)' parameter(?: of \w+)?", option, str(error))
        raise BadInputError(re.sub(r"\b(\w+)='([^' ]*)'", setting, said)) from error


def _is_of_the_table(error: Exception) -> bool:
    """Whether a check of the table raised it, and no mistake in our code or a library did."""
    innermost = traceback.extract_tb(error.__traceback__)[-1]
    raised = (innermost.line or "").startswith("raise ")
    return raised and Path(innermost.filename).is_relative_to(_DATA)


@contextlib.contextmanager
def interruption(kept: Callable[[], str]) -> Iterator[None]:
    """Say at Ctrl-C in the block what is left of the work.

    Parameters
    ----------
    kept : callable returning str
        What follows "interrupted; ".
    """
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
