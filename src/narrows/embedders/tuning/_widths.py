"""How wide: the widths asked for, their held-out errors beside PCA's, and which is enough."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from narrows._checks import check_integer, fail, is_whole, refusal
from narrows.embedders.tuning._choice import within
from narrows.quality import IntrinsicDimension, intrinsic_dimension

COLUMNS = (
    "bottleneck", "error", "low", "high", "pca_error", "pca_low", "pca_high", "ratio",
    "cell_error", "steps", "chosen",
)  # fmt: skip
_COVERAGE = 0.95
_NOTHING = 1e-10  # of the largest variance along an axis: what a smaller one is, is rounding
_MOST_ROWS = 10_000  # to estimate the intrinsic dimension from


def widths_of(owner: Any) -> list[int] | None:
    """Return the widths asked for in ascending order; None of a number."""
    value = owner.bottleneck
    return sorted({int(width) for width in value}) if _several(value) else None


def _several(value: Any) -> bool:
    return isinstance(value, list | tuple | range) or (
        isinstance(value, np.ndarray) and value.ndim == 1
    )


def check_widths_asked(owner: Any) -> None:
    """Raise unless `bottleneck` is a width, or several of networks that can have any width."""
    value = owner.bottleneck
    if not _several(value):
        if not is_whole(value) or value < 1:
            wanted = "an int in the range [1, inf), or a sequence of such ints"
            fail(owner, "bottleneck", wanted, value)
        return
    if not len(value):
        fail(owner, "bottleneck", "a sequence of at least one width", value)
    for width in value:
        check_integer(owner, "bottleneck", width, least=1)
    if isinstance(owner.param_distributions, Mapping) and "bottleneck" in owner.param_distributions:
        raise refusal(
            owner, "param_distributions", "leave out 'bottleneck' beside several widths",
            "it in both", "Give the widths as bottleneck only.",
        )  # fmt: skip
    check_encoder(owner, owner.encoder)


def check_encoder(owner: Any, encoder: Any) -> None:
    """Raise for an encoder that has one width of its own."""
    if callable(encoder):
        raise refusal(
            owner, "encoder", "be widths of layers where several widths are compared",
            repr(encoder), "A function or model ends in one width: give one as bottleneck.",
        )  # fmt: skip


def spanned(X: np.ndarray) -> int:
    """Return how many dimensions the columns span: below it, a width compresses.

    Columns that are constant, or follow from others in a straight line, add none. Where rows are
    so few that they are what limits it, all columns that vary count.

    Shapes: `X` (n_rows, n_columns).
    """
    flat = X.reshape(len(X), -1).astype(np.float64)
    flat -= flat.mean(axis=0)
    deviations = flat.std(axis=0)
    flat = flat[:, deviations > 0] / deviations[deviations > 0]
    if not flat.shape[1]:
        return 0
    along = np.linalg.eigvalsh(flat.T @ flat)
    rank = int((along > _NOTHING * along[-1]).sum())
    return flat.shape[1] if rank >= len(X) - 1 else rank


def widths_for(owner: Any, dimensions: int, n_columns: int) -> tuple[list[int], str]:
    """Return the widths that compress, and a sentence on the others; empty if there are none."""
    widths = widths_of(owner) or []
    kept = [width for width in widths if width < dimensions]
    held = f"{n_columns} column" + "s" * (n_columns != 1)
    if dimensions < n_columns:
        held += f", which span {dimensions} dimension" + "s" * (dimensions != 1)
    if not kept:
        got = f"{', '.join(map(str, widths))} for {held}"
        raise refusal(
            owner, "bottleneck", f"have a width below {dimensions}, as others compress nothing",
            got, "Give smaller widths or more columns.",
        )  # fmt: skip
    if len(kept) == len(widths):
        return kept, ""
    rest = ", ".join(map(str, widths[len(kept) :]))
    return kept, (
        f"{type(owner).__name__} leaves out the width{'s' * (len(widths) > len(kept) + 1)} {rest}: "
        f"there are {held}, and what is as wide compresses nothing. Give widths below {dimensions}."
    )


@dataclass(frozen=True)
class Width:
    """What cross-validation found of one width.

    Attributes
    ----------
    bottleneck : int
    errors, pca : float ndarray of shape (folds,)
        Held-out errors of what is chosen for this width, and PCA's.
    steps : int
        Made on a fold's training rows; 0 where PCA is kept.
    """

    bottleneck: int
    errors: np.ndarray
    pca: np.ndarray
    steps: int


def cell_errors(errors: np.ndarray, bottleneck: int, dimensions: int) -> np.ndarray:
    """Return what the errors would be of cells that the encoder has not seen.

    The encoder sees the row that it codes, so that w codes take w of its d dimensions along, be
    there noise in them or not: the error falls with every width, up to 0 at d. Generalised
    cross-validation (Golub, Heath and Wahba 1979, formula 1.4; for PCA Josse and Husson 2012)
    puts that right. Leaving a cell out would multiply its difference by 1 / (1 − h), where its
    leverage h is w / d on average::

        error / (1 − w / d)²

    Shapes: `errors` (folds,), as what is returned; NaN where w is not below d.
    """
    left = 1 - bottleneck / dimensions if dimensions else 0.0
    return errors / left**2 if left > 0 else np.full_like(errors, np.nan)


def choose_width(cells: np.ndarray, shares: np.ndarray) -> int:
    """Return the place of the smallest width within a standard error of the best.

    The standard error is that of the mean of the differences, which are paired by fold.

    Shapes: `cells` (widths, folds) in ascending order of the widths, not finite where it is not
    to be taken; `shares` (folds,), of the held-out rows.
    """
    means = cells @ shares
    best = int(np.where(np.isfinite(means), means, np.inf).argmin())
    return next(place for place in range(best + 1) if within(cells[place], cells[best], shares))


def widths_frame(
    widths: Sequence[Width], chosen: int, shares: np.ndarray, dimensions: int
) -> pd.DataFrame:
    """Return a row for each width, with intervals of the mean errors over the folds."""
    rows = []
    for place, one in enumerate(widths):
        error, low, high = _interval(one.errors, shares)
        pca, pca_low, pca_high = _interval(one.pca, shares)
        rows.append(
            (
                one.bottleneck, error, low, high, pca, pca_low, pca_high,
                error / pca if pca else np.nan,
                cell_errors(np.array([error]), one.bottleneck, dimensions)[0],
                one.steps, place == chosen,
            )
        )  # fmt: skip
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _interval(errors: np.ndarray, shares: np.ndarray) -> tuple[float, float, float]:
    """Return mean, low and high of Student's t on the folds' errors; shape (folds,)."""
    mean = float(errors @ shares)
    folds = len(errors)
    away = special.stdtrit(folds - 1, (1 + _COVERAGE) / 2) * errors.std(ddof=1) / np.sqrt(folds)
    return mean, mean - away, mean + away


def dimension_of(X: np.ndarray, seed: int) -> IntrinsicDimension | None:
    """Return the rows' intrinsic dimension, of 10,000 at most; None where there is none to find."""
    if len(X) > _MOST_ROWS:
        rows = np.random.default_rng(seed).choice(len(X), _MOST_ROWS, replace=False)
        X = X[np.sort(rows)]
    try:
        return intrinsic_dimension(X)
    except ValueError:
        return None


def to_arrays(widths: pd.DataFrame, dimension: IntrinsicDimension | None) -> dict[str, np.ndarray]:
    """Return both as a file holds them."""
    arrays = {f"widths/{name}": widths[name].to_numpy() for name in COLUMNS}
    if dimension is not None:
        arrays["intrinsic_dimension"] = np.array(
            [float(value) for value in vars(dimension).values()]
        )
    return arrays


def from_arrays(arrays: Mapping[str, np.ndarray]) -> tuple[pd.DataFrame, IntrinsicDimension | None]:
    """Return what `to_arrays` was given; raise ValueError if it is not that."""
    arrays = dict(arrays)
    numbers = arrays.pop("intrinsic_dimension", None)
    lengths = {len(values) for values in arrays.values()}
    if set(arrays) != {f"widths/{name}" for name in COLUMNS} or len(lengths) != 1:
        raise ValueError(f"its table of widths must have {list(COLUMNS)}")
    frame = pd.DataFrame({name: arrays[f"widths/{name}"] for name in COLUMNS})
    if numbers is None:
        return frame, None
    if numbers.shape != (5,):
        raise ValueError("its intrinsic dimension must be five numbers")
    dimension, low, high, confidence, n_rows = numbers.tolist()
    return frame, IntrinsicDimension(dimension, low, high, confidence, int(n_rows))
