"""How far an embedding keeps neighbours: trustworthiness, continuity and agreement."""

from typing import Any

import numpy as np

from narrows._session import usual_numbers
from narrows.quality._check import check_below_half, check_metric, check_neighbours, check_spaces
from narrows.quality._distances import Points, points
from narrows.quality._intrusion import agreement, intrusion, kept
from narrows.quality._neighbourhoods import neighbourhoods


@usual_numbers()
def trustworthiness(X: Any, Z: Any, n_neighbors: int = 5, *, metric: str = "euclidean") -> float:
    """Return how far neighbours in the embedding are neighbours in the data.

    Among the k nearest rows of every row i in `Z`, those that are not among its k nearest in
    `X` count by how far down the list in `X` they stand, r(i, j)::

        T(k) = 1 − 2 / (n k (2n − 3k − 1)) · Σᵢ Σⱼ max(0, r(i, j) − k)

    Parameters
    ----------
    X : table or array-like of shape (n_rows, n_columns), or images of shape (n_rows, ...)
        The data; best rows that the embedding was not trained on.
    Z : table or array-like of shape (n_rows, n_components)
        The same rows' embedding.
    n_neighbors : int, default=5
        k, below half the number of rows.
    metric : {"euclidean", "cityblock", "cosine"}, default="euclidean"
        Distance between rows of `X`. In `Z` it is Euclidean.

    Returns
    -------
    float
        From 0 to 1: 1 if no row has a false neighbour. An embedding that has nothing to do
        with `X` gets 1 − (n − 1 − k)(n − k) / ((n − 1)(2n − 3k − 1)) on average, which is
        near one half.

    Raises
    ------
    ValueError
        If `n_neighbors` does not fit the number of rows, `X` and `Z` differ in it, or there is
        text, NaN or infinity in them.

    See Also
    --------
    continuity : The same the other way round.
    embedding_quality : All of them at once, in the time of one.

    Notes
    -----
    Without ties it is what ``sklearn.manifold.trustworthiness`` returns, and the matrix of all
    distances is never held in memory. Where rows tie for the last places among the k nearest,
    scikit-learn lets their order and rounding decide. Here each of t rows that tie for s
    places is a neighbour with weight s/t; a row counts with the weight it has in `Z` beyond
    that in `X`, and with its mean rank beyond k. The order of the rows thus plays no part,
    ``trustworthiness(X, X)`` is 1 whatever the duplicates, and an embedding of all rows in one
    point is worth as much as one that has nothing to do with `X`. Distances that agree to
    eleven digits are ties.

    References
    ----------
    Venna, J. and Kaski, S. (2001). Neighborhood preservation in nonlinear projection methods:
    an experimental study. ICANN 2001, 485–491. https://doi.org/10.1007/3-540-44668-0_68

    Examples
    --------
    >>> import narrows
    >>> from narrows.quality import trustworthiness
    >>> X = narrows.datasets.iris().drop(columns="Species")
    >>> Z = narrows.PCA(2).fit_transform(X)
    >>> round(trustworthiness(X, Z), 3)
    0.979
    """
    x, z, k = _checked(X, Z, n_neighbors, metric, "trustworthiness")
    return _one_way(points(z, "euclidean"), points(x, metric), k)


@usual_numbers()
def continuity(X: Any, Z: Any, n_neighbors: int = 5, *, metric: str = "euclidean") -> float:
    """Return how far neighbours in the data are neighbours in the embedding.

    Trustworthiness with the two spaces exchanged: among the k nearest rows of every row in
    `X`, those that are not among its k nearest in `Z` count by how far down the list in `Z`
    they stand.

    Parameters
    ----------
    X : table or array-like of shape (n_rows, n_columns), or images of shape (n_rows, ...)
        The data; best rows that the embedding was not trained on.
    Z : table or array-like of shape (n_rows, n_components)
        The same rows' embedding.
    n_neighbors : int, default=5
        k, below half the number of rows.
    metric : {"euclidean", "cityblock", "cosine"}, default="euclidean"
        Distance between rows of `X`. In `Z` it is Euclidean.

    Returns
    -------
    float
        From 0 to 1: 1 if the embedding tears no neighbours apart.

    Raises
    ------
    ValueError
        If `n_neighbors` does not fit the number of rows, `X` and `Z` differ in it, or there is
        text, NaN or infinity in them.

    See Also
    --------
    trustworthiness : The formula, what chance gives, and how ties count.

    References
    ----------
    Venna, J. and Kaski, S. (2001). Neighborhood preservation in nonlinear projection methods:
    an experimental study. ICANN 2001, 485–491. https://doi.org/10.1007/3-540-44668-0_68

    Examples
    --------
    >>> import narrows
    >>> from narrows.quality import continuity
    >>> X = narrows.datasets.iris().drop(columns="Species")
    >>> Z = narrows.PCA(2).fit_transform(X)
    >>> round(continuity(X, Z), 3)
    0.99
    """
    x, z, k = _checked(X, Z, n_neighbors, metric, "continuity")
    return _one_way(points(x, metric), points(z, "euclidean"), k)


@usual_numbers()
def neighbour_agreement(
    X: Any, Z: Any, n_neighbors: int = 5, *, metric: str = "euclidean"
) -> float:
    """Return the share of a row's nearest neighbours that are the same in both spaces.

    The mean over rows of the number of rows among the k nearest both in `X` and in `Z`,
    divided by k; Lee and Verleysen's Q_NX(k).

    Parameters
    ----------
    X : table or array-like of shape (n_rows, n_columns), or images of shape (n_rows, ...)
        The data; best rows that the embedding was not trained on.
    Z : table or array-like of shape (n_rows, n_components)
        The same rows' embedding.
    n_neighbors : int, default=5
        k, below the number of rows.
    metric : {"euclidean", "cityblock", "cosine"}, default="euclidean"
        Distance between rows of `X`. In `Z` it is Euclidean.

    Returns
    -------
    float
        From 0 to 1. An embedding that has nothing to do with `X` gets k / (n − 1) on average.

    Raises
    ------
    ValueError
        If `n_neighbors` does not fit the number of rows, `X` and `Z` differ in it, or there is
        text, NaN or infinity in them.

    See Also
    --------
    trustworthiness : Weighs false neighbours by how far away they are.

    Notes
    -----
    Each of t rows that tie for the last s places is a neighbour with weight s/t, and one that
    is a neighbour in both spaces counts with the smaller of its two weights.

    References
    ----------
    Lee, J. A. and Verleysen, M. (2009). Quality assessment of dimensionality reduction:
    rank-based criteria. Neurocomputing 72(7–9), 1431–1443.
    https://doi.org/10.1016/j.neucom.2008.12.017

    Examples
    --------
    >>> import narrows
    >>> from narrows.quality import neighbour_agreement
    >>> X = narrows.datasets.iris().drop(columns="Species")
    >>> Z = narrows.PCA(2).fit_transform(X)
    >>> round(neighbour_agreement(X, Z), 2)
    0.64
    """
    owner = "neighbour_agreement"
    check_metric(metric, owner)
    x, z = check_spaces(X, Z, owner, min_rows=2)
    k = check_neighbours(n_neighbors, len(x) - 1, owner, f"below the {len(x)} rows")
    both = neighbourhoods(k, points(z, "euclidean"), points(x, metric))
    return agreement(sum(intrusion(*block)[0] for block in both), len(x), k)


def _one_way(own: Points, other: Points, n_neighbors: int) -> float:
    both = neighbourhoods(n_neighbors, own, other)
    excess = sum(intrusion(*block)[1] for block in both)
    return kept(excess, len(own.values), n_neighbors)


def _checked(
    X: Any, Z: Any, n_neighbors: Any, metric: Any, owner: str
) -> tuple[np.ndarray, np.ndarray, int]:
    check_metric(metric, owner)
    x, z = check_spaces(X, Z, owner, min_rows=3)
    return x, z, check_below_half(n_neighbors, len(x), owner)
