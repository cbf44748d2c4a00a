"""Distances from some rows to all rows, a block at a time."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

METRICS = ("euclidean", "cityblock", "cosine")
# Up to this width differences are taken one by one: nothing cancels, and the time is small
# beside that of sorting. Beyond it a matrix product is several times faster.
DIRECT_WIDTH = 32
# Of a squared distance that comes from a matrix product, in units of the row's squared norm.
PRODUCT_ERROR = 1e-13


@dataclass(frozen=True)
class Points:
    """Rows in a space, ready for distances.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
        float64.
    direct : str or None
        SciPy's name of the distance; None for a matrix product.
    squares : ndarray of shape (n_rows,)
        Squared norms, for the matrix product.
    """

    values: np.ndarray
    direct: str | None
    squares: np.ndarray

    def distances(self, rows: slice) -> np.ndarray:
        """Return distances in an order-preserving unit, shape (rows, n_rows); own row: inf."""
        some = self.values[rows]
        if self.direct is not None:
            found = cdist(some, self.values, self.direct)
        else:
            found = some @ self.values.T
            found *= -2
            found += self.squares[rows, None]
            found += self.squares
            np.maximum(found, 0, out=found)
        own = np.arange(len(some))
        found[own, own + rows.start] = np.inf
        return found

    def error(self, rows: slice) -> np.ndarray:
        """Return what rounding may have added to distances, shape (rows,)."""
        return PRODUCT_ERROR * self.squares[rows]


def points(values: np.ndarray, metric: str) -> Points:
    """Prepare rows of shape (n_rows, n_columns) for a metric of `METRICS`."""
    values = in_range(values)
    zeros = np.zeros(len(values))
    if metric == "cityblock":
        return Points(values, "cityblock", zeros)
    if metric == "cosine":
        norms = np.linalg.norm(values, axis=1, keepdims=True)
        # A row of zeros has no direction; scikit-learn calls it orthogonal to every row.
        values = np.divide(values, norms, out=np.zeros_like(values), where=norms > 0)
        return Points(values, None, zeros + 1)
    if values.shape[1] <= DIRECT_WIDTH:
        return Points(values, "sqeuclidean", zeros)
    values = centred(values)
    return Points(values, None, np.einsum("ij,ij->i", values, values))


def in_range(values: np.ndarray) -> np.ndarray:
    """Scale by a power of two, which rounds nothing, where squares would overflow or vanish."""
    largest = max(values.max(), -values.min())
    if largest == 0 or 1e-100 < largest < 1e100:
        return values
    return np.ldexp(values, -np.frexp(largest)[1])


def centred(values: np.ndarray) -> np.ndarray:
    """Subtract a row near the mean; unlike the mean it leaves whole numbers whole, ties tied."""
    from_mean = values - values.mean(axis=0)
    centre = np.argmin(np.einsum("ij,ij->i", from_mean, from_mean))
    return values - values[centre]
