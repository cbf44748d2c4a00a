"""The random forest that judges an embedding, with the settings of R's ``randomForest``."""

import numbers
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from narrows._checks import refusal
from narrows.comparison.probes._forest_backends import (
    Growth,
    choose_backend,
    forest_from_bytes,
    forest_to_bytes,
    grow_sklearn,
    grow_ydf,
    mean_ydf,
    vote_ydf,
)


class ForestBase(BaseEstimator):
    """Parameters and growing of a random forest with R's settings; see `Forest`."""

    def __init__(
        self,
        n_estimators: int = 500,
        max_features: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        backend: str = "auto",
        n_jobs: int | None = None,
    ):
        self.n_estimators = n_estimators
        self.max_features = max_features
        self.random_state = random_state
        self.backend = backend
        self.n_jobs = n_jobs

    def _grow(self, X: np.ndarray, y: np.ndarray) -> None:
        """Check the parameters, choose a library and grow `forest_`."""
        _check_count(self, "n_estimators", self.n_estimators)
        _check_jobs(self, self.n_jobs)
        max_features = self._columns_per_split(X.shape[1])
        one_of_many = max_features == 1 < X.shape[1]
        self.backend_ = choose_backend(type(self).__name__, self.backend, one_of_many)
        seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        grow = grow_ydf if self.backend_ == "ydf" else grow_sklearn
        self.forest_ = grow(X, y, Growth(int(self.n_estimators), max_features, seed, self.n_jobs))

    def _columns_per_split(self, n_columns: int) -> int:
        if self.max_features is None:
            return min(n_columns, max(2, self._r_default(n_columns)))
        if (
            not isinstance(self.max_features, numbers.Integral)
            or not 1 <= self.max_features <= n_columns
        ):
            raise refusal(
                self,
                "max_features",
                f"be None or an int from 1 to the number of columns, {n_columns}",
                f"{self.max_features!r}",
            )
        return int(self.max_features)

    def _r_default(self, n_columns: int) -> int:
        """Return R's own `mtry` for so many columns."""
        raise NotImplementedError

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__().copy()
        if state.get("backend_") == "ydf":
            state["forest_"] = forest_to_bytes(state["forest_"])
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        if state.get("backend_") == "ydf":
            state["forest_"] = forest_from_bytes(state["forest_"])
        super().__setstate__(state)


def _check_count(owner: ForestBase, name: str, value: Any) -> None:
    if not isinstance(value, numbers.Integral) or value < 1:
        raise refusal(owner, name, "be an int in the range [1, inf)", f"{value!r}")


def _check_jobs(owner: ForestBase, n_jobs: Any) -> None:
    if n_jobs is not None and (not isinstance(n_jobs, numbers.Integral) or n_jobs == 0):
        raise refusal(
            owner, "n_jobs", "be None or an int other than 0, where -1 is all cores", f"{n_jobs!r}"
        )


class Forest(ClassifierMixin, ForestBase):
    """Random forest classifier with the settings of R's ``randomForest``.

    Every tree grows on as many rows as there are, drawn with replacement, without a limit of
    depth, down to single rows; each split looks at `max_features` columns.

    Parameters
    ----------
    n_estimators : int, default=500
        Number of trees.
    max_features : int or None, default=None
        Columns looked at in each split, at most the number of columns. None is R's default,
        the square root of their number, rounded down, but at least two where there are two, the
        fewest that caret tries: with one, the columns of a narrow embedding take turns by lot.
    random_state : int, RandomState instance or None, default=None
        Seed of the rows and columns drawn.
    backend : {"auto", "sklearn", "ydf"}, default="auto"
        Library that grows the trees. ``"auto"`` is Yggdrasil (ydf), some twenty times faster
        on small tables, where it is installed and can do what is asked, and scikit-learn
        elsewhere. ydf cannot look at one column alone when there are more (``max_features=1``).
    n_jobs : int or None, default=None
        Threads that grow the trees and, with ydf, predict; negative as in joblib. None is every
        core with ydf and one with scikit-learn, whose threads do not help on small tables. Give
        1 where forests are themselves grown side by side.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels, sorted.
    backend_ : str
        Library in use, ``"sklearn"`` or ``"ydf"``.
    forest_ : object
        That library's model.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names seen in `fit`, when all are strings.

    Notes
    -----
    Columns are compared in single precision by both libraries. With ydf each tree has one
    vote, as in R; scikit-learn averages the trees' class shares, which is the same as long as
    every leaf is pure. scikit-learn splits by Gini impurity, as R; ydf offers information gain
    alone. Their accuracies agree within sampling error. A seed gives the same forest whatever
    `n_jobs`, but not the same one in both libraries. Forests may be grown in several threads of
    Python at once.

    References
    ----------
    Breiman, L. (2001). Random forests. Machine Learning 45, 5–32.
    https://doi.org/10.1023/A:1010933404324

    Guillame-Bert, M. et al. (2023). Yggdrasil Decision Forests: a fast and extensible decision
    forests library. KDD 2023. https://doi.org/10.1145/3580305.3599933

    Examples
    --------
    >>> from narrows.comparison import Forest
    >>> X, y = [[0.0], [0.1], [1.0], [1.1]], list("aabb")
    >>> Forest(n_estimators=20, random_state=0).fit(X, y).classes_
    array(['a', 'b'], dtype='<U1')
    """

    def fit(self, X: Any, y: Any) -> "Forest":
        """Grow the trees.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_columns)
            Training rows, numeric and finite.
        y : array-like of shape (n_rows,)
            Their classes.

        Returns
        -------
        Forest
            The fitted classifier itself.

        Raises
        ------
        ValueError
            If `X` is not a finite matrix, `y` does not fit it, or a parameter is out of range or
            beyond what the chosen library can do.
        ImportError
            If ``backend="ydf"`` and ydf is not installed.
        """
        X, y = validate_data(self, X, y, dtype=np.float32)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        self._grow(X, codes)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the share of trees that vote for each class.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features_in_)
            Rows with the columns seen in `fit`.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            Shares, in the order of `classes_`; each row adds up to one.
        """
        check_is_fitted(self)
        return self._vote(validate_data(self, X, dtype=np.float32, reset=False))

    def _judge(self, Z: np.ndarray, codes: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return the votes on `rows` after growing on `Z`: `fit` and `predict_proba` unchecked.

        For a comparison's own embeddings, thousands of them, which are known to be fine.
        """
        self.classes_ = np.arange(codes.max() + 1)
        self._grow(Z, codes)
        return self._vote(rows)

    def _vote(self, X: np.ndarray) -> np.ndarray:
        if self.backend_ == "ydf":
            return vote_ydf(self.forest_, X, len(self.classes_), self.n_jobs)
        return self.forest_.predict_proba(X)

    def predict(self, X: Any) -> np.ndarray:
        """Return the class that most trees vote for.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features_in_)
            Rows with the columns seen in `fit`.

        Returns
        -------
        ndarray of shape (n_rows,)
            Class labels; the first of `classes_` wins a tie.
        """
        shares = self.predict_proba(X)
        return self.classes_[shares.argmax(axis=1)]

    def _r_default(self, n_columns: int) -> int:
        return int(np.sqrt(n_columns))


class ForestRegressor(RegressorMixin, ForestBase):
    """Random forest for numbers with the settings of R's ``randomForest``.

    Every tree grows on as many rows as there are, drawn with replacement; a node of more than
    five draws is split, and each split looks at `max_features` columns.

    Parameters
    ----------
    n_estimators : int, default=500
        Number of trees.
    max_features : int or None, default=None
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
    >>> forest = ForestRegressor(n_estimators=50, random_state=0).fit(X, range(100))
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
