"""How many entries of a row are below a limit, for many rows and limits at once."""

from itertools import pairwise

import numpy as np

# Shorter rows are searched together, for NumPy's calls would take longer than the work; longer
# rows one by one.
SHORT = 1000
# Sorting a row takes as long as going through it once for so many limits: a hundredth of its
# length, measured from 1000 to 10,000 entries.
LIMITS_PER_ENTRY = 0.01


def count_below(values: np.ndarray, rows: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """Count entries below limits.

    Shapes: `values` (n_rows, width), `rows` (n_limits,), `limits` (n_limits,), (n_limits,)
    returned.
    """
    if values.shape[1] < SHORT:
        return _together(np.sort(values, axis=1), rows, limits)
    ends = np.searchsorted(rows, np.arange(len(values) + 1)).tolist()
    found = np.empty(len(limits), dtype=np.intp)
    for row, (start, end) in enumerate(pairwise(ends)):
        found[start:end] = _in_one(values[row], limits[start:end])
    return found


def _in_one(values: np.ndarray, limits: np.ndarray) -> np.ndarray:
    if len(limits) <= LIMITS_PER_ENTRY * len(values):
        return np.array([np.count_nonzero(values < limit) for limit in limits], dtype=np.intp)
    return np.sort(values).searchsorted(limits)


def _together(ordered: np.ndarray, rows: np.ndarray, limits: np.ndarray) -> np.ndarray:
    # Bisection in all rows. The last entry of a row is infinite, hence never below: no search
    # leaves its row.
    width = ordered.shape[1]
    flat = ordered.ravel()
    start = rows * width
    low, high = start, start + width - 1
    for _ in range(width.bit_length()):
        middle = (low + high) >> 1
        below = flat[middle] < limits
        low = np.where(below, middle + 1, low)
        high = np.where(below, high, middle)
    return low - start
