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
        Fitted on the training rows' embeddings, and scored by its own ``score``; None takes the
        nearest neighbours in the standardized embedding.
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
        model = self._model(len(train)).fit(Z[train], self._y[train])
        return float(model.score(Z[test], self._y[test]))

    def _model(self, n_rows: int) -> Any:
        if self._estimator is not None:
            return clone(self._estimator)
        kind = KNeighborsRegressor if self._labels.classes is None else KNeighborsClassifier
        return make_pipeline(StandardScaler(), kind(min(_NEIGHBORS, n_rows)))
