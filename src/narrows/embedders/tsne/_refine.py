"""New rows on a map that is already there: a few steps of t-SNE, each row for itself.

Importing this imports JAX.
"""

import itertools
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from scipy.signal import fftconvolve
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from narrows.embedders.tsne._map import interpolated
from narrows.training import engine

COMPONENTS = 50
NEIGHBOURS = 15
_PERPLEXITY = 5.0
_EXAGGERATION = 4.0
_STEPS = 100
_RATE, _MOMENTUM, _LONGEST = 0.3, 0.8, 0.25
_MARGIN = 20.0  # of the grid around the map
_SPACING = 0.25  # of its nodes; the kernel's own width is 1
_MOST_NODES = {1: 200_000, 2: 1500}
_BISECTIONS = 60


@dataclass(frozen=True)
class Reference:
    """A table that is on a map, in the columns in which neighbours are looked up.

    Attributes
    ----------
    mean : float32 ndarray of shape (n_columns,)
    components : float32 ndarray of shape (at most 50, n_columns), or None
        The principal components, of tables with more columns than that.
    rows : float32 ndarray of shape (n_rows, at most 50)
    """

    mean: np.ndarray
    components: np.ndarray | None
    rows: np.ndarray

    @classmethod
    def of(cls, X: np.ndarray, seed: int) -> "Reference":
        """Take over a table; its columns are those of a matrix, images flattened.

        Shapes: `X` (n_rows, ...).
        """
        flat = X.reshape(len(X), -1)
        mean = flat.mean(axis=0, dtype=np.float64).astype(np.float32)
        if flat.shape[1] <= COMPONENTS:
            return cls(mean, None, flat - mean)
        pca = PCA(min(COMPONENTS, len(flat)), random_state=seed).fit(flat - mean)
        components = np.asarray(pca.components_, np.float32)
        return cls(mean, components, (flat - mean) @ components.T)

    def columns(self, X: np.ndarray) -> np.ndarray:
        """Return rows in the columns of `rows`."""
        centred = X.reshape(len(X), -1) - self.mean
        return centred if self.components is None else centred @ self.components.T

    def neighbors(self, k: int) -> np.ndarray:
        """Return each row's k nearest others; int32 of shape (n_rows, k)."""
        search = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(self.rows)
        return search.kneighbors(return_distance=False).astype(np.int32)

    def nearest(self, X: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the distances and numbers of new rows' k nearest rows of the table."""
        search = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(self.rows)
        return search.kneighbors(self.columns(X))


@engine()
def refined(
    reference: Reference, places: np.ndarray, X: np.ndarray, start: np.ndarray
) -> np.ndarray:
    """Move new rows from the network's places to where t-SNE would have them.

    Each new row is pulled to its 15 nearest rows of the table, with affinities of perplexity 5 that
    are exaggerated four times, and pushed off by the whole map, read from a grid; the map stays as
    it is, and new rows do not see each other. 100 steps of descent with a momentum of .8, a rate of
    .3 and steps of at most .25.

    Shapes: `places` (n_rows, width), `X` (n_new, ...), `start` (n_new, width), (n_new, width)
    returned.

    References
    ----------
    Poličar, P. G., Stražar, M. and Zupan, B. (2019). Embedding to reference t-SNE space addresses
    batch effects in single-cell classification. Discovery Science, LNCS 11828, 246-260. The
    start at the network's place, and the settings, are other than theirs.
    """
    k = min(NEIGHBOURS, len(places))
    distances, numbers = reference.nearest(X, k)
    affinities = perplexed(distances.astype(np.float64) ** 2, min(_PERPLEXITY, (k + 1) / 2))
    field = Field.of(places)
    return np.asarray(
        _descend(
            jnp.asarray(start, jnp.float32), jnp.asarray(places[numbers], jnp.float32),
            jnp.asarray(affinities, jnp.float32), field.sums, field.low, field.spacing, _STEPS,
        )
    )  # fmt: skip


def perplexed(squared: np.ndarray, perplexity: float) -> np.ndarray:
    """Return affinities to a few neighbours, of a given perplexity, by bisection.

    Shapes: `squared` (n_rows, k), (n_rows, k) returned.
    """
    excess = squared - squared[:, :1]
    mean = excess.mean(axis=1, keepdims=True)
    excess = excess / np.where(mean > 0, mean, 1.0)
    low, high = np.full(len(excess), 1e-12), np.full(len(excess), 1e12)
    for _ in range(_BISECTIONS):
        precision = np.sqrt(low * high)
        weights = np.exp(-precision[:, None] * excess)
        total = weights.sum(axis=1)
        entropy = np.log(total) + precision * (weights * excess).sum(axis=1) / total
        wide = entropy > np.log(perplexity)
        low, high = np.where(wide, precision, low), np.where(wide, high, precision)
    return weights / total[:, None]


@dataclass(frozen=True)
class Field:
    """What a whole map does to a place, on a grid: sums over its rows of w and of w² times dz.

    Attributes
    ----------
    sums : array of shape (1 + width, nodes, ...)
    low : array of shape (width,)
        The first node.
    spacing : float
    """

    sums: jax.Array
    low: jax.Array
    spacing: float

    @classmethod
    def of(cls, places: np.ndarray) -> "Field":
        """Sum over a map.

        Shapes: `places` (n_rows, width).
        """
        width = places.shape[1]
        low = places.min(axis=0) - _MARGIN
        extent = places.max(axis=0) + _MARGIN - low
        spacing = max(_SPACING, float(extent.max()) / _MOST_NODES[width])
        nodes = np.ceil(extent / spacing).astype(int) + 2
        charge = _shared_out((places - low) / spacing, nodes)
        axes = np.meshgrid(*[np.arange(1 - n, n) * spacing for n in nodes], indexing="ij")
        kernel = 1.0 / (1.0 + sum(axis**2 for axis in axes))
        inner = tuple(slice(n - 1, 2 * n - 1) for n in nodes)
        kernels = [kernel, *[kernel**2 * axis for axis in axes]]
        sums = np.stack([fftconvolve(charge, one)[inner] for one in kernels])
        return cls(jnp.asarray(sums, jnp.float32), jnp.asarray(low, jnp.float32), spacing)


def _shared_out(position: np.ndarray, nodes: np.ndarray) -> np.ndarray:
    """Share rows out over the nodes around them; positions are in units of the spacing."""
    below = np.floor(position).astype(int)
    part = position - below
    charge = np.zeros(nodes)
    for corner in itertools.product((0, 1), repeat=position.shape[1]):
        share = np.prod(np.where(corner, part, 1 - part), axis=1)
        np.add.at(charge, tuple((below + corner).T), share)
    return charge


@partial(jax.jit, static_argnames="steps")
def _descend(
    start: jax.Array,
    neighbours: jax.Array,
    affinities: jax.Array,
    sums: jax.Array,
    low: jax.Array,
    spacing: float,
    steps: int,
) -> jax.Array:
    def step(_: int, moving: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        places, speed = moving
        apart = places[:, None] - neighbours
        kernel = affinities / (1.0 + jnp.sum(apart * apart, axis=2))
        pull = _EXAGGERATION * jnp.sum(kernel[:, :, None] * apart, axis=1)
        total, *push = interpolated(sums, (places - low) / spacing)
        slope = pull - jnp.stack(push, axis=1) / jnp.maximum(total, 1e-6)[:, None]
        length = jnp.linalg.norm(slope, axis=1, keepdims=True)
        slope = slope * jnp.minimum(1.0, _LONGEST / jnp.maximum(length, 1e-12))
        speed = _MOMENTUM * speed - _RATE * slope
        return places + speed, speed

    return jax.lax.fori_loop(0, steps, step, (start, jnp.zeros_like(start)))[0]
