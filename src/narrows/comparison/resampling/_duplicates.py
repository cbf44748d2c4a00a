"""Rows that repeat others: where training and test rows share them, scores are too good."""

import numpy as np
import pandas as pd

from narrows.data import DataTable, as_numpy_takes

_SHARE = 0.05
_FINE = 0.5  # share of different rows that differ in one column alone


def repeats_across(table: DataTable, codes: np.ndarray | None) -> list[str]:
    """Return what is to be warned of: many rows that repeat rows outside their group.

    Shapes: `table` (n_rows, n_columns), `codes` (n_rows,).
    """
    frame = _as_pandas(table)
    try:
        rows = pd.util.hash_pandas_object(frame, index=False).to_numpy()
    except TypeError:  # of lists and the like, which the preprocessing refuses by name
        return []
    # Equal rows of one group count once: only those of others can be on the other side.
    apart = pd.DataFrame({"row": rows, "group": np.arange(len(rows)) if codes is None else codes})
    count = int(apart.drop_duplicates()["row"].duplicated().sum())
    if count < _SHARE * len(rows):
        return []
    distinct = frame[~pd.Series(rows).duplicated().to_numpy()]
    if max(distinct[name].nunique() for name in frame) < _FINE * len(distinct):
        return []
    whole = "" if codes is None else " of other groups"
    said = (
        f"{count} of {len(rows)} rows repeat other rows{whole} in all columns. If they are copies, "
        "or belong together, training and test rows share them, and every score is too good: drop "
        "them, or say with groups which belong together (--groups on the command line)."
    )
    return [said]


def _as_pandas(table: DataTable) -> pd.DataFrame:
    """Return a table with numbered columns, without Arrow, which need not be installed."""
    native = table.native
    if isinstance(native, np.ndarray | pd.DataFrame):
        return pd.DataFrame(native).set_axis(range(native.shape[1]), axis=1)
    columns = [as_numpy_takes(table.frame[name]) for name in table.frame.columns]
    return pd.DataFrame(
        {k: c if isinstance(c, list) else c.to_numpy() for k, c in enumerate(columns)}
    )
