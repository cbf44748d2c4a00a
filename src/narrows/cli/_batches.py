"""Tables that a fitted model is used on: text at once, Parquet and Arrow some rows at a time."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from narrows._progress import progress_bar
from narrows.cli import _tables
from narrows.cli._errors import BadInputError, bad_input
from narrows.cli._options import shows_progress

if TYPE_CHECKING:
    import pandas as pd

    from narrows.data import Form


class Source:
    """A table's column names, and its rows.

    Parameters
    ----------
    path : Path
    form : Form
        How it is written, if it is text.
    model : fitted embedder or Pipeline
        What the rows are for.
    """

    def __init__(self, path: Path, form: "Form", model: Any):
        from narrows.data import ARROW, PARQUET

        self.path, self.form = path, form
        self._batches: Any = None
        # Forms of text that are given for others are for read_table to refuse.
        if path.suffix.lower() in PARQUET | ARROW and not form.given():
            from narrows.scale import TableBatches

            with bad_input(path):
                self._batches = TableBatches(path)
                self.names = self._batches.names
        else:
            known = _tables.names_in(path, form)
            unread = _tables.unneeded(model, known)
            self._whole = _tables.read_for(model, path, form, drop=unread)
            self.names = known or list(self._whole.columns)

    def pieces(
        self, learned: Sequence[str], kept: Sequence[str] = ()
    ) -> "Iterator[tuple[pd.DataFrame, pd.DataFrame]]":
        """Yield rows for the model, and columns of the same rows to be taken over."""
        if self._batches is None:
            beside = _tables.as_read(self.path, self._whole, kept, self.form)
            yield self._whole[list(learned)], beside
            return
        wanted = list(dict.fromkeys([*learned, *kept]))
        for rows in self._batches.read(wanted, exact=kept):
            yield rows[list(learned)], rows[list(kept)]

    @contextlib.contextmanager
    def progress(self, quiet: bool) -> Iterator[Callable[[int], object]]:
        """Show how many of the rows are done, if they come in pieces; yield what counts them."""
        if self._batches is None or not shows_progress(quiet):
            yield lambda rows: None
            return
        done = 0
        with progress_bar("", "rows", self._batches.n_rows) as show:

            def count(rows: int) -> None:
                nonlocal done
                done += rows
                show(done, self._batches.n_rows)

            yield count


@contextlib.contextmanager
def counted_from(rows: "pd.DataFrame") -> Iterator[None]:
    """Say in errors of the block, which count the rows they get, where these begin."""
    try:
        yield
    except ValueError as error:
        if not rows.index[0]:
            raise
        said = " ".join(str(error).split())
        raise BadInputError(
            f"In the rows from row {rows.index[0]} on, which is row 0 here: {said}"
        ) from error
