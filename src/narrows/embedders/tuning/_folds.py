"""Parts of the rows that are held out in turn."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import GroupKFold, KFold

from narrows._checks import is_whole, refusal

Folds = list[tuple[np.ndarray, np.ndarray]]  # numbers of training and of held-out rows


def folds_of(owner: Any, X: np.ndarray, cv: Any, groups: Any, seed: int) -> Folds:
    """Return the folds; rows of one group, and rows that repeat others, stay in one of them.

    Shapes: `X` (n_rows, n_columns), `groups` (n_rows,).
    """
    if not is_whole(cv):
        return _given(owner, X, cv, groups)
    if cv < 2:
        raise refusal(owner, "cv", "be an int of at least 2, a splitter or pairs", repr(cv))
    together = _together(owner, X, groups)
    count = len(np.unique(together))
    if count < cv:
        raise refusal(
            owner, "cv", f"be at most {count}, the number of rows (or groups) that differ",
            repr(cv), "Give more rows or fewer folds.",
        )  # fmt: skip
    kind = KFold if count == len(X) else GroupKFold
    splitter = kind(int(cv), shuffle=True, random_state=seed)
    return list(splitter.split(X, groups=together if kind is GroupKFold else None))


def _given(owner: Any, X: np.ndarray, cv: Any, groups: Any) -> Folds:
    """Return what a splitter, or a sequence of pairs, says."""
    pairs = cv.split(X, None, groups) if hasattr(cv, "split") else cv
    if not hasattr(cv, "split") and not isinstance(cv, Sequence):
        raise refusal(owner, "cv", "be an int of at least 2, a splitter or pairs", repr(cv))
    found = [(np.asarray(train), np.asarray(test)) for train, test in pairs]
    if len(found) < 2 or not all(len(train) and len(test) for train, test in found):
        raise refusal(
            owner, "cv", "give at least two pairs of training and held-out rows, none empty",
            f"{len(found)} pairs",
        )  # fmt: skip
    return found


def _together(owner: Any, X: np.ndarray, groups: Any) -> np.ndarray:
    """Number what must stay together: equal rows, and rows of one group.

    Shapes: `X` (n_rows, n_columns), (n_rows,) returned.
    """
    flat = np.ascontiguousarray(X.reshape(len(X), -1))
    equal = np.unique(flat, axis=0, return_inverse=True)[1].ravel()
    if groups is None:
        return equal
    groups = np.asarray(groups)
    if groups.shape != (len(X),):
        raise refusal(
            owner, "groups", f"have one entry for each of {len(X)} rows", f"shape {groups.shape}"
        )
    codes = np.unique(groups, return_inverse=True)[1].ravel()
    # Rows are linked by what they share: a graph of rows' values on one side, groups on the other.
    size = equal.max() + 1
    edges = coo_array(
        (np.ones(len(X), bool), (equal, size + codes)), shape=[size + codes.max() + 1] * 2
    )
    return connected_components(edges, directed=False)[1][equal]
