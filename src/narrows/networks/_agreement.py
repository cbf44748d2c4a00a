"""Whether two networks compute the same: on rows that are made up, to a stated tolerance."""

from collections.abc import Sequence

import numpy as np

from narrows._keras import keras

TOLERANCE = 1e-3  # of the largest number; float32 kernels differ by a hundredth of it


def made_up_rows(row_shape: Sequence[int], count: int = 3) -> np.ndarray:
    """Return rows between -1 and 1 that are the same on every machine, float32.

    Shapes: (count, *row_shape) returned.
    """
    shape = (count, *(int(length) for length in row_shape))
    place = np.arange(1, 1 + int(np.prod(shape)), dtype=np.float64)
    return np.sin(place * place + place).astype(np.float32).reshape(shape)


def computes_as(model: keras.Model, other: keras.Model) -> bool:
    """Whether two models of one input give the same for made-up rows."""
    rows = made_up_rows(model.input.shape[1:]).astype(model.input.dtype)
    wanted, found = (
        [np.asarray(keras.ops.convert_to_tensor(value), np.float64) for value in outputs]
        for outputs in (keras.tree.flatten(one(rows, training=False)) for one in (model, other))
    )
    return len(wanted) == len(found) and all(map(close, found, wanted))


def close(found: np.ndarray, wanted: np.ndarray, tolerance: float = TOLERANCE) -> bool:
    """Whether two arrays agree to a share of the largest number in the second, or of 1."""
    return apart(found, wanted) <= tolerance * max(1.0, size(wanted))


def size(values: np.ndarray) -> float:
    """Return the largest finite number, without its sign; 0 if there is none."""
    return float(np.max(np.abs(values[np.isfinite(values)]), initial=0.0))


def apart(found: np.ndarray, wanted: np.ndarray) -> float:
    """Return the largest difference; infinity where one is a number and the other is not."""
    if found.shape != wanted.shape:
        return float("inf")
    with np.errstate(invalid="ignore"):
        difference = np.abs(found - wanted)
    same = (found == wanted) | (np.isnan(found) & np.isnan(wanted))
    return float(np.max(np.where(same, 0.0, np.nan_to_num(difference, nan=np.inf)), initial=0.0))
