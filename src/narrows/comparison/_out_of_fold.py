"""Each row's embedding from a fit that did not see its label."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.linalg import orthogonal_procrustes
from sklearn.base import clone

from narrows._checks import check_integer, is_whole, refusal
from narrows.comparison._arms import seed_parameters
from narrows.comparison._fit_arguments import FitArguments, fit_with, group_parameters, labels_for
from narrows.comparison.resampling._draw import own_resamples
from narrows.comparison.resampling._groups import group_codes
from narrows.comparison.resampling._resamples import Pair
from narrows.comparison.running._design import SeedSource
from narrows.comparison.running._preprocessing import dense
from narrows.data import CLASSIFICATION, series_of, table_of, task_of

_CALLER = "out_of_fold"


def out_of_fold(
    embedder: Any,
    X: Any,
    y: Any,
    *,
    cv: Any = 5,
    groups: Any = None,
    random_state: int | None = None,
) -> np.ndarray:
    """Return each row's embedding from a fit that did not see its label.

    What labels have taught is no evidence on the rows that taught it: the embedding of rows that
    a supervised embedder was fitted on shows classes apart even where labels are noise. Here the
    embedder is fitted once for each fold, on all other rows, and embeds that fold.

    Parameters
    ----------
    embedder : transformer
        Any scikit-learn transformer, or a pipeline that ends in one; it is cloned.
    X : table or array-like of shape (n_rows, n_columns)
        The rows. A table with text, dates or gaps is for a pipeline that takes it.
    y : array-like of shape (n_rows,) or None
        Labels, which the fits get as they are; a regressor of several targets, such as
        `sklearn.cross_decomposition.PLSRegression`, gets a column of zeros and ones for each
        class. None for none.
    cv : int, splitter or sequence of pairs, default=5
        Folds. With a number they are stratified by classes; every row must be held out once.
    groups : array-like of shape (n_rows,), default=None
        Rows of one group are in one fold. An embedder whose `fit` takes ``groups`` gets those of
        its rows.
    random_state : int, default=None
        Determines the folds, and every ``random_state`` of the embedder that is None: the same
        in all fits, which so share a start. None draws one.

    Returns
    -------
    float64 ndarray of shape (n_rows, width)

    Raises
    ------
    ValueError
        If `X`, `y` and `groups` differ in rows, folds cannot be made or do not hold every row
        out once, or fits differ in width.

    Notes
    -----
    Every fit has axes of its own. Each is turned and moved, not stretched, onto the first one's,
    by orthogonal Procrustes analysis (Schönemann 1966) of the rows that taught both: no row's
    place depends on where its own fold would be put best. With two folds there are no such rows
    and all are taken. Where fits differ by more than turns and mirrors, as t-SNE's do, folds
    stay apart from each other in the picture.

    References
    ----------
    Schönemann, P. H. (1966). A generalized solution of the orthogonal Procrustes problem.
    Psychometrika 31, 1-10. https://doi.org/10.1007/BF02289451

    Examples
    --------
    >>> import narrows
    >>> from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    >>> iris = narrows.datasets.iris()
    >>> lda = LinearDiscriminantAnalysis(n_components=2)
    >>> narrows.out_of_fold(
    ...     lda, iris.drop(columns="Species"), iris["Species"], random_state=0
    ... ).shape
    (150, 2)
    """
    check_integer(_CALLER, "random_state", random_state, least=0, optional=True)
    table = table_of(X, _CALLER)
    labels = None if y is None else _labels(y, len(table))
    together = None if groups is None else group_codes(groups, len(table), _CALLER)
    root = SeedSource(random_state)
    classes = labels is not None and task_of(labels, _CALLER) == CLASSIFICATION
    strata = labels if classes else None
    pairs = _pairs(cv, len(table), strata, labels, together, root.get("folds"))
    known = embedder.get_params() if hasattr(embedder, "get_params") else {}
    undecided = [name for name in seed_parameters(embedder) if known[name] is None]
    seeds = dict.fromkeys(undecided, root.get("embedder"))
    everything, found = table.native, []
    for train, _ in pairs:
        fit = clone(embedder)
        fit = fit.set_params(**seeds) if seeds else fit
        fit_with(fit, table.rows(train), _given(embedder, labels, together, train, classes))
        found.append(np.asarray(dense(fit.transform(everything)), dtype=np.float64))
    widths = sorted({Z.shape[1] for Z in found})
    if len(widths) > 1:
        raise ValueError(
            f"The fits of {_CALLER} must have one width. Got {' and '.join(map(str, widths))} "
            "instead, as what their rows have differs. Give the embedder a fixed width."
        )
    return joined(found, pairs)


def joined(embeddings: Sequence[np.ndarray], pairs: Sequence[Pair]) -> np.ndarray:
    """Turn and move the fits of all pairs onto the first one; keep each row's first held-out place.

    Shapes: each embedding (n_rows, width), (n_rows, width) returned; NaN for rows never held out.
    """
    first, taught = embeddings[0], np.isin(np.arange(len(embeddings[0])), pairs[0][0])
    found = np.full(first.shape, np.nan)
    for Z, (train, test) in zip(embeddings, pairs, strict=True):
        both = np.flatnonzero(taught & np.isin(np.arange(len(Z)), train))
        on = both if len(both) > first.shape[1] else np.arange(len(Z))
        free = test[np.isnan(found[test]).all(axis=1)]
        found[free] = _turned(Z[free], Z[on], first[on]) if Z is not first else Z[free]
    return found


def _turned(rows: np.ndarray, own: np.ndarray, onto: np.ndarray) -> np.ndarray:
    """Move rows as their fit's points `own` come closest to `onto` without being stretched.

    Shapes: all (n, width).
    """
    centre, target = own.mean(axis=0), onto.mean(axis=0)
    turn, _ = orthogonal_procrustes(own - centre, onto - target)
    return (rows - centre) @ turn + target


def first_tests(pairs: Iterable[Pair], n_rows: int) -> list[int]:
    """Return the numbers of the first pairs that hold out rows which none before did."""
    seen, found = np.zeros(n_rows, bool), []
    for number, (_, test) in enumerate(pairs):
        if not seen[test].all():
            found.append(number)
        seen[test] = True
    return found


def _labels(y: Any, n_rows: int) -> pd.Series:
    labels = series_of(y)
    if len(labels) != n_rows:
        raise refusal(
            _CALLER, "y", f"have a label for each of {n_rows} rows", f"{len(labels)} labels"
        )
    return labels


def _given(
    embedder: Any, labels: pd.Series | None, together: Any, train: np.ndarray, classes: bool
) -> FitArguments:
    own = None
    if labels is not None:
        own = labels_for(embedder, labels.iloc[train].to_numpy(), classes=classes)
    takes = together is not None and bool(group_parameters(embedder))
    return FitArguments(own, together[train] if takes else None)


def _pairs(
    cv: Any, n_rows: int, strata: pd.Series | None, labels: Any, together: np.ndarray | None,
    seed: int,
) -> list[Pair]:  # fmt: skip
    """Return training and held-out rows; each row is held out once."""
    if is_whole(cv):
        return _folds(cv, n_rows, strata, together, seed)
    if hasattr(cv, "split") and not isinstance(cv, str):
        drawn = cv.split(np.zeros((n_rows, 1)), labels, together)
    elif isinstance(cv, Iterable) and not isinstance(cv, str):
        drawn = cv
    else:
        raise refusal(_CALLER, "cv", "be an int of at least 2, a splitter or pairs", repr(cv))
    pairs = list(own_resamples(drawn, n_rows))
    times = np.bincount(np.concatenate([test for _, test in pairs]), minlength=n_rows)
    if (times != 1).any():
        row = int((times != 1).argmax())
        raise refusal(
            _CALLER, "cv", "hold every row out once",
            f"row {row} (counted from 0) held out {times[row]} times",
        )  # fmt: skip
    return pairs


def _folds(
    cv: int, n_rows: int, strata: pd.Series | None, together: np.ndarray | None, seed: int
) -> list[Pair]:
    """Return folds of rows, or of groups, shuffled; of classes each has a share."""
    from sklearn.model_selection import (
        GroupKFold,
        KFold,
        StratifiedGroupKFold,
        StratifiedKFold,
    )

    units = n_rows if together is None else int(together.max()) + 1
    why = f"the number of {'rows' if together is None else 'groups'}"
    check_integer(_CALLER, "cv", cv, least=2, most=units, why=why)
    kinds = {
        (False, False): KFold, (True, False): StratifiedKFold,
        (False, True): GroupKFold, (True, True): StratifiedGroupKFold,
    }  # fmt: skip
    kind = kinds[strata is not None, together is not None]
    # Rows without a label are a class of their own here.
    codes = None if strata is None else pd.factorize(strata)[0]
    splitter = kind(cv, shuffle=True, random_state=seed)
    return list(splitter.split(np.zeros((n_rows, 1)), codes, together))
