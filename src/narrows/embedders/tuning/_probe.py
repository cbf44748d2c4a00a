"""What a model makes of held-out embeddings: one score for each fold."""

from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from narrows.embedders.fitting._labels import FitLabels
from narrows.embedders.tuning._folds import Folds

_NEIGHBORS = 15


class Probe:
    """Scores embeddings by what a model predicts from those of held-out rows.

    Parameters
    ----------
    estimator : scikit-learn estimator or None
        Fitted on the training rows' embeddings, and scored by its own ``score``. None takes the
        nearest neighbours in the standardized embedding, and the share of what there is to
        explain: R² of numbers; of classes 1 − log loss / log loss of guessing (McFadden 1974),
        which a few rows tell more of than accuracy. A guess counts as one more neighbour.
    labels : FitLabels
        Of all rows; those without a label have no part.
    folds : sequence of pairs
    """

    def __init__(self, estimator: Any, labels: FitLabels, folds: Folds):
        self._estimator, self._labels = estimator, labels
        self._folds = [
            tuple(rows[labels.known[rows]] for rows in (train, test)) for train, test in folds
        ]
        values = labels.values.astype(np.float64) * labels.scale + labels.mean
        self._y = values if labels.classes is None else labels.classes[labels.values.astype(int)]

    def score(self, Z: np.ndarray, fold: int) -> float:
        """Return the score of the held-out rows of a fold; NaN where there are none.

        Shapes: `Z` (n_rows, bottleneck), of all rows.
        """
        train, test = self._folds[fold]
        if not len(test) or len(train) < 2 or not np.isfinite(Z).all():
            return np.nan
        if self._estimator is not None:
            model = clone(self._estimator).fit(Z[train], self._y[train])
            return float(model.score(Z[test], self._y[test]))
        count = min(_NEIGHBORS, len(train))
        if self._labels.classes is None:
            near = make_pipeline(StandardScaler(), KNeighborsRegressor(count))
            return float(near.fit(Z[train], self._y[train]).score(Z[test], self._y[test]))
        codes = self._labels.values.astype(int)
        near = make_pipeline(StandardScaler(), KNeighborsClassifier(count))
        return _explained(near.fit(Z[train], codes[train]), Z[test], codes, train, test, count)


def _explained(
    near: Any, Z: np.ndarray, codes: np.ndarray, train: np.ndarray, test: np.ndarray, count: int
) -> float:
    """Return the share of the labels' log loss that neighbours explain, of what guessing leaves.

    Shapes: `Z` (held-out rows, bottleneck), `codes` (n_rows,).
    """
    guess = (np.bincount(codes[train], minlength=codes.max() + 1) + 1.0) / (
        len(train) + codes.max() + 1.0
    )
    found = np.zeros((len(test), len(guess)))
    found[:, near.classes_] = near.predict_proba(Z)
    found = (count * found + guess) / (count + 1)
    rows = np.arange(len(test))
    left, all_of_it = np.log(found[rows, codes[test]]), np.log(guess[codes[test]])
    return float(1 - left.mean() / all_of_it.mean())
