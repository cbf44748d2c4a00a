"""Which columns float32, in which networks compute, is too coarse for."""

from collections.abc import Sequence

import numpy as np

from narrows._checks import listed

STEPS = 1_000  # between a column's least and largest value; with fewer it is coarse


def coarse(values: np.ndarray) -> np.ndarray:
    """Return which columns vary by less than `STEPS` of float32's steps at their largest value.

    Shapes: `values` (n_rows, ...), (...) returned.
    """
    if values.dtype.kind not in "fiu" or not len(values):
        return np.zeros(values.shape[1:], bool)
    low, high = (end.astype(np.float64) for end in (values.min(axis=0), values.max(axis=0)))
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        step = np.spacing(np.maximum(np.abs(low), np.abs(high)).astype(np.float32))
        spread = high - low
        return (spread > 0) & (spread < STEPS * step.astype(np.float64))


def coarse_message(owner: str, names: Sequence[str], then: str) -> str:
    """Return a sentence on coarse columns that says what is done about them, or can be."""
    several = len(names) > 1
    return (
        f"{owner} computes in float32, which tells fewer than {STEPS:,} values apart in the range "
        f"of {'columns' if several else 'column'} {listed(names)}: "
        f"{'they vary' if several else 'it varies'} little around a large number. {then}"
    )


def shift_of(rows: np.ndarray) -> np.ndarray:
    """Return the means of columns that float32 is too coarse for, 0 for all others.

    Shapes: `rows` (n_rows, n_columns), (n_columns,) returned.
    """
    shift, places = np.zeros(rows.shape[1:]), coarse(rows)
    shift[places] = rows[:, places].mean(axis=0, dtype=np.float64)
    return shift


def shifted(parts: Sequence[np.ndarray], shift: np.ndarray) -> list[np.ndarray]:
    """Return parts less a shift; where there is none, not even the sign of a zero changes."""
    return [part - shift for part in parts] if shift.any() else list(parts)
