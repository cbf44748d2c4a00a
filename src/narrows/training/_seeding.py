"""Where a restart starts: its seeds, its initial weights, its batch order."""

import copy
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from narrows._keras import keras
from narrows.networks import Start
from narrows.training.looping import _random


@dataclass(frozen=True)
class Seeds:
    """The independent streams of one restart.

    Attributes
    ----------
    weights, masks : uint32 ndarrays of shape (2,)
        Keys of the initial weights and of dropout masks and input noise.
    order : numpy.random.SeedSequence
        Seeds the generator of batch orders.
    """

    weights: np.ndarray
    masks: np.ndarray
    order: np.random.SeedSequence


def restart_seeds(entropy: int, restart: int) -> Seeds:
    """Derive the streams of restart number `restart`, whatever the number of restarts.

    Uses NumPy's `SeedSequence`, whose children are independent (O'Neill 2015,
    pcg-random.org/posts/developing-a-seed_seq-alternative.html).
    """
    root = np.random.SeedSequence(entropy, spawn_key=(restart,))
    weights, masks, order = root.spawn(3)
    return Seeds(weights.generate_state(2), masks.generate_state(2), order)


class BatchOrder:
    """Draws one lane's rows for every epoch, epoch after epoch.

    Parameters
    ----------
    rows : int ndarray of shape (n_rows,)
        Which rows of the data this lane trains on; repeats are allowed (a bootstrap has them).
    seed : numpy.random.SeedSequence
    epoch_rows : int, optional
        How many rows an epoch has; by default all, once.
    """

    def __init__(
        self, rows: np.ndarray, seed: np.random.SeedSequence, epoch_rows: int | None = None
    ):
        self._rows = rows
        self._rng = np.random.Generator(np.random.PCG64(seed))
        self._epoch_rows = epoch_rows or len(rows)
        self._left = rows[:0]  # of the pass that is under way

    def draw(self, epochs: int) -> np.ndarray:
        """Return the rows in order for the next `epochs` epochs, shape (epochs, epoch_rows)."""
        if self._epoch_rows == len(self._rows):
            return self._passes(epochs)
        wanted = epochs * self._epoch_rows
        passes = max(-(-(wanted - len(self._left)) // len(self._rows)), 0)
        stream = np.concatenate([self._left, self._passes(passes).ravel()])
        self._left = stream[wanted:]
        return stream[:wanted].reshape(epochs, self._epoch_rows)

    def _passes(self, count: int) -> np.ndarray:
        return self._rng.permuted(np.tile(self._rows, (count, 1)), axis=1)


class GivenOrder:
    """Replays orders that the caller gives, to compare with another trainer."""

    def __init__(self, orders: np.ndarray):
        self._orders = iter(orders)

    def draw(self, epochs: int) -> np.ndarray:
        """Return the next `epochs` given orders, shape (epochs, n_rows)."""
        return np.stack([next(self._orders) for _ in range(epochs)])


def initial_weights(
    model: keras.Model, start: Start, key: jax.Array, given: dict[int, jax.Array]
) -> list[jax.Array]:
    """Return what every variable of a model starts from; meant to be compiled and `vmap`-ed.

    Shapes: `key` (2,).
    """
    return [
        given[place] if place in given else _draw(start, variable, key, place)
        for place, variable in enumerate(model.variables)
    ]


def _draw(start: Start, variable: keras.Variable, key: jax.Array, place: int) -> jax.Array:
    own_key = _random.bits(key, jnp.uint32(0), place, (2,))
    initializer = start.initializers.get(id(variable))
    if initializer is not None:
        initializer = copy.copy(initializer)
        # A seed the user gave is kept, and with it the same start for every restart.
        if getattr(initializer, "_init_seed", 0) is None:
            initializer.seed = _random.generator_key(own_key)
        return initializer(variable.shape, dtype=variable.dtype)
    if variable.path.endswith("seed_generator_state"):
        return own_key
    return jnp.asarray(variable.value)
