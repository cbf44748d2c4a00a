"""Model files on the command line."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from narrows._files import no_such_file
from narrows.cli._errors import BadInputError, bad_input

if TYPE_CHECKING:
    import pandas as pd


def load_model(path: Path) -> Any:
    """Load what ``narrows fit`` or `narrows.save` wrote, set to return arrays."""
    check_there(path)
    from narrows.storage import load

    with bad_input(path):
        return load(path).set_output(transform="default")


def preprocessor_of(model: Any) -> Any:
    """Return the TablePreprocessor that a model begins with, or None."""
    from narrows.data import TablePreprocessor

    first = model.steps[0][1] if hasattr(model, "steps") else model
    return first if isinstance(first, TablePreprocessor) else None


def text_columns(model: Any) -> dict[str, set[Any]]:
    """Return those of a model's columns that were text when it was fitted, if they have names."""
    preprocessor = preprocessor_of(model)
    names = getattr(model, "feature_names_in_", None)
    if preprocessor is None or names is None:
        return {}
    pairs = zip(names, preprocessor.encodings_, strict=True)
    return {
        str(name): set(one.positions)
        for name, one in pairs
        if one.kind == "text" and any(isinstance(level, str) for level in one.levels)
    }


class Unseen:
    """Counts rows with what was not there in fit: text that becomes zeros, gaps that are filled.

    Parameters
    ----------
    model : fitted embedder or Pipeline

    Attributes
    ----------
    levels, gaps : dict of str to int
        The number of such rows by column; columns without any are left out.
    """

    def __init__(self, model: Any):
        self.levels: dict[str, int] = {}
        self.gaps: dict[str, int] = {}
        self._firsts: dict[str, tuple[int, Any]] = {}
        self._preprocessor = preprocessor_of(model)

    def add(self, table: Any, start: int) -> None:
        """Count rows.

        Shapes: `table` (n_rows, n_columns).
        """
        import pandas as pd

        if self._preprocessor is None:
            return
        rows, encodings = pd.DataFrame(table), self._preprocessor.encodings_
        if any(encoding.kind == "text" for encoding in encodings):
            self._add_levels(rows, start)
        for number, encoding in enumerate(encodings):
            # Gaps leave a trace where fit had some, and in text, where missing is a level.
            marked = encoding.kind == "text" or encoding.indicator
            if self._preprocessor.missing_indicator and not marked:
                self._count(self.gaps, encoding.name, rows, number, start)

    def _add_levels(self, rows: "pd.DataFrame", start: int) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # said when the model was used
            encoded, place = self._preprocessor.transform(rows), 0
        for number, encoding in enumerate(self._preprocessor.encodings_):
            stop = place + len(encoding.names(encoding.name))
            unknown = ~encoded[:, place:stop].any(axis=1)
            place = stop
            if encoding.kind == "text":
                self._count(self.levels, encoding.name, rows, number, start, unknown)

    def _count(
        self,
        counts: dict[str, int],
        name: str,
        rows: "pd.DataFrame",
        number: int,
        start: int,
        found: Any = None,
    ) -> None:
        column = rows.iloc[:, number]
        found = column.isna().to_numpy() if found is None else found
        if found.any():
            row = int(found.argmax())
            self._firsts.setdefault(name, (start + row, column.iloc[row]))
            counts[name] = counts.get(name, 0) + int(found.sum())

    def result(self) -> dict[str, dict[str, int]]:
        """Return the counts as ``--json`` prints them."""
        return {"unseen": self.levels, "filled": self.gaps}

    def warn(self) -> None:
        """Warn of those that were counted, but of levels if the preprocessor spoke itself."""
        spoke = self._preprocessor is not None and self._preprocessor.unseen != "ignore"
        if not spoke:
            for name, count in self.levels.items():
                _warn_of_level(name, count, *self._firsts[name])
        for name, count in self.gaps.items():
            _warn_of_gap(name, count, self._firsts[name][0])


def _warn_of_level(name: str, count: int, row: int, value: Any) -> None:
    import pandas as pd

    rows = f"{count} rows have" if count > 1 else "1 row has"
    shown = "a missing value" if pd.isna(value) else repr(value)
    warnings.warn(
        f"{rows} levels of {name!r} that were not there in fit, first {shown} in row {row} "
        "(counted from 0); they are encoded as zeros.",
        UserWarning,
        stacklevel=3,
    )


def _warn_of_gap(name: str, count: int, row: int) -> None:
    rows = f"{count} rows have" if count > 1 else "1 row has"
    warnings.warn(
        f"{rows} no value of {name!r}, which had no gaps in fit, first in row {row} (counted from "
        "0); what was usual in fit stands for it.",
        UserWarning,
        stacklevel=3,
    )


def check_there(path: Path) -> None:
    """Raise BadInputError, naming files that are called like it, if there is no such file."""
    if not path.exists():
        raise BadInputError(no_such_file(path))
