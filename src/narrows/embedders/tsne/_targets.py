"""What a map encoder's network is fitted to: a map of the rows, and shares of its landmarks.

Importing this imports JAX.
"""

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from narrows._progress import progress_bar
from narrows._session import usual_numbers
from narrows.embedders.tsne._landmarks import Landmarks, choose_landmarks, landmark_count
from narrows.embedders.tsne._map import grid_nodes, tsne_map
from narrows.embedders.tsne._refine import Reference
from narrows.training import engine

if TYPE_CHECKING:
    from narrows.embedders.tsne._map_encoder import TSNEMapEncoder

_JITTER = 1e-4  # of the start's standard deviation; else rows that are equal never part


@dataclass(frozen=True)
class MapTargets:
    """A map with landmarks, and the rows that it was made of.

    Attributes
    ----------
    reference : Reference
    places : float32 ndarray of shape (n_rows, bottleneck)
    landmarks : Landmarks
    """

    reference: Reference
    places: np.ndarray
    landmarks: Landmarks

    @usual_numbers()
    def of_rows(self, X: np.ndarray, decoded: bool) -> np.ndarray:
        """Return what the objective is told of each row: shares of landmarks, and the row."""
        shares = self.landmarks.shares(self.places)
        return np.concatenate([shares, X.reshape(len(X), -1)], axis=1) if decoded else shares


@engine()
def map_targets(embedder: "TSNEMapEncoder", X: np.ndarray, entropy: int) -> MapTargets:
    """Map the rows, or take the places that the user has for them, and choose landmarks."""
    seed = entropy % 2**32
    width = int(embedder.bottleneck)
    if embedder.places is None:
        grid_nodes(len(X), width)  # refuses what cannot be mapped before any work
    reference = Reference.of(X, seed)
    if embedder.places is None:
        neighbors = reference.neighbors(min(int(embedder.n_neighbors), len(X) - 1))
        start = _start(reference.rows, width, seed)
        places = _mapped(embedder, start, neighbors)
    else:
        places = np.asarray(embedder.places, np.float32)
    count = landmark_count(int(embedder.landmarks), len(X))
    return MapTargets(reference, places, choose_landmarks(places, count, seed))


def _mapped(embedder: "TSNEMapEncoder", start: np.ndarray, neighbors: np.ndarray) -> np.ndarray:
    """Make the map, with a bar if the embedder is verbose."""
    steps, report = int(embedder.map_steps), None
    with contextlib.ExitStack() as stack:
        if embedder.verbose:
            report = stack.enter_context(progress_bar("mapping", "steps", steps))
        return tsne_map(
            start, neighbors, steps=steps, exaggeration=float(embedder.exaggeration),
            on_progress=report,
        )  # fmt: skip


def _start(rows: np.ndarray, width: int, seed: int) -> np.ndarray:
    """Return the first principal components of rows, with a little noise."""
    wanted = min(width, *rows.shape)
    if rows.shape[1] <= width:
        found = rows
    else:
        _, _, axes = np.linalg.svd(rows.T @ rows)
        axes = axes[:wanted]
        # An axis has no direction of its own: its largest entry is positive.
        largest = np.abs(axes).argmax(axis=1)
        found = rows @ (axes * np.sign(axes[np.arange(wanted), largest])[:, None]).T
    found = np.pad(found, ((0, 0), (0, width - found.shape[1])))
    unit = float(found[:, 0].std()) or 1.0
    noise = np.random.Generator(np.random.PCG64(seed)).standard_normal(found.shape)
    return found + _JITTER * unit * noise
