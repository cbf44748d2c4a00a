"""Reading Parquet and Arrow some rows at a time."""

import os
from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from narrows._checks import listed
from narrows._files import at_home
from narrows.data import arrow_names, as_pandas, opened_arrow

_CELLS = 8_000_000  # of a batch, 64 MB as doubles
_MOST_ROWS, _FEWEST_ROWS = 100_000, 1_000


class TableBatches:
    """The rows of a Parquet or Arrow file, some at a time and in their order.

    Parameters
    ----------
    path : path-like
        ``.parquet``, ``.arrow``, ``.feather`` or ``.ipc``. Columns of text files have no types that
        hold before the last row is read: `narrows.read_table` reads those, whole.
    rows : int, optional
        Of a batch, the last of which may have fewer. By default 100,000, or fewer of wide tables.

    Attributes
    ----------
    names : list of str
        The file's columns, those of an index that has names first.
    n_rows : int or None
        Rows of a Parquet file; Arrow files do not say how many they have.

    Raises
    ------
    FileNotFoundError, ValueError, ImportError
        As `narrows.read_table` does.

    Examples
    --------
    >>> import tempfile, pathlib, pandas as pd, narrows
    >>> from narrows.scale import TableBatches, TableWriter
    >>> pca = narrows.PCA(2).fit(narrows.datasets.iris().drop(columns="Species"))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     source, target = pathlib.Path(folder, "x.parquet"), pathlib.Path(folder, "z.parquet")
    ...     narrows.datasets.iris().to_parquet(source)
    ...     with TableWriter(target) as writer:
    ...         for batch in TableBatches(source, rows=60).read(pca.feature_names_in_):
    ...             writer.write(pd.DataFrame(pca.transform(batch), columns=["z0", "z1"]))
    ...     len(narrows.read_table(target))
    150
    """

    def __init__(self, path: str | os.PathLike, *, rows: int | None = None):
        self.path = at_home(path)
        if rows is not None and rows < 1:
            raise ValueError(f"rows must be 1 or more. Got {rows} instead.")
        with opened_arrow(self.path) as file:
            self.names = arrow_names(self.path, file.schema)
            self.n_rows = file.n_rows
        self.rows = rows

    def read(
        self, columns: Sequence[str] | None = None, *, exact: Sequence[str] = ()
    ) -> Iterator[pd.DataFrame]:
        """Yield the batches.

        Parameters
        ----------
        columns : sequence of str, optional
            Others are not read from the disk.
        exact : sequence of str
            Those among them whose whole numbers and booleans keep Arrow's types. In others,
            batches with gaps have floats and objects, as pandas makes of them.

        Yields
        ------
        pandas.DataFrame
            Its index counts the rows of the file, from 0.

        Raises
        ------
        ValueError
            If the file has no such column, or no rows.
        """
        wanted = self.names if columns is None else list(columns)
        missing = [name for name in wanted if name not in self.names]
        if missing:
            raise ValueError(
                f"columns must be of {str(self.path)!r}. Got {listed(missing)} instead. It has "
                f"{listed(self.names)}."
            )
        start = 0
        with opened_arrow(self.path, mapped=True) as file:
            for table in _of_size(file.batches(wanted), self._size(len(wanted))):
                frame = as_pandas(self.path, table, exact)[wanted].copy()  # no view of the file
                frame.index = pd.RangeIndex(start, start + len(frame))
                start += len(frame)
                yield frame
        if start == 0:
            raise ValueError(
                f"{str(self.path)!r} must have rows. Got the columns {listed(self.names)} without "
                "any."
            )

    def _size(self, n_columns: int) -> int:
        fitting = _CELLS // max(n_columns, 1)
        return self.rows or max(_FEWEST_ROWS, min(_MOST_ROWS, fitting))


def _of_size(batches: Iterator[Any], rows: int) -> Iterator[Any]:
    """Cut and join record batches to tables of `rows` rows, the last one of fewer."""
    import pyarrow

    kept: list[Any] = []
    count = 0
    for batch in batches:
        while len(batch):
            part = batch.slice(0, rows - count)
            batch = batch.slice(len(part))
            kept.append(part)
            count += len(part)
            if count == rows:
                yield pyarrow.Table.from_batches(kept)
                kept, count = [], 0
    if kept:
        yield pyarrow.Table.from_batches(kept)
