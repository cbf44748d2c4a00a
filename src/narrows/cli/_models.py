"""Model files on the command line."""

import warnings
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


def unseen_levels(model: Any, table: Any) -> dict[str, int]:
    """Count rows whose text was not there in fit, and warn of them, as they become zeros.

    Parameters
    ----------
    model : fitted embedder or Pipeline
    table : table or ndarray of shape (n_rows, n_columns)
        The columns that the model was fitted on.

    Returns
    -------
    dict of str to int
        The number of such rows by column; columns without any are left out.
    """
    import pandas as pd

    from narrows.data import TablePreprocessor

    first = model.steps[0][1] if hasattr(model, "steps") else model
    found: dict[str, int] = {}
    if not isinstance(first, TablePreprocessor):
        return found
    if all(encoding.kind != "text" for encoding in first.encodings_):
        return found  # rows without text are not encoded a second time
    encoded, start = first.transform(table), 0
    for place, encoding in enumerate(first.encodings_):
        stop = start + len(encoding.names(encoding.name))
        unknown = ~encoded[:, start:stop].any(axis=1)
        start = stop
        if encoding.kind != "text" or not unknown.any():
            continue
        found[encoding.name] = count = int(unknown.sum())
        if first.unseen == "ignore":  # else it has spoken itself
            row = int(unknown.argmax())
            _warn_of_unseen(encoding.name, count, row, pd.DataFrame(table).iloc[row, place])
    return found


def _warn_of_unseen(name: str, count: int, row: int, value: Any) -> None:
    import pandas as pd

    rows = f"{count} rows have" if count > 1 else "1 row has"
    shown = "a missing value" if pd.isna(value) else repr(value)
    warnings.warn(
        f"{rows} levels of {name!r} that were not there in fit, first {shown} in row {row} "
        "(counted from 0); they are encoded as zeros.",
        UserWarning,
        stacklevel=3,
    )


def check_there(path: Path) -> None:
    """Raise BadInputError, naming files that are called like it, if there is no such file."""
    if not path.exists():
        raise BadInputError(f"There is no file {str(path)!r}.{near_files(path)}")
