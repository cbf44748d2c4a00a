"""How many dimensions the rows themselves fill, from their two nearest neighbours."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
from scipy.special import gammaincinv

from narrows._checks import check_real, refusal
from narrows._session import usual_numbers
from narrows.data import to_matrix
from narrows.quality._distances import centred, in_range
from narrows.quality._neighbourhoods import BLOCK, TIE

OWNER = "intrinsic_dimension"
LEAST_ROWS = 10


@dataclass(frozen=True)
class IntrinsicDimension:
    """An estimate of the dimension of rows, and its interval.

    Parameters
    ----------
    dimension : float
        The estimate.
    low, high : float
        Ends of the interval.
    confidence : float
        Coverage asked for, e.g. 0.95.
    n_rows : int
        How many rows it was made of; rows that repeat others are not counted.
    """

    dimension: float
    low: float
    high: float
    confidence: float
    n_rows: int


@usual_numbers()
def intrinsic_dimension(
    X: Any, *, discard: float = 0.1, confidence: float = 0.95
) -> IntrinsicDimension:
    """Estimate how many dimensions the rows fill, whatever the number of columns.

    The TwoNN model of Facco and others: if rows lie evenly around each of them, the ratio μ of
    the distances to the second and to the first neighbour is Pareto distributed, and its
    exponent is the dimension d. So log μ is exponentially distributed with rate d. Of n ratios
    in ascending order the k smallest count as they are, and the others as at least the k-th::

        T = Σ log μᵢ (i from 1 to k) + (n − k) log μₖ
        dimension = (k − 1) / T

    Parameters
    ----------
    X : table or array-like of shape (n_rows, n_columns), or images of shape (n_rows, ...)
        The data, scaled as the distances between rows should weigh the columns. At least 10
        distinct rows; of rows that are equal one is kept, as their distance is 0.
    discard : float, default=0.1
        Share of the ratios, the largest, of which no more is used than that they are large; at
        least 0 and below 0.5: k is (1 − `discard`) n, rounded down.
    confidence : float, default=0.95
        Of the interval, at least 0.5 and below 1.

    Returns
    -------
    IntrinsicDimension
        The estimate ``dimension``, the ends ``low`` and ``high`` of its interval, the
        ``confidence`` and the number ``n_rows`` of distinct rows.

    Raises
    ------
    TypeError
        If `X` is sparse or a query, or a cell holds an object that is no number.
    ValueError
        If there are fewer than 10 distinct rows, text, NaN or infinity in `X`; if no neighbours
        are at different distances, as on a grid; if `discard` or `confidence` is out of range.

    See Also
    --------
    embedding_quality : Whether an embedding of so many components keeps the neighbours.

    Notes
    -----
    Facco and others fit a line through the origin to −log(1 − F(μ)) against log μ, without the
    largest tenth of μ. The line has no interval. Denti and others take the maximum of the
    likelihood, n / Σ log μ, or (n − 1) / Σ log μ, which has no bias, over all ratios: two rows
    nearly in one place, with a ratio in the millions, then weigh as much as many others. The
    formula here is theirs for the k smallest of n (censored, of type II), and theirs exactly
    at ``discard=0``. Estimate and interval come from the same T: 2 d T is chi-squared
    distributed with 2k degrees of freedom (Epstein and Sobel), and the estimate lies within
    the interval at every confidence that is allowed.

    The interval takes ratios as independent. Rows that are each other's neighbour share a
    distance, so that the interval is too narrow: at 0.95 it covered the dimension of 300 rows
    spread evenly on tori of dimension 1, 2 and 3 in 92, 90 and 85 of 100 samples. It also knows
    nothing of the bias at edges, which draws the estimate down the further the more dimensions
    there are: 1000 rows in a cube of 8 dimensions give about 7.

    Values of few digits make distances tie, and ties draw the estimate up, even above the
    number of columns. Distances whose squares agree to eleven digits are ties. Many rows that
    are copies of others but for a little noise draw it down, even below 1; leave them out.

    The matrix of all distances is never held in memory.

    References
    ----------
    Facco, E., d'Errico, M., Rodriguez, A. and Laio, A. (2017). Estimating the intrinsic
    dimension of datasets by a minimal neighborhood information. Scientific Reports 7, 12140.
    https://doi.org/10.1038/s41598-017-11873-y

    Denti, F., Doimo, D., Laio, A. and Mira, A. (2022). The generalized ratios intrinsic
    dimension estimator. Scientific Reports 12, 20005.
    https://doi.org/10.1038/s41598-022-20991-1

    Epstein, B. and Sobel, M. (1953). Life testing. Journal of the American Statistical
    Association 48(263), 486–502, for the k smallest of n.

    Examples
    --------
    >>> import narrows
    >>> from narrows.quality import intrinsic_dimension
    >>> X = narrows.datasets.iris().drop(columns="Species")
    >>> found = intrinsic_dimension(X)
    >>> print(f"{found.dimension:.1f}, from {found.low:.1f} to {found.high:.1f}")
    3.3, from 2.8 to 3.9
    """
    discard = check_real(OWNER, "discard", discard, low=0, high=0.5)
    confidence = check_real(OWNER, "confidence", confidence, low=0.5, high=1)
    matrix = to_matrix(X, owner=OWNER, dtype="float64", allow_images=True, min_rows=LEAST_ROWS)
    rows = _distinct(in_range(matrix.values.reshape(len(matrix.values), -1)))
    if len(rows) < LEAST_ROWS:
        got = f"{len(rows)} among {len(matrix.values)} rows"
        advice = "Give more rows; those that repeat others tell nothing of a dimension."
        raise refusal(OWNER, "X", f"have at least {LEAST_ROWS} distinct rows", got, advice)
    logs = _log_ratios(rows)
    tied = int(np.count_nonzero(logs == 0))
    dimension, low, high = _estimate(logs, int((1 - discard) * len(logs)), confidence)
    if not np.isfinite(dimension):
        got = f"equal distances for {tied} of {len(logs)} rows"
        advice = "Give values with all their digits; those on a grid have no dimension to find."
        wanted = "have rows whose first and second neighbours are at different distances"
        raise refusal(OWNER, "X", wanted, got, advice)
    return IntrinsicDimension(dimension, low, high, confidence, len(rows))


def _distinct(values: np.ndarray) -> np.ndarray:
    """Return the first of equal rows each; a digest a row takes less memory than sorting them."""
    first: dict[bytes, int] = {}
    for place, row in enumerate(values):
        # −0 becomes 0.
        first.setdefault(blake2b((row + 0.0).tobytes(), digest_size=16).digest(), place)
    return values if len(first) == len(values) else values[list(first.values())]


def _log_ratios(values: np.ndarray) -> np.ndarray:
    """Return log μ of distinct rows in ascending order, 0 for ties; shape (n_rows,)."""
    from sklearn import config_context
    from sklearn.neighbors import NearestNeighbors

    with config_context(assume_finite=True, skip_parameter_validation=True):
        search = NearestNeighbors(n_neighbors=2).fit(centred(values))
        nearest = search.kneighbors(return_distance=False)
    found = np.empty(len(values))
    step = max(1, BLOCK // values.shape[1])
    for start in range(0, len(values), step):
        rows = slice(start, start + step)
        # Of wide rows scikit-learn's distances come from a matrix product, where digits cancel.
        first, second = np.sort(_log_distances(values[rows], values[nearest[rows].T]), axis=0)
        found[rows] = second - first
    found[found <= TIE / 2] = 0  # TIE is of squares
    return np.sort(found)


def _log_distances(values: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return logarithms, which neither overflow nor vanish; shape (2, n_rows)."""
    away = np.abs(others - values)
    largest = away.max(axis=-1, keepdims=True)
    away /= largest
    return np.log(np.linalg.norm(away, axis=-1)) + np.log(largest[..., 0])


def _estimate(logs: np.ndarray, k: int, confidence: float) -> tuple[float, float, float]:
    """Return estimate, low and high for the k smallest of sorted log μ; infinite if they are 0."""
    total = float(logs[:k].sum() + (len(logs) - k) * logs[k - 1])
    if total == 0:
        return np.inf, np.inf, np.inf
    tail = (1 - confidence) / 2
    # Half of a chi-squared number with 2k degrees of freedom is a gamma one of shape k.
    low, high = gammaincinv(k, [tail, 1 - tail]) / total
    return (k - 1) / total, float(low), float(high)
