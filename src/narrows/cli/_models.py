"""Model files on the command line."""

from pathlib import Path
from typing import Any

from narrows.cli._errors import BadInputError, bad_input, near_files


def load_model(path: Path) -> Any:
    """Load what ``narrows fit`` or `narrows.save` wrote, set to return arrays.

    Parameters
    ----------
    path : Path

    Returns
    -------
    fitted embedder or Pipeline

    Raises
    ------
    BadInputError
        If there is no such file, or it is none of ours.
    """
    check_there(path)
    from narrows.storage import load

    with bad_input(path):
        return load(path).set_output(transform="default")


def check_there(path: Path) -> None:
    """Raise BadInputError, naming files that are called like it, if there is no such file."""
    if not path.exists():
        raise BadInputError(f"There is no file {str(path)!r}.{near_files(path)}")
