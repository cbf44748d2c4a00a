"""The k nearest rows of each row, a block of rows at a time.

Where several rows tie for the last places, each has the same share in them: one of t rows that
tie for s places is a neighbour with weight s/t. So neither the order of the rows nor rounding
decides, and an embedding that puts all rows in one place has every other row as a neighbour to
the same small degree.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from narrows.quality._counting import count_below
from narrows.quality._distances import Points

# Entries of a block of distances: 8 MiB.
BLOCK = 2**20
# Distances (squared, if Euclidean) that agree to this share count as ties. Data of few decimals
# is full of ties that floating point would break at random.
TIE = 1e-11


@dataclass(frozen=True)
class Neighbourhoods:
    """The neighbours of m among n rows.

    Parameters
    ----------
    n_neighbors : int
        k.
    distances : ndarray of shape (m, n)
        Infinite between a row and itself.
    error : ndarray of shape (m,)
        How far rounding may have moved them.
    low, high : ndarray of shape (m,)
        Nearer than `low` is a neighbour; between `low` and `high` rows tie for the last places.
    share : ndarray of shape (m,)
        The weight of those that tie.
    """

    n_neighbors: int
    distances: np.ndarray
    error: np.ndarray
    low: np.ndarray
    high: np.ndarray
    share: np.ndarray

    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Return rows and their neighbours, ties included; each of shape (n_pairs,)."""
        found = np.flatnonzero(self.distances <= self.high[:, None])
        rows, neighbours = np.divmod(found, self.distances.shape[1])
        return rows, neighbours

    def weights(self, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Return how far pairs are neighbours, from 0 to 1; shape (n_pairs,)."""
        distances = self.distances[rows, others]
        tied = np.where(distances <= self.high[rows], self.share[rows], 0.0)
        return np.where(distances < self.low[rows], 1.0, tied)

    def ranks_beyond(self, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Return r − k, by how many ranks pairs miss being neighbours; shape (n_pairs,).

        A rank among ties is the mean of those possible beyond k.
        """
        nearer, reached = _counts(self.distances, self.error, rows, self.distances[rows, others])
        first = np.maximum(nearer, self.n_neighbors) + 1
        last = np.maximum(reached, first)
        return (first + last) / 2 - self.n_neighbors


def neighbourhoods(n_neighbors: int, *spaces: Points) -> Iterator[tuple[Neighbourhoods, ...]]:
    """Go through the rows, a block of them in every space at a time."""
    n_rows = len(spaces[0].values)
    step = max(16, BLOCK // n_rows)
    for start in range(0, n_rows, step):
        rows = slice(start, min(start + step, n_rows))
        yield tuple(_block(space, rows, n_neighbors) for space in spaces)


def _block(space: Points, rows: slice, n_neighbors: int) -> Neighbourhoods:
    distances, error = space.distances(rows), space.error(rows)
    nearest = np.partition(distances, n_neighbors, axis=1)
    last, beyond = nearest[:, :n_neighbors].max(axis=1), nearest[:, n_neighbors]
    slack = TIE * last + error
    share = np.ones(len(last))
    crowded = np.flatnonzero(beyond <= last + slack)
    if len(crowded):
        nearer, reached = _counts(distances, error, crowded, last[crowded])
        share[crowded] = (n_neighbors - nearer) / (reached - nearer)
    return Neighbourhoods(n_neighbors, distances, error, last - slack, last + slack, share)


def _counts(
    values: np.ndarray, error: np.ndarray, rows: np.ndarray, distances: np.ndarray
) -> np.ndarray:
    """Count rows nearer than distances, and those not further; shape (2, n_pairs)."""
    slack = TIE * distances + error[rows]
    limits = np.stack([distances - slack, np.nextafter(distances + slack, np.inf)], axis=1)
    return count_below(values, np.repeat(rows, 2), limits.ravel()).reshape(-1, 2).T
