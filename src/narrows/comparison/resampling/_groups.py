"""Rows that belong together, such as one patient's: they train or test, never both."""

from typing import Any

import numpy as np
import pandas as pd

from narrows._checks import refusal
from narrows.comparison.resampling._resamples import Resamples
from narrows.data import CLASSIFICATION, series_of


def group_codes(groups: Any, n_rows: int, caller: str) -> np.ndarray:
    """Return the number of each row's group, from 0 in the order of their names.

    Shapes: `groups` (n_rows,), (n_rows,) returned.
    """
    if getattr(groups, "ndim", 1) != 1 or isinstance(groups, str) or not hasattr(groups, "__len__"):
        raise refusal(
            caller,
            "groups",
            "have one group for each row",
            f"{type(groups).__name__}",
            "Give one column.",
        )
    given = series_of(groups)
    if len(given) != n_rows:
        raise refusal(
            caller, "groups", f"have one group for each of {n_rows} rows", f"{len(given)}"
        )
    try:
        codes, names = pd.factorize(given, sort=True)
    except TypeError:  # of kinds that have no order
        codes, names = pd.factorize(given)
    if (codes < 0).any():
        raise refusal(
            caller,
            "groups",
            "be without gaps",
            f"{(codes < 0).sum()}, the first in row {(codes < 0).argmax()} (counted from 0)",
        )
    if len(names) < 2:
        raise refusal(
            caller, "groups", "have at least two groups", f"{str(names[0])!r} in all rows"
        )
    return codes


def labels_of_groups(series: pd.Series, task: str, codes: np.ndarray) -> Any:
    """Return what groups can be stratified by: their labels, if each has one class only.

    Shapes: `codes` (n_rows,), (n_groups,) returned.
    """
    by_group = series.groupby(codes, sort=True)
    pure = task == CLASSIFICATION and (by_group.nunique() == 1).all() and series.nunique() > 1
    return by_group.first() if pure else int(codes.max()) + 1


def spread(drawn: Resamples, codes: np.ndarray) -> Resamples:
    """Return the resamples of rows that resamples of groups stand for.

    Shapes: `codes` (n_rows,).
    """
    pairs = []
    for train, test in drawn:
        times = np.bincount(train, minlength=drawn.n_rows)[codes]
        pairs.append(
            (np.repeat(np.arange(len(codes)), times), np.flatnonzero(np.isin(codes, test)))
        )
    words = f"{drawn.describe()} of {drawn.n_rows} groups"
    return Resamples(drawn.kind, pairs, len(codes), words)


def check_apart(resamples: Resamples, codes: np.ndarray, caller: str) -> None:
    """Raise ValueError if a group is in both parts of a pair."""
    for number, (train, test) in enumerate(resamples):
        shared = np.intersect1d(codes[train], codes[test])
        if len(shared):
            row = int(test[np.isin(codes[test], shared)][0])
            raise refusal(
                caller,
                "resampling",
                "keep groups together",
                f"{len(shared)} in both parts of pair {number} (counted from 0), such as that "
                f"of row {row}",
                "Draw it from the groups, e.g. with '5x5'.",
            )
