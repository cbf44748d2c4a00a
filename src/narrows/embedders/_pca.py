"""Principal component analysis with the conventions of R's ``prcomp`` and caret."""

import numbers
import warnings
from typing import Any

import numpy as np
from scipy import linalg
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_array, check_is_fitted

from narrows._session import usual_numbers
from narrows.embedders._capabilities import Capabilities
from narrows.embedders._reconstruction import ReconstructingEmbedder


class PCA(ReconstructingEmbedder, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Principal component analysis as R's ``prcomp`` and caret compute it.

    It is ``prcomp(x, center = TRUE, scale. = standardize)``. With ``standardize=True`` it is also
    what caret's ``preProcess(method = "pca")`` computes: columns centred, divided by their
    standard deviation with n − 1 in the denominator, and rotated to their principal axes.
    Everything is learned from the rows given to `fit`.

    Parameters
    ----------
    n_components : int, default=2
        Number of components to keep, at most ``min(n_rows, n_columns)``.
    standardize : bool, default=False
        Divide each column by its standard deviation (n − 1) before the rotation.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features_in_)
        Principal axes, a row each; the transpose of ``prcomp``'s ``rotation``.
    mean_ : ndarray of shape (n_features_in_,)
        Column means of the training rows.
    scale_ : ndarray of shape (n_features_in_,)
        What columns are divided by: standard deviations, or ones without `standardize`;
        one for a constant column.
    singular_values_ : ndarray of shape (n_components,)
        Singular values of the centred (and scaled) training rows.
    explained_variance_ : ndarray of shape (n_components,)
        Variances of the scores on the training rows, n − 1 in the denominator.
    explained_variance_ratio_ : ndarray of shape (n_components,)
        Their shares of the total variance; zeros when every column is constant.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names seen in `fit`, when all are strings.

    See Also
    --------
    sklearn.decomposition.PCA : Never scales columns, and flips signs to a convention.

    Notes
    -----
    The singular value decomposition is LAPACK's ``gesdd``, as in R, and signs are left as it
    returns them. A component's sign carries no meaning and may differ between LAPACK builds.

    References
    ----------
    Jolliffe, I. T. (2002). Principal Component Analysis, 2nd edition. Springer.
    https://doi.org/10.1007/b98835

    Examples
    --------
    >>> from narrows.datasets import iris
    >>> from narrows import PCA
    >>> PCA().fit_transform(iris().iloc[:, :4]).shape
    (150, 2)
    >>> round(-PCA().fit(iris().iloc[:, :4]).score(iris().iloc[:, :4]), 4)
    0.0253
    """

    _capabilities = Capabilities(
        decoder="always",
        stored=True,
        exported=True,
        learned=(
            "mean_", "scale_", "components_", "singular_values_", "explained_variance_",
            "explained_variance_ratio_",
        ),
    )  # fmt: skip
    _dtype = "float64"

    def __init__(self, n_components: int = 2, standardize: bool = False):
        self.n_components = n_components
        self.standardize = standardize

    def fit(self, X: Any, y: Any = None) -> "PCA":
        """Learn means, scales and principal axes.

        Parameters
        ----------
        X : table or array-like of shape (n_rows, n_columns)
            Training rows, numeric and finite, at least two.
        y : None
            Ignored.

        Returns
        -------
        PCA
            The fitted embedder itself.

        Raises
        ------
        ValueError
            If `X` is not a finite matrix of at least two rows, or `n_components` is not an
            int between 1 and ``min(n_rows, n_columns)``.

        Warns
        -----
        UserWarning
            If a column is constant and `standardize` is true; that column is kept at zero. If a
            column seems to name the rows, as running numbers do.
        """
        with self._columns_of_fit():
            X = self._matrix(X, reset=True, warns=True)
            self._check_n_components(*X.shape)
        constant = X.min(axis=0) == X.max(axis=0)
        self._decompose(X, constant)
        if self.standardize:
            self._warn_constant(constant)
        return self

    @usual_numbers()
    def _decompose(self, X: np.ndarray, constant: np.ndarray) -> None:
        # Rounding would give a constant column a mean beside it and a deviation above zero.
        self.mean_ = np.where(constant, X[0], X.mean(axis=0))
        self.scale_ = np.ones(X.shape[1])
        if self.standardize:
            self.scale_ = np.where(constant, 1.0, X.std(axis=0, ddof=1))
        _, singular_values, axes = linalg.svd(self._scaled(X), full_matrices=False)
        variance = singular_values**2 / (len(X) - 1)
        total = variance.sum()
        kept = slice(self.n_components)
        self.components_ = axes[kept]
        self.singular_values_ = singular_values[kept]
        self.explained_variance_ = variance[kept]
        self.explained_variance_ratio_ = variance[kept] / (total if total > 0 else 1.0)

    def transform(self, X: Any) -> np.ndarray:
        """Project rows on the principal axes.

        Parameters
        ----------
        X : table or array-like of shape (n_rows, n_features_in_)
            Rows with the columns seen in `fit`.

        Returns
        -------
        ndarray of shape (n_rows, n_components)
            Scores.
        """
        return self._projected(self._checked(X))

    def inverse_transform(self, Z: Any) -> np.ndarray:
        """Map scores back to rows in the units of the training columns.

        Parameters
        ----------
        Z : array-like of shape (n_rows, n_components)
            Scores.

        Returns
        -------
        ndarray of shape (n_rows, n_features_in_)
            Reconstructed rows; exact only with as many components as the data has
            dimensions.

        Raises
        ------
        ValueError
            If `Z` has another number of columns than there are components.
        """
        check_is_fitted(self)
        Z = check_array(Z, dtype=np.float64)
        if Z.shape[1] != len(self.components_):
            raise ValueError(
                "The 'Z' parameter of PCA.inverse_transform must have "
                f"{len(self.components_)} columns, one a component. Got {Z.shape[1]} instead."
            )
        return self._unprojected(Z)

    def _rebuilt(self, X: np.ndarray) -> np.ndarray:
        return self._unprojected(self._projected(X))

    @property
    def _n_features_out(self) -> int:
        return len(self.components_)

    def _check_n_components(self, n_rows: int, n_columns: int) -> None:
        wanted = self.n_components
        if not isinstance(wanted, numbers.Integral) or isinstance(wanted, bool) or wanted < 1:
            raise ValueError(
                "The 'n_components' parameter of PCA must be an int in the range [1, inf). "
                f"Got {wanted!r} instead."
            )
        if wanted > min(n_rows, n_columns):
            raise ValueError(
                f"The 'n_components' parameter of PCA must be at most {min(n_rows, n_columns)} "
                f"for n_samples={n_rows} and n_features={n_columns}. Got {wanted} instead. "
                "Give fewer components or more data."
            )

    def _scaled(self, X: np.ndarray) -> np.ndarray:
        return (X - self.mean_) / self.scale_

    @usual_numbers()
    def _projected(self, X: np.ndarray) -> np.ndarray:
        return self._scaled(X) @ self.components_.T

    @usual_numbers()
    def _unprojected(self, Z: np.ndarray) -> np.ndarray:
        return Z @ self.components_ * self.scale_ + self.mean_

    def _warn_constant(self, constant: np.ndarray) -> None:
        if not constant.any():
            return
        names = getattr(self, "feature_names_in_", [f"x{i}" for i in range(len(constant))])
        listed = ", ".join(f"'{name}'" for name, flat in zip(names, constant, strict=True) if flat)
        warnings.warn(
            f"PCA keeps constant columns at zero, they cannot be standardized: {listed}. "
            "Remove them, or use standardize=False.",
            UserWarning,
            stacklevel=3,
        )
