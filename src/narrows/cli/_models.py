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


class UnseenLevels:
    """Counts rows whose text was not there in fit, as it becomes zeros.

    Parameters
    ----------
    model : fitted embedder or Pipeline

    Attributes
    ----------
    counts : dict of str to int
        The number of such rows by column; columns without any are left out.
    """

    def __init__(self, model: Any):
        from narrows.data import TablePreprocessor

        self.counts: dict[str, int] = {}
        self._firsts: dict[str, tuple[int, Any]] = {}
        self._preprocessor: Any = None
        first = model.steps[0][1] if hasattr(model, "steps") else model
        # Rows without text are not encoded a second time.
        if isinstance(first, TablePreprocessor) and any(
            encoding.kind == "text" for encoding in first.encodings_
        ):
            self._preprocessor = first

    def add(self, table: Any, start: int) -> None:
        """Count rows.

        Parameters
        ----------
        table : table or ndarray of shape (n_rows, n_columns)
            The columns that the model was fitted on.
        start : int
            How many rows were before these.
        """
        import pandas as pd

        if self._preprocessor is None:
            return
        encoded, place = self._preprocessor.transform(table), 0
        for number, encoding in enumerate(self._preprocessor.encodings_):
            stop = place + len(encoding.names(encoding.name))
            unknown = ~encoded[:, place:stop].any(axis=1)
            place = stop
            if encoding.kind != "text" or not unknown.any():
                continue
            name, row = encoding.name, int(unknown.argmax())
            value = pd.DataFrame(table).iloc[row, number]
            self._firsts.setdefault(name, (start + row, value))
            self.counts[name] = self.counts.get(name, 0) + int(unknown.sum())

    def warn(self) -> None:
        """Warn of those that were counted, if the preprocessor did not speak itself."""
        if self._preprocessor is None or self._preprocessor.unseen != "ignore":
            return
        for name, count in self.counts.items():
            _warn_of_unseen(name, count, *self._firsts[name])


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
