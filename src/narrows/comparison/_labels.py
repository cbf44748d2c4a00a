"""Class labels at the door of a comparison."""

from typing import Any

import numpy as np
import pandas as pd


def check_labels(y: Any, n_rows: int, caller: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return class codes and class names.

    Parameters
    ----------
    y : array-like of shape (n_rows,)
        Class labels.
    n_rows : int
        How many there must be.
    caller : str
        Name of the public function, for its messages.

    Returns
    -------
    codes : int ndarray of shape (n_rows,)
        Class numbers from 0.
    names : tuple of str
        Class names by number: a categorical's order, otherwise sorted.

    Raises
    ------
    ValueError
        If labels are missing, do not match `n_rows`, or name one class only.
    """
    series = pd.Series(y)
    if len(series) != n_rows:
        raise ValueError(
            f"The 'y' parameter of {caller} must have a label for each of {n_rows} rows. "
            f"Got {len(series)} labels instead."
        )
    missing = series.isna().to_numpy()
    if missing.any():
        raise ValueError(
            f"The 'y' parameter of {caller} must have a label in every row. Got {missing.sum()} "
            f"missing, the first in row {missing.argmax()} (counted from 0), instead. "
            "Remove those rows or fill in their labels."
        )
    codes, levels = pd.factorize(series, sort=True)
    if len(levels) < 2:
        raise ValueError(
            f"The 'y' parameter of {caller} must have at least two classes. "
            f"Got {len(levels)}, {str(levels[0])!r} in all {n_rows} rows, instead."
        )
    return codes, tuple(str(level) for level in levels)
