"""Columns that predict the label almost alone, or are the label under another name."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from narrows._checks import listed
from narrows.comparison.probes._measures import kappa, r2
from narrows.data import DataTable, Labels, numbers_that_name_rows

LEAST = 0.98  # kappa, or R² of the label's ranks
_MOST_ROWS = 2_000
# With fewer rows, or fewer outside the largest class, one of some columns does so by chance.
_FEWEST_ROWS, _FEWEST_OTHERS = 20, 5
_FOLDS = 5
_LEAVES = 100  # at most, of a number's tree; of classes twice their number
_MOST_NAMED = 10

# (training column, training labels, column) -> predictions
Predicts = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def leaking_columns(
    table: DataTable, labels: Labels, groups: np.ndarray | None, caller: str
) -> list[str]:
    """Return sentences on columns that predict the label almost alone.

    Each column's numbers by a small decision tree, its texts by what most rows of a level have;
    both by 5-fold cross-validation in which groups stay together, on rows that are spread evenly.

    Shapes: `groups` (n_rows,).
    """
    rows = np.unique(np.linspace(0, len(labels) - 1, _MOST_ROWS).astype(int))
    classes = bool(labels.classes)
    y = labels.values[rows] if classes else rankdata(labels.values[rows])
    if len(rows) < _FEWEST_ROWS or (classes and _others(y) < _FEWEST_OTHERS):
        return []
    folds = _folds(y, None if groups is None else groups[rows])
    alike: list[tuple[str, float]] = []
    found: list[tuple[str, float]] = []
    for name, values, text in _columns(table, caller):
        if not text and numbers_that_name_rows(values[:, None], [name])[0]:
            continue  # sorted rows; the survey tells of it
        ranks = pd.factorize(values, use_na_sentinel=False)[0] if text else _ranks(values)
        sizes = None if text else _between_0_and_1(values)[rows]
        score = _score(ranks[rows], sizes, y, folds, classes=classes)
        if score >= LEAST:
            (alike if _one_to_one(ranks, labels) else found).append((name, score))
    return [*_renamed(alike, caller), *_almost_alone(found, classes, caller)]


def _renamed(alike: list[tuple[str, float]], caller: str) -> list[str]:
    if not alike:
        return []
    what = "columns" if len(alike) > 1 else "column"
    are = "are" if len(alike) > 1 else "is"
    return [
        (
            f"{caller} learns from {what} {listed([name for name, _ in alike])}, which {are} the "
            "label under another name: each value stands beside one label only. Leave "
            f"{'them' if len(alike) > 1 else 'it'} out (--drop on the command line)."
        )
    ]


def _almost_alone(found: list[tuple[str, float]], classes: bool, caller: str) -> list[str]:
    measure = "kappa" if classes else "R² of ranks"
    said = [
        f"The column {name!r} of {caller} predicts the label almost alone ({measure} {score:.3f} "
        "in cross-validation): if it is known only once the label is, leave it out (--drop on the "
        "command line)."
        for name, score in found[:_MOST_NAMED]
    ]
    rest = [name for name, _ in found[_MOST_NAMED:]]
    more = f"So do {len(rest)} more columns of {caller}, such as {listed(rest, 3)}."
    return said + [more] * bool(rest)


def _columns(table: DataTable, caller: str) -> Iterator[tuple[str, np.ndarray, bool]]:
    """Yield each column's name, values and whether they are texts."""
    if table.matrix is not None:
        flat = table.matrix.reshape(len(table), -1)
        yield from (
            (name, column, False) for name, column in zip(table.names, flat.T, strict=False)
        )
        return
    try:
        columns = table.columns(caller)
    except Exception:  # columns that narrows cannot read are a transformer's of the user
        return
    for column in columns:
        if column.kind not in ("missing", "other"):
            yield column.name, column.values, column.kind == "text"


def _ranks(values: np.ndarray) -> np.ndarray:
    """Number the different values in their order, the missing as the last: small whole numbers.

    Shapes: (n_rows,), (n_rows,) returned.
    """
    return np.unique(values, return_inverse=True)[1]


def _between_0_and_1(values: np.ndarray) -> np.ndarray:
    """Return numbers that float32, in which trees compute, tells apart; 2 where they are missing.

    Shapes: (n_rows,), (n_rows,) returned.
    """
    there = np.isfinite(values)
    found = np.where(there, values, 0.0)
    found /= max(np.abs(found).max(), np.finfo(float).tiny)
    found -= found[there].min(initial=1.0)
    found /= max(found[there].max(initial=0.0), np.finfo(float).tiny)
    return np.where(there, found, 2.0)


def _score(
    ranks: np.ndarray, sizes: np.ndarray | None, y: np.ndarray, folds: np.ndarray, *, classes: bool
) -> float:
    """Return how well a column alone predicts the labels of other rows; 0 if that is far off.

    Shapes: all (n_rows,); `sizes` is None of texts.
    """
    measure = kappa if classes else r2
    by_level = _by_level(classes)
    # No tree can do better on its own rows than to know each value apart.
    if not measure(y, by_level(ranks, y, ranks)) >= LEAST:
        return 0.0
    if sizes is None:
        predict, column = by_level, ranks
    elif not classes and abs(np.corrcoef(rankdata(ranks), y)[0, 1]) > 1 - 1e-9:
        return 1.0
    elif (_jumps_often if classes else _jumps_far)(ranks, y):
        return 0.0
    else:
        predict, column = _by_tree(y, classes), sizes
    found = np.empty(len(y), y.dtype)
    for fold in range(_FOLDS):
        test = folds == fold
        found[test] = predict(column[~test], y[~test], column[test])
    return measure(y, found)


def _jumps_often(column: np.ndarray, y: np.ndarray) -> bool:
    """Whether classes change more often along a column than a small tree could follow.

    Of rows of one value, the order is unknown: only values beside one class are counted.

    Shapes: both (n_rows,).
    """
    order = np.lexsort((y, column))
    x, y = column[order], y[order]
    start = np.flatnonzero(np.r_[True, np.diff(x) > 0])
    end = np.r_[start[1:], len(x)] - 1
    pure = y[start] == y[end]
    changes = (np.diff(y[start]) != 0) & pure[1:] & pure[:-1]
    # Each wrong row accounts for two changes, each leaf for one.
    return changes.sum() > _leaves(y, True) + 2 * (1 - LEAST) * len(y)


def _jumps_far(column: np.ndarray, y: np.ndarray) -> bool:
    """Whether numbers beside each other along a column of many values are as different as others.

    Shapes: both (n_rows,).
    """
    counts = np.bincount(column)
    if len(counts) <= _leaves(y, False):
        return False
    there = counts > 0
    means = np.bincount(column, y)[there] / counts[there]
    return np.mean(np.diff(means) ** 2) > 0.5 * y.var()


def _leaves(y: np.ndarray, classes: bool) -> int:
    return 2 * len(np.unique(y)) if classes else min(_LEAVES, max(len(y) // 5, 8))


def _by_tree(y: np.ndarray, classes: bool) -> Predicts:
    kind: Any = DecisionTreeClassifier if classes else DecisionTreeRegressor
    tree = kind(max_leaf_nodes=_leaves(y, classes), random_state=0)
    return lambda known, labels, asked: tree.fit(known[:, None], labels).predict(asked[:, None])


def _by_level(classes: bool) -> Predicts:
    """Return what predicts by the most frequent class, or the mean, of a text's level."""

    def predict(known: np.ndarray, labels: np.ndarray, asked: np.ndarray) -> np.ndarray:
        size = int(max(known.max(), asked.max())) + 1
        if classes:
            n_classes = int(labels.max()) + 1
            pairs = np.bincount(known * n_classes + labels, minlength=size * n_classes)
            counts = pairs.reshape(size, n_classes)
            counts[counts.sum(axis=1) == 0] = counts.sum(axis=0)
            return counts.argmax(axis=1)[asked]
        counts = np.bincount(known, minlength=size)
        sums = np.bincount(known, labels, minlength=size)
        return np.where(counts > 0, sums / np.maximum(counts, 1), labels.mean())[asked]

    return predict


def _folds(y: np.ndarray, groups: np.ndarray | None) -> np.ndarray:
    """Deal rows, or groups, out to folds in the order of their labels.

    Shapes: all (n_rows,).
    """
    if groups is None:
        first, of_row = np.arange(len(y)), np.arange(len(y))
    else:
        _, first, of_row = np.unique(groups, return_index=True, return_inverse=True)
    fold = np.empty(len(first), int)
    fold[np.argsort(y[first], kind="stable")] = np.arange(len(first)) % _FOLDS
    return fold[of_row]


def _others(y: np.ndarray) -> int:
    return len(y) - int(np.bincount(y).max())


def _one_to_one(column: np.ndarray, labels: Labels) -> bool:
    """Whether each value stands beside one label and each label beside one value."""
    y = labels.values
    pairs = np.unique(np.column_stack([column, y]), axis=0)
    alike = len(pairs) == len(np.unique(column)) == len(np.unique(y))
    if not alike or labels.classes:
        return bool(alike)
    # Any two columns of different numbers are alike: only in order is it the label.
    steps = np.diff(pairs[np.argsort(pairs[:, 0])][:, 1])
    return bool((steps > 0).all() or (steps < 0).all())
