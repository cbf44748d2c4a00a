"""One split into training and test rows, stratified as R's ``caret::createDataPartition``."""

import math
import numbers
import warnings
from typing import Any

import numpy as np
import pandas as pd

from narrows._checks import check_integer, refusal
from narrows.data._containers import as_numpy_takes
from narrows.data._from_r import with_gaps

MAX_CLASS_CODES = 20


def partition(
    y: Any,
    train: float = 0.8,
    random_state: int | np.random.RandomState | None = None,
    quantile_groups: int = 5,
) -> tuple[np.ndarray, np.ndarray]:
    """Split rows into training and test rows, stratified by the labels.

    From every class, ``ceil(train * class size)`` rows are drawn without replacement, as R's
    ``caret::createDataPartition`` does; a class with one row goes into training.

    Parameters
    ----------
    y : array-like of shape (n_rows,)
        Labels. Strings, categories, booleans and dates are classes. Floats are numbers and
        are grouped by their quantiles. Integers are class codes when they have at most 20
        distinct values and on average at least two rows per value, otherwise numbers. To
        decide it yourself, pass class codes as strings or as a categorical, and numbers as
        floats.
    train : float, default=0.8
        Share of rows to train on, above 0 and below 1.
    random_state : int, RandomState instance or None, default=None
        Seed of the draw; an int gives the same split every time.
    quantile_groups : int, default=5
        For numbers, how many quantiles to cut at, minimum and maximum included, as in caret:
        5 gives four groups of about equal size. At most the number of rows is used, and equal
        quantiles count once.

    Returns
    -------
    train_rows : ndarray of shape (n_train,)
        Row numbers from 0, sorted.
    test_rows : ndarray of shape (n_test,)
        The other row numbers, sorted.

    Raises
    ------
    ValueError
        If `y` is not one-dimensional, has fewer than two rows, or has missing or infinite
        labels; if `train` or `quantile_groups` is out of range.

    Warns
    -----
    UserWarning
        If a class has a single row, or if rounding up leaves no row to test on.

    Notes
    -----
    The rows drawn for a seed are not those that R would draw: the generators differ.
    Levels of a categorical without rows are ignored.

    References
    ----------
    Kuhn, M. (2008). Building predictive models in R using the caret package. Journal of
    Statistical Software 28(5). https://doi.org/10.18637/jss.v028.i05

    Examples
    --------
    >>> import narrows
    >>> table = narrows.datasets.iris()
    >>> train_rows, test_rows = narrows.partition(table["Species"], random_state=0)
    >>> len(train_rows), len(test_rows)
    (120, 30)
    """
    from sklearn.utils import check_random_state

    _check_share(train)
    check_integer("partition", "quantile_groups", quantile_groups, least=2)
    labels = _as_labels(y)
    if _is_numeric(labels):
        strata = _quantile_groups(labels.to_numpy(dtype=float), min(quantile_groups, len(labels)))
    else:
        strata = _classes(labels)

    rng = check_random_state(random_state)
    in_training = np.zeros(len(labels), dtype=bool)
    for stratum in range(strata.max() + 1):
        rows = np.flatnonzero(strata == stratum)
        in_training[rng.permutation(rows)[: math.ceil(len(rows) * train)]] = True

    if in_training.all():
        warnings.warn(
            f"partition left no test rows: {train:g} of every class, rounded up, is all of its "
            "rows. Give a smaller 'train' or join small classes.",
            UserWarning,
            stacklevel=2,
        )
    return np.flatnonzero(in_training), np.flatnonzero(~in_training)


def _check_share(train: float) -> None:
    if not (isinstance(train, numbers.Real) and 0 < train < 1):
        raise refusal(
            "partition",
            "train",
            "be a number above 0 and below 1, the share of rows to train on",
            repr(train),
        )


def _as_labels(y: Any) -> pd.Series:
    y = as_numpy_takes(y)
    shape = tuple(y.shape) if hasattr(y, "shape") else np.asarray(y, dtype=object).shape
    if len(shape) != 1:
        hint = "Use y.ravel() or choose one column." if len(shape) == 2 else ""
        raise refusal(
            "partition", "y", "be one-dimensional, one label a row", f"shape {shape}", hint
        )
    if shape[0] < 2:
        raise refusal("partition", "y", "have at least two rows to split", f"{shape[0]}")
    # pandas sees a missing value in a list of strings, numpy would turn it into text.
    labels = pd.Series(y if isinstance(y, list | tuple) else _as_pandas(y)).reset_index(drop=True)
    labels = with_gaps(labels.infer_objects())
    _check_complete(labels)
    return labels


def _as_pandas(y: Any) -> Any:
    pandas_types = pd.Series | pd.Index | pd.api.extensions.ExtensionArray
    return y if isinstance(y, pandas_types) else np.asarray(y)


def _check_complete(labels: pd.Series) -> None:
    missing = labels.isna().to_numpy()
    if pd.api.types.is_float_dtype(labels.dtype):
        missing = missing | np.isinf(labels.to_numpy(dtype=float, na_value=np.nan))
    if missing.any():
        raise refusal(
            "partition",
            "y",
            "have a label in every row",
            f"{missing.sum()} missing or infinite, the first in row {missing.argmax()} "
            "(counted from 0)",
            "Remove those rows or fill in their labels.",
        )


def _is_numeric(labels: pd.Series) -> bool:
    if pd.api.types.is_float_dtype(labels.dtype):
        return True
    if not pd.api.types.is_integer_dtype(labels.dtype):
        return False
    distinct = labels.nunique()
    return distinct > MAX_CLASS_CODES or 2 * distinct > len(labels)


def _quantile_groups(values: np.ndarray, groups: int) -> np.ndarray:
    # R's cut(y, unique(quantile(y, ...)), include.lowest = TRUE): closed on the right, and the
    # minimum belongs to the first group. numpy's default quantile is R's default, type 7.
    breaks = np.unique(np.quantile(values, np.linspace(0, 1, groups)))
    return np.searchsorted(breaks[1:-1], values, side="left")


def _classes(labels: pd.Series) -> np.ndarray:
    codes, levels = pd.factorize(labels, sort=False)
    single = [str(levels[code]) for code in np.flatnonzero(np.bincount(codes) == 1)]
    if single:
        warnings.warn(
            f"Classes with a single row go into training and are never tested: "
            f"{', '.join(repr(name) for name in single)}.",
            UserWarning,
            stacklevel=3,
        )
    return codes


def thinned(codes: np.ndarray, most: int) -> np.ndarray:
    """Return some of the rows: all, or so many that each class keeps its share.

    Shapes: `codes` (n_rows,).
    """
    if len(codes) <= most:
        return np.arange(len(codes))
    rng = np.random.default_rng(0)
    share = most / len(codes)
    kept = []
    for level in np.unique(codes):
        rows = np.flatnonzero(codes == level)
        kept.append(rng.choice(rows, max(1, int(share * len(rows))), replace=False))
    return np.sort(np.concatenate(kept))
