"""The random forest that judges an embedding, with the settings of R's ``randomForest``."""

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from narrows.comparison._forest_backends import vote_ydf
from narrows.comparison._forest_base import ForestBase


class Forest(ClassifierMixin, ForestBase):
    """Random forest classifier with the settings of R's ``randomForest``.

    Every tree grows on as many rows as there are, drawn with replacement, without a limit of
    depth, down to single rows; each split looks at `mtry` columns.

    Parameters
    ----------
    trees : int, default=500
        Number of trees.
    mtry : int or None, default=None
        Columns looked at in each split, at most the number of columns. None is R's default,
        the square root of their number, rounded down, but at least two where there are two, the
        fewest that caret tries: with one, the columns of a narrow embedding take turns by lot.
    random_state : int, RandomState instance or None, default=None
        Seed of the rows and columns drawn.
    backend : {"auto", "sklearn", "ydf"}, default="auto"
        Library that grows the trees. ``"auto"`` is Yggdrasil (ydf), some twenty times faster
        on small tables, where it is installed and can do what is asked, and scikit-learn
        elsewhere. ydf cannot look at one column alone when there are more (``mtry=1``).
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
    >>> Forest(trees=20, random_state=0).fit([[0.0], [0.1], [1.0], [1.1]], list("aabb")).classes_
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

        Parameters
        ----------
        Z, rows : finite float32 ndarrays of shape (n, n_columns)
        codes : int ndarray of shape (n_rows,)
            Classes from 0 on, each of them present.
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
