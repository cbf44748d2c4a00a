"""Landmarks of a map: what the network tells apart, in place of two coordinates.

A network that regresses coordinates puts a row it is unsure of between the groups that it may
belong to. One that says which landmark a row is near can be unsure, and its most likely answer is
still a place on the map.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree
from sklearn.cluster import MiniBatchKMeans

NEAREST = 32  # landmarks that a row's weight is shared over; the others' would be about 0
_ROWS_EACH = 4  # a landmark for fewer rows would be that row


@dataclass(frozen=True)
class Landmarks:
    """Places on a map, and what rows have to do with them.

    Attributes
    ----------
    places : float32 ndarray of shape (n_landmarks, width)
    radius : float
        The root mean square of the rows' distances to their nearest landmark.
    """

    places: np.ndarray
    radius: float

    def shares(self, places: np.ndarray) -> np.ndarray:
        """Return each place's nearest landmarks and how it is shared out over them.

        The share of landmark c is exp(−d²/2h²) over the sum of these, with d the distance to it and
        h the radius.

        Shapes: `places` (n_rows, width), (n_rows, 2k) returned.
        """
        k = min(NEAREST, len(self.places))
        distances, numbers = cKDTree(self.places).query(places, k=np.arange(1, k + 1))
        excess = distances**2 - distances[:, :1] ** 2
        weights = np.exp(-excess / (2 * max(self.radius, 1e-12) ** 2))
        weights /= weights.sum(axis=1, keepdims=True)
        return np.concatenate([numbers, weights], axis=1).astype(np.float32)


def landmark_count(wanted: int, n_rows: int) -> int:
    """Return how many landmarks a map of so many rows gets: at most one for four rows."""
    return max(min(wanted, n_rows // _ROWS_EACH), 1)


def choose_landmarks(places: np.ndarray, count: int, seed: int) -> Landmarks:
    """Return the centres of k-means over a map.

    Shapes: `places` (n_rows, width).
    """
    # In its own units, on which k-means' float32 sums depend.
    unit = float(places.std()) or 1.0
    scaled = np.asarray(places / unit, np.float32)
    distinct = np.unique(scaled, axis=0)
    if len(distinct) <= count:
        centres = distinct[np.arange(count) % len(distinct)]
    else:
        means = MiniBatchKMeans(
            count, init="random", n_init=1, batch_size=6000, max_iter=10,
            max_no_improvement=None, random_state=seed,
        )  # fmt: skip
        centres = means.fit(scaled).cluster_centers_
    centres = np.asarray(centres * unit, np.float32)
    nearest, _ = cKDTree(centres).query(places)
    return Landmarks(centres, float(np.sqrt(np.mean(nearest**2))))
