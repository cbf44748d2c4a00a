"""A t-SNE map of a whole table: places for all its rows, found without a network.

Every row is pulled to its nearest neighbours and pushed off by all rows. Up to `EXACT_ROWS` the
push is summed over all pairs, beyond that it is read from a grid. Importing this imports JAX.

References
----------
van der Maaten, L. and Hinton, G. (2008). Visualizing data using t-SNE. Journal of Machine
Learning Research 9, 2579-2605.

Linderman, G. C., Rachh, M., Hoskins, J. G., Steinerberger, S. and Kluger, Y. (2019). Fast
interpolation-based t-SNE for improved visualization of single-cell RNA-seq data. Nature Methods
16, 243-245. doi:10.1038/s41592-018-0308-4. Its grid, here with linear interpolation.
"""

import itertools
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from narrows.embedders.tsne._ordered_scatter import added_at
from narrows.objectives import squared_differences
from narrows.training import bucket, pad_rows

EXACT_ROWS = 3000  # up to here all pairs cost less than the grid
LARGEST_EXACT = 10_000  # where there is no grid for the map's width
_NODES = {1: 4096, 2: 300}  # of the grid, along each axis
_BLOCK = 1024  # rows whose pairs are held at once
_EARLY = 2 / 15  # the share of the steps with exaggeration
_SEGMENT = 25  # steps between two looks at Ctrl-C
_SMALLEST_RATE = 20.0  # else a few hundred rows would hardly move


class _Moving(NamedTuple):
    """What a descent carries; arrays of shape (rows, width)."""

    places: jax.Array
    speed: jax.Array
    gains: jax.Array


def tsne_map(
    start: np.ndarray,
    neighbours: np.ndarray,
    *,
    steps: int = 750,
    exaggeration: float = 12.0,
    on_progress: Callable[[int, int], object] | None = None,
) -> np.ndarray:
    """Return places whose neighbours are those of the table.

    Descends the Kullback-Leibler divergence of t-SNE, for affinities that are 1/k for each of a
    row's k nearest neighbours, made symmetric; with gains (Jacobs 1988), as van der Maaten's code.
    In the first 2/15 of the steps the affinities are exaggerated and the momentum is .5, then .8.
    The learning rate is n/12 (Belkina et al. 2019, doi:10.1038/s41467-019-13055-y).

    Shapes: `start` (n_rows, width), `neighbours` (n_rows, k), (n_rows, width) returned.

    Notes
    -----
    On a grid memory is proportional to rows times neighbours, and a step takes seven fast Fourier
    transforms of 600 x 600 numbers, whatever the number of rows. Up to `EXACT_ROWS` a step takes
    rows² pairs.
    """
    n_rows, width = start.shape
    nodes = grid_nodes(n_rows, width)
    size = bucket(n_rows)
    deviation = float(start[:, 0].std())
    start = start / (deviation if deviation > 0 else 1.0) * 1e-2
    places = jnp.asarray(pad_rows(np.asarray(start, np.float32), size))
    moving = _Moving(places, jnp.zeros_like(places), jnp.ones_like(places))
    graph = jnp.asarray(pad_rows(np.asarray(neighbours, np.int32), size))
    counted = jnp.asarray(np.arange(size) < n_rows, jnp.float32)
    rate = max(n_rows / 12.0, _SMALLEST_RATE)
    early = round(steps * _EARLY)
    for first, last, factor, momentum in ((0, early, exaggeration, 0.5), (early, steps, 1.0, 0.8)):
        for done in range(first, last, _SEGMENT):
            count = min(_SEGMENT, last - done)
            moving = _descend(moving, graph, counted, count, factor, rate, momentum, nodes)
            jax.block_until_ready(moving)
            if on_progress is not None:
                on_progress(done + count, steps)
    return np.asarray(moving.places)[:n_rows]


def grid_nodes(n_rows: int, width: int) -> int:
    """Return how many nodes the grid has along an axis; 0 where all pairs are summed."""
    if n_rows <= EXACT_ROWS:
        return 0
    if width in _NODES:
        return _NODES[width]
    if n_rows > LARGEST_EXACT:
        raise ValueError(
            f"A map of {n_rows:,} rows must have 1 or 2 dimensions; with more it can have up to "
            f"{LARGEST_EXACT:,} rows. Got a 'bottleneck' of {width} instead. Use ParametricTSNE, "
            "which minimises t-SNE's loss in batches, or pass the 'places' themselves."
        )
    return 0


@partial(jax.jit, static_argnames="nodes", donate_argnums=0)
def _descend(
    moving: _Moving,
    neighbours: jax.Array,
    counted: jax.Array,
    steps: int,
    exaggeration: float,
    rate: float,
    momentum: float,
    nodes: int,
) -> _Moving:
    rows = jnp.sum(counted)

    def step(_: int, moving: _Moving) -> _Moving:
        places = moving.places
        pull = attraction(places, neighbours, counted)
        if nodes:
            total, push = grid_repulsion(places, counted, nodes)
        else:
            total, push = exact_repulsion(places, counted)
        slope = exaggeration * pull - push / jnp.maximum(total, 1e-12)
        same = jnp.sign(slope) == jnp.sign(moving.speed)
        gains = jnp.maximum(jnp.where(same, moving.gains * 0.8, moving.gains + 0.2), 0.01)
        speed = (momentum * moving.speed - rate * gains * slope) * counted[:, None]
        places = places + speed
        centre = jnp.sum(places * counted[:, None], axis=0) / rows
        return _Moving((places - centre) * counted[:, None], speed, gains)

    return jax.lax.fori_loop(0, steps, step, moving)


def attraction(places: jax.Array, neighbours: jax.Array, counted: jax.Array) -> jax.Array:
    """Return how the neighbours pull: Σⱼ P(i, j) w(i, j) (zᵢ − zⱼ), with w = 1/(1 + |zᵢ − zⱼ|²).

    Shapes: `places` (rows, width), `neighbours` (rows, k), `counted` (rows,), (rows, width)
    returned.
    """
    k = neighbours.shape[1]
    apart = places[:, None] - places[neighbours]
    kernel = counted[:, None] / (1.0 + jnp.sum(apart * apart, axis=2))
    pulls = kernel[:, :, None] * apart
    theirs = -pulls.reshape(-1, places.shape[1])
    both = added_at(
        pulls.sum(axis=1), neighbours.reshape(-1), theirs, len(places), jnp.abs(theirs).max()
    )
    return both / (2.0 * k * jnp.sum(counted))


def exact_repulsion(places: jax.Array, counted: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return Σ w over all ordered pairs, and for each row Σⱼ w² (zᵢ − zⱼ).

    Shapes: `places` (rows, width), `counted` (rows,), (rows, width) returned.
    """
    size = -(-len(places) // _BLOCK) * _BLOCK if len(places) > _BLOCK else len(places)
    padded = jnp.pad(places, ((0, size - len(places)), (0, 0)))

    def block(own: jax.Array) -> tuple[jax.Array, jax.Array]:
        kernel = counted[None] / (1.0 + squared_differences(own[:, None], places[None]))
        squares = kernel * kernel
        # Both terms are large where their difference is not: a GPU must not round the factors.
        pushed = jnp.matmul(squares, places, precision=jax.lax.Precision.HIGHEST)
        push = squares.sum(axis=1)[:, None] * own - pushed
        return kernel.sum(axis=1), push

    blocks = padded.reshape(-1, min(size, _BLOCK), places.shape[1])
    sums, push = jax.lax.map(block, blocks)
    # A row's kernel with itself is 1, and pushes nowhere.
    total = jnp.sum(sums.reshape(-1)[: len(places)] * counted) - jnp.sum(counted)
    return total, push.reshape(size, -1)[: len(places)] * counted[:, None]


def grid_repulsion(
    places: jax.Array, counted: jax.Array, nodes: int
) -> tuple[jax.Array, jax.Array]:
    """Return what `exact_repulsion` does, read from a grid over the map.

    Rows are shared out over the nodes around them, the kernels are summed over nodes by a fast
    Fourier transform of twice the grid's length, and the sums are interpolated linearly.

    Shapes: `places` (rows, width), `counted` (rows,), (rows, width) returned.
    """
    width = places.shape[1]
    held = jnp.where(counted[:, None] > 0, places, places[:1])  # padding widens no grid
    low = held.min(axis=0)
    spacing = jnp.maximum((held - low).max() / (nodes - 1) * 1.0001, 1e-12)
    corners = _corners((held - low) / spacing, (nodes,) * width)

    charge = jnp.zeros((2 * nodes,) * width)
    for at, share in corners:
        charge = added_at(charge, at, share * counted, len(places), 1.0)
    ring = jnp.arange(2 * nodes, dtype=jnp.float32)
    ring = jnp.where(ring < nodes, ring, ring - 2 * nodes) * spacing
    axes = jnp.meshgrid(*[ring] * width, indexing="ij")
    kernel = 1.0 / (1.0 + sum(axis * axis for axis in axes))
    kernels = jnp.stack([kernel, *[kernel * kernel * axis for axis in axes]])
    over = tuple(range(1, width + 1))
    waves = jnp.fft.rfftn(kernels, axes=over) * jnp.fft.rfftn(charge)[None]
    fields = jnp.fft.irfftn(waves, s=(2 * nodes,) * width, axes=over)
    read = sum(fields[(slice(None), *at)] * share for at, share in corners)
    # Each row's own share of the sum is about 1, as in the sum over pairs.
    return jnp.sum(read[0] * counted) - jnp.sum(counted), read[1:].T * counted[:, None]


def _corners(position: jax.Array, shape: tuple[int, ...]) -> list[tuple[tuple, jax.Array]]:
    """Return the nodes around positions (in units of the spacing) and the share of each."""
    last = jnp.asarray(shape) - 2
    below = jnp.clip(jnp.floor(position).astype(jnp.int32), 0, last)
    part = position - below
    found = []
    for corner in itertools.product((0, 1), repeat=len(shape)):
        share = jnp.ones(len(position))
        for axis, side in enumerate(corner):
            share = share * (part[:, axis] if side else 1.0 - part[:, axis])
        found.append((tuple(below[:, axis] + side for axis, side in enumerate(corner)), share))
    return found


def interpolated(fields: jax.Array, position: jax.Array) -> jax.Array:
    """Read fields between their nodes.

    Shapes: `fields` (fields, nodes, ...), `position` (rows, width), (fields, rows) returned.
    """
    corners = _corners(position, fields.shape[1:])
    return sum(fields[(slice(None), *at)] * share for at, share in corners)
