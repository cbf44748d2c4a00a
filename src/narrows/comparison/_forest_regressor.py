"""The random forest that judges an embedding by a number it has to predict."""

from typing import Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from narrows.comparison._forest_backends import mean_ydf
from narrows.comparison._forest_base import ForestBase


class ForestRegressor(RegressorMixin, ForestBase):
    """Random forest for numbers with the settings of R's ``randomForest``.

    Every tree grows on as many rows as there are, drawn with replacement; a node of more than
    five draws is split, and each split looks at `mtry` columns.

    Parameters
    ----------
    trees : int, default=500
        Number of trees.
    mtry : int or None, default=None
        Columns looked at in each split, at most the number of columns. None is R's default, a
        third of their number, rounded down, but at least two where there are two, as in
        `Forest`.
    random_state : int, RandomState instance or None, default=None
        Seed of the rows and columns drawn.
    backend : {"auto", "sklearn", "ydf"}, default="auto"
        Library that grows the trees, as in `Forest`.
    n_jobs : int or None, default=None
        Threads, as in `Forest`.

    Attributes
    ----------
    backend_ : str
        Library in use, ``"sklearn"`` or ``"ydf"``.
    forest_ : object
        That library's model, of ``(y - centre_) / scale_``.
    centre_, scale_ : float
        Mean of the numbers seen in `fit` and their largest distance from it: ydf keeps single
        precision, which a large mean would use up.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names seen in `fit`, when all are strings.

    Notes
    -----
    Both libraries split by variance, as R. Where R and ydf count draws, scikit-learn counts
    different rows, and nodes of four are split there. A seed gives the same forest whatever
    `n_jobs`, but not the same one in both libraries.

    References
    ----------
    Liaw, A. and Wiener, M. (2002). Classification and regression by randomForest. R News 2(3),
    18–22.

    Examples
    --------
    >>> from narrows.comparison import ForestRegressor
    >>> X = [[row] for row in range(100)]
    >>> forest = ForestRegressor(trees=50, random_state=0).fit(X, range(100))
    >>> float(forest.predict([[50]])[0].round(-1))
    50.0
    """

    def fit(self, X: Any, y: Any) -> "ForestRegressor":
        """Grow the trees.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_columns)
            Training rows, numeric and finite.
        y : array-like of shape (n_rows,)
            Their numbers.

        Returns
        -------
        ForestRegressor
            The fitted regressor itself.

        Raises
        ------
        ValueError
            If `X` is not a finite matrix, `y` does not fit it, or a parameter is out of range or
            beyond what the chosen library can do.
        ImportError
            If ``backend="ydf"`` and ydf is not installed.
        """
        X, y = validate_data(self, X, y, dtype=np.float32, y_numeric=True)
        y = y.astype(np.float64)
        self.centre_ = float(y.mean())
        self.scale_ = float(np.abs(y - self.centre_).max()) or 1.0
        self._grow(X, (y - self.centre_) / self.scale_)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Return the mean of the trees' predictions.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features_in_)
            Rows with the columns seen in `fit`.

        Returns
        -------
        ndarray of shape (n_rows,)
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float32, reset=False)
        if self.backend_ == "ydf":
            return self.centre_ + self.scale_ * mean_ydf(self.forest_, X, self.n_jobs)
        return self.centre_ + self.scale_ * self.forest_.predict(X)

    def _r_default(self, n_columns: int) -> int:
        return n_columns // 3
