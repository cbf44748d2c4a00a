"""A comparison's ``resampling`` argument: an object, a text, a splitter or pairs of rows."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from narrows.comparison._groups import check_apart
from narrows.comparison._resamples import Resamples
from narrows.comparison._resampling import check_folds, own_resamples, parse_resampling

DEFAULT = "5x5"


def resamples_for(
    resampling: Any,
    y: Any,
    kind: str,
    n_rows: int,
    codes: np.ndarray | None,
    seed: int,
    caller: str,
) -> Resamples:
    """Return the resamples that an argument stands for, checked.

    Parameters
    ----------
    resampling : Resamples, str, splitter, iterable of pairs, or None
    y : array-like of shape (n_rows,)
        Labels, checked already.
    kind : {"classes", "numbers"}
        What they are.
    n_rows : int
    codes : int ndarray of shape (n_rows,), or None
        The rows' groups.
    seed : int
        Of what is drawn from a text.
    caller : str
        Name of the public function, for its messages.

    Raises
    ------
    ValueError
        If it is none of these, is of another number of rows, cannot be drawn, or has a group in
        both parts of a pair.
    """
    if resampling is None or isinstance(resampling, str):
        text = DEFAULT if resampling is None else resampling
        check_folds(text, y, caller, kind, codes)
        return parse_resampling(text, y, random_state=seed, task=kind, groups=codes)
    found = _given(resampling, y, n_rows, codes, caller)
    if found.n_rows != n_rows:
        raise ValueError(
            f"The 'resampling' parameter of {caller} must be drawn from a table of {n_rows} "
            f"rows, as 'X' has. Got resamples of {found.n_rows} rows instead."
        )
    if codes is not None:
        check_apart(found, codes, caller)
    return found


def _given(
    resampling: Any, y: Any, n_rows: int, codes: np.ndarray | None, caller: str
) -> Resamples:
    if isinstance(resampling, Resamples):
        return resampling
    if hasattr(resampling, "split"):
        pairs = tuple(resampling.split(np.zeros((n_rows, 1)), np.asarray(y), codes))
        name = type(resampling).__name__
        return Resamples("own", pairs, n_rows, f"{len(pairs)} resamples of {name}")
    if isinstance(resampling, Iterable):
        listed = list(resampling)
        if all(isinstance(pair, tuple | list) and len(pair) == 2 for pair in listed):
            return own_resamples([(pair[0], pair[1]) for pair in listed], n_rows)
    raise ValueError(
        f"The 'resampling' parameter of {caller} must be a text such as '5x5' or 'bootstrap:25', "
        "Resamples, a scikit-learn splitter such as TimeSeriesSplit(), or pairs of training and "
        f"test rows. Got {_short(resampling)} instead."
    )


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{type(value).__name__} {text[:60]}…"
