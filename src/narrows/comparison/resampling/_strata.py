"""Strata: the groups of rows that every training and test part gets its share of."""

from typing import Any

import numpy as np

from narrows._checks import refusal
from narrows.data import REGRESSION, labels_of

_MOST_GROUPS = 4


def strata_of(
    y: Any,
    least: int,
    caller: str,
    purpose: str,
    task: str | None = None,
    advice: str = "Join or leave out small classes, or give stratify=False.",
    **settings: str,
) -> np.ndarray:
    """Return the stratum of each row.

    Shapes: `y` (n_rows,), (n_rows,) returned.
    """
    labels = labels_of(y, len(y), caller, task)
    if labels.task == REGRESSION:
        return _quantile_groups(labels.values, least)
    codes, names = labels.values, labels.classes
    counts = np.bincount(codes)
    short = [number for number in np.argsort(counts, kind="stable") if counts[number] < least]
    if short:
        found = [f"{counts[number]} of class {names[number]!r}" for number in short[:3]]
        found += [f"{len(short) - 3} more"] if len(short) > 3 else []
        raise refusal(
            caller,
            "y",
            f"have at least {least} rows of every class, {purpose}",
            f"{', '.join(found)}",
            advice,
            **settings,
        )
    return codes


def _quantile_groups(values: np.ndarray, least: int) -> np.ndarray:
    for groups in range(_MOST_GROUPS, 1, -1):
        inner = np.unique(np.quantile(values, np.linspace(0, 1, groups + 1)[1:-1]))
        found = np.searchsorted(inner, values, side="left")
        if np.bincount(found).min() >= least:
            return found
    return np.zeros(len(values), dtype=int)
