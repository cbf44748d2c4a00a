"""Nearest neighbours as probes: as many as there are, where there are few training rows."""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.utils.validation import check_is_fitted, validate_data


class _Neighbours(BaseEstimator):
    """Fits scikit-learn's own with no more neighbours than training rows."""

    def __init__(self, neighbours: int = 5):
        self.neighbours = neighbours

    def _fit(self, make: Any, X: np.ndarray, y: np.ndarray) -> None:
        self.model_ = make(n_neighbors=min(self.neighbours, len(X))).fit(X, y)

    def predict(self, X: Any) -> np.ndarray:
        """Predict from the nearest training rows."""
        check_is_fitted(self)
        return self.model_.predict(validate_data(self, X, reset=False))


class NeighboursClassifier(ClassifierMixin, _Neighbours):
    """Most frequent class among the nearest training rows, Euclidean, on the columns as they are.

    Parameters
    ----------
    neighbours : int, default=5
        At most; all training rows where there are fewer.
    """

    def fit(self, X: Any, y: Any) -> "NeighboursClassifier":
        """Remember the training rows."""
        self._fit(KNeighborsClassifier, *validate_data(self, X, y))
        self.classes_ = self.model_.classes_
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the share of neighbours in each class."""
        check_is_fitted(self)
        return self.model_.predict_proba(validate_data(self, X, reset=False))


class NeighboursRegressor(RegressorMixin, _Neighbours):
    """Mean of the nearest training rows, Euclidean, on the columns as they are.

    Parameters
    ----------
    neighbours : int, default=5
        At most; all training rows where there are fewer.
    """

    def fit(self, X: Any, y: Any) -> "NeighboursRegressor":
        """Remember the training rows."""
        self._fit(KNeighborsRegressor, *validate_data(self, X, y, y_numeric=True))
        return self
