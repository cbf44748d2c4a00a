"""The random forest that judges an embedding, with the settings of R's ``randomForest``."""

import importlib.util
import numbers
from typing import Any

import joblib
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

BACKENDS = ("auto", "sklearn", "ydf")


class Forest(ClassifierMixin, BaseEstimator):
    """Random forest classifier with the settings of R's ``randomForest``.

    Every tree grows on as many rows as there are, drawn with replacement, without a limit of
    depth, down to single rows; each split looks at `mtry` columns.

    Parameters
    ----------
    trees : int, default=500
        Number of trees.
    mtry : int or None, default=None
        Columns looked at in each split, at most the number of columns; None is the square
        root of their number, rounded down, as in R.
    random_state : int, RandomState instance or None, default=None
        Seed of the rows and columns drawn.
    backend : {"auto", "sklearn", "ydf"}, default="auto"
        Library that grows the trees. ``"auto"`` is Yggdrasil (ydf), some twenty times faster
        on small tables, where it is installed and can do what is asked, and scikit-learn
        elsewhere. ydf cannot look at one column alone when there are more (``mtry=1``).

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
    the number of cores, but not the same one in both libraries.

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

    def __init__(
        self,
        trees: int = 500,
        mtry: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        backend: str = "auto",
    ):
        self.trees = trees
        self.mtry = mtry
        self.random_state = random_state
        self.backend = backend

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
        self._check_trees()
        mtry = self._columns_per_split(X.shape[1])
        self.backend_ = self._choose_backend(one_of_many=mtry == 1 < X.shape[1])
        seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        grow = _grow_ydf if self.backend_ == "ydf" else _grow_sklearn
        self.forest_ = grow(X, codes, self.trees, mtry, seed)
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
        X = validate_data(self, X, dtype=np.float32, reset=False)
        if self.backend_ == "ydf":
            return _vote_ydf(self.forest_, X, len(self.classes_))
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

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__().copy()
        if state.get("backend_") == "ydf":
            # ydf advises against pickling its models and has its own bytes for them.
            state["forest_"] = state["forest_"].serialize()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        if state.get("backend_") == "ydf":
            import ydf

            state["forest_"] = ydf.deserialize_model(state["forest_"])
        super().__setstate__(state)

    def _choose_backend(self, one_of_many: bool) -> str:
        if self.backend not in BACKENDS:
            raise ValueError(
                "The 'backend' parameter of Forest must be one of "
                f"{', '.join(repr(name) for name in BACKENDS)}. Got {self.backend!r} instead."
            )
        has_ydf = importlib.util.find_spec("ydf") is not None
        if self.backend == "ydf" and not has_ydf:
            raise ImportError(
                "Forest(backend='ydf') needs the package 'ydf', which is not installed. "
                "Install it, or use backend='auto' for scikit-learn's forest."
            )
        if self.backend == "ydf" and one_of_many:
            raise ValueError(
                "The 'mtry' parameter of Forest must be at least 2 with backend='ydf' and more "
                "than one column. Got 1 instead. Use backend='auto' for scikit-learn's forest."
            )
        usable = has_ydf and not one_of_many
        return "ydf" if usable and self.backend != "sklearn" else "sklearn"

    def _check_trees(self) -> None:
        if not isinstance(self.trees, numbers.Integral) or self.trees < 1:
            raise ValueError(
                "The 'trees' parameter of Forest must be an int in the range [1, inf). "
                f"Got {self.trees!r} instead."
            )

    def _columns_per_split(self, n_columns: int) -> int:
        if self.mtry is None:
            return max(1, int(np.sqrt(n_columns)))
        if not isinstance(self.mtry, numbers.Integral) or not 1 <= self.mtry <= n_columns:
            raise ValueError(
                "The 'mtry' parameter of Forest must be None or an int from 1 to the number of "
                f"columns, {n_columns}. Got {self.mtry!r} instead."
            )
        return int(self.mtry)


def _grow_ydf(X: np.ndarray, codes: np.ndarray, trees: int, mtry: int, seed: int) -> Any:
    import ydf

    # ydf tests one column more than it is asked for: its loop over candidates counts down to
    # zero inclusively (decision_tree/training.cc).
    # Zero would mean its own default, hence no `mtry` of one; with one column it is the same.
    candidates = max(mtry - 1, 1)
    learner = ydf.RandomForestLearner(
        label="y",
        features=["x"],
        num_trees=trees,
        num_candidate_attributes=candidates,
        sampling_with_replacement=True,
        max_depth=-1,
        min_examples=1,
        winner_take_all=True,
        compute_oob_performances=False,
        random_seed=seed,
        num_threads=joblib.cpu_count(),
    )
    return learner.train({"x": X, "y": codes.astype(str)}, verbose=0)


def _vote_ydf(forest: Any, X: np.ndarray, n_classes: int) -> np.ndarray:
    if n_classes == 1:
        return np.ones((len(X), 1))
    shares = np.asarray(forest.predict({"x": X}), dtype=np.float64)
    if shares.ndim == 1:
        # ydf gives two classes as the second's share alone.
        shares = np.column_stack([1 - shares, shares])
    ordered = np.zeros((len(X), n_classes))
    for column, code in enumerate(forest.label_classes()):
        ordered[:, int(code)] = shares[:, column]
    # Shares are sums of 1/trees in single precision and miss one by a little.
    return ordered / ordered.sum(axis=1, keepdims=True)


def _grow_sklearn(X: np.ndarray, codes: np.ndarray, trees: int, mtry: int, seed: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(n_estimators=trees, max_features=mtry, random_state=seed)
    return forest.fit(X, codes)
