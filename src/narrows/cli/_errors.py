"""Errors that are the input's fault and end the command with exit code 2."""

import errno
import os
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
