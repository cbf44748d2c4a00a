"""All measures of one embedding, from one search for neighbours."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from narrows._session import usual_numbers
from narrows.quality._check import check_below_half, check_metric, check_spaces
from narrows.quality._distances import points
from narrows.quality._intrusion import agreement, intrusion, kept
from narrows.quality._neighbourhoods import neighbourhoods


@dataclass(frozen=True)
class Quality:
    """How far an embedding keeps the neighbours of the data.

    Parameters
    ----------
    trustworthiness : float
        Near 1: neighbours in the embedding are neighbours in the data.
    continuity : float
        Near 1: neighbours in the data are neighbours in the embedding.
    neighbour_agreement : float
        Share of the nearest neighbours that are the same in both.
    n_neighbors : int
        How many neighbours were looked at.
    n_rows : int
        Of how many rows.
    """

    trustworthiness: float
    continuity: float
    neighbour_agreement: float
    n_neighbors: int
    n_rows: int

    def frame(self) -> pd.DataFrame:
        """Return the measures as a table of one row.

        Returns
        -------
        pandas.DataFrame
            Columns ``n_rows``, ``n_neighbors``, ``trustworthiness``, ``continuity``,
            ``neighbour_agreement``.
        """
        names = ("n_rows", "n_neighbors", "trustworthiness", "continuity", "neighbour_agreement")
        return pd.DataFrame({name: [getattr(self, name)] for name in names})

    def _repr_html_(self) -> str:
        return self.frame().to_html(index=False, float_format="{:.3f}".format)


@usual_numbers()
def embedding_quality(
    X: Any, Z: Any, n_neighbors: int = 5, *, metric: str = "euclidean"
) -> Quality:
    """Measure how far an embedding keeps the neighbours of the data.

    `trustworthiness`, `continuity` and `neighbour_agreement` at once; distances are computed
    and sorted once for all three.

    Parameters
    ----------
    X : table or array-like of shape (n_rows, n_columns), or images of shape (n_rows, ...)
        The data, scaled as the distances between rows should weigh the columns; best rows that
        the embedding was not trained on.
    Z : table or array-like of shape (n_rows, n_components)
        The same rows' embedding.
    n_neighbors : int, default=5
        k, below half the number of rows. Values depend on k and on the number of rows: compare
        embeddings at the same of both.
    metric : {"euclidean", "cityblock", "cosine"}, default="euclidean"
        Distance between rows of `X`. In `Z` it is Euclidean.

    Returns
    -------
    Quality

    Raises
    ------
    ValueError
        If `n_neighbors` does not fit the number of rows, `X` and `Z` differ in it, or there is
        text, NaN or infinity in them.

    See Also
    --------
    trustworthiness : The formula, what chance gives, and how ties count.
    neighbour_accuracy : Whether neighbours share their class.

    Examples
    --------
    >>> import narrows
    >>> from narrows.quality import embedding_quality
    >>> table = narrows.datasets.iris()
    >>> train, test = narrows.partition(table["Species"], random_state=0)
    >>> X = table.drop(columns="Species")
    >>> pca = narrows.PCA(2).fit(X.iloc[train])
    >>> quality = embedding_quality(X.iloc[test], pca.transform(X.iloc[test]))
    >>> quality.frame().round(2)
       n_rows  n_neighbors  trustworthiness  continuity  neighbour_agreement
    0      30            5             0.99        0.99                 0.91
    """
    owner = "embedding_quality"
    check_metric(metric, owner)
    x, z = check_spaces(X, Z, owner, min_rows=3)
    n, k = len(x), check_below_half(n_neighbors, len(x), owner)
    strangers = false = lost = 0.0
    for data, embedding in neighbourhoods(k, points(x, metric), points(z, "euclidean")):
        count, excess = intrusion(embedding, data)
        strangers, false = strangers + count, false + excess
        lost += intrusion(data, embedding)[1]
    return Quality(kept(false, n, k), kept(lost, n, k), agreement(strangers, n, k), k, n)
