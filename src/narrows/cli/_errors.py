"""Errors that are the input's fault and end the command with exit code 2."""

import contextlib
import errno
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path


class BadInputError(Exception):
    """One sentence for the user: what was expected, what came, what to do."""


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


def output_file(path: Path, *inputs: Path) -> Path:
    """Make sure that a file can be written, without touching what is there.

    Parameters
    ----------
    path : Path
    *inputs : Path
        Files that the command reads, which it must not overwrite.

    Raises
    ------
    BadInputError
        If its folder does not exist or cannot be written to, it is a folder, or it is an input.
    """
    if path.is_dir():
        raise BadInputError(f"--out must be a file. Got the folder {str(path)!r}.")
    if any(path.exists() and one.exists() and path.samefile(one) for one in inputs):
        raise BadInputError(
            f"--out must not be a file that is read. Got {str(path)!r} for both. Give another name."
        )
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise BadInputError(
            f"--out must be a file that can be written. Cannot write {str(path)!r}: "
            f"{error.strerror}. Give another path."
        ) from error
    return path


@contextlib.contextmanager
def bad_input() -> Iterator[None]:
    """Let errors in the block that lie in the user's files or options end with exit code 2.

    A ValueError is what reading, fitting and loading raise for input they cannot take, an
    ImportError what reading raises where an optional library is not installed.
    """
    try:
        yield
    except (ValueError, OSError, ImportError) as error:
        sentence = " ".join(str(error).split("\n"))
        if isinstance(error, OSError) and error.strerror:
            sentence = f"Cannot read or write {error.filename!r}: {error.strerror}."
        raise BadInputError(sentence) from error


@contextlib.contextmanager
def warnings_on_stderr() -> Iterator[None]:
    """Show each warning in the block as one line on stderr, without file and line."""

    def show(message, category, *where, **more) -> None:
        print(f"narrows: warning: {message}", file=sys.stderr)

    with warnings.catch_warnings():
        warnings.simplefilter("default", UserWarning)
        warnings.showwarning = show
        yield
