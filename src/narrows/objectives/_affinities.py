"""How near rows are to one another within a batch: the probabilities t-SNE starts from.

An array of shape (batch, batch) in float32 takes batch² × 4 bytes: 25 MB for 2500 rows, 100 MB
for 5000. The search holds about three of them at a time, whatever the number of columns.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from narrows._checks import refusal

# A precision times a row's mean squared distance lies in here, or the search gives up.
_LOWEST, _HIGHEST = 1e-12, 1e20
_LARGEST_STEP = 3.0
# Up to here differences, which are exact, cost little beside what follows.
_FEW_COLUMNS = 16
# Of two rows' squared lengths: eight roundings of float32.
_ROUNDING = 2.0**-21
# Of the entropy, in nats: what float32 sums of thousands of terms can reach.
_CLOSE = 3e-6


def largest_perplexity(batch_size: int) -> float:
    """Return the largest perplexity that a batch can hold, (n − 1)/3.

    A perplexity reads as a number of neighbours. With n − 1, which is the most that n rows can
    reach, every row would be as near as any other; a third of it leaves near and far apart and is
    the limit of Rtsne and openTSNE, which look at three times the perplexity's neighbours.

    Parameters
    ----------
    batch_size : int
        Rows in a batch, n.

    Returns
    -------
    float

    Examples
    --------
    >>> from narrows.objectives import largest_perplexity
    >>> largest_perplexity(121)
    40.0
    """
    return (batch_size - 1) / 3


def check_perplexity(perplexity: Any, batch_size: int, owner: str = "ParametricTSNE") -> None:
    """Refuse a perplexity that a batch cannot hold."""
    largest = largest_perplexity(batch_size)
    if largest < 1:
        raise ValueError(
            f"The 'perplexity' parameter of {owner} must be at most a third of the other rows in a "
            f"batch, and at least 1. Got batches of {batch_size} rows, which hold none. "
            "Give at least 4 rows, or a larger batch_size."
        )
    if not 1 <= perplexity <= largest:  # also false for NaN
        raise refusal(
            owner,
            "perplexity",
            f"be at least 1 and at most {_floor(largest):g}, a third of the other rows in a "
            f"batch of {batch_size}",
            repr(perplexity),
            "Lower it, or raise batch_size.",
        )


def _floor(value: float) -> float:
    """Round down to two decimals, so that the number printed is allowed."""
    return float(np.floor(value * 100) / 100)


def squared_distances(x, counted=None) -> jax.Array:
    """Return squared Euclidean distances within a batch, in units of the batch's own size.

    The rows are centred and divided by their largest absolute value first, so that squares neither
    overflow nor vanish whatever the data's scale; perplexities do not see a common factor. For more
    than 16 columns ``dᵢⱼ² = |xᵢ|² + |xⱼ|² − 2 xᵢ·xⱼ`` is a matrix product, with an error of about
    1e-7 · (|xᵢ|² + |xⱼ|²); up to 2⁻²¹ of that sum a distance is zero.

    Shapes: `x` (batch, ...), `counted` (batch,), (batch, batch) returned.
    """
    x = jnp.asarray(x, jnp.float32)
    x = x.reshape(x.shape[0], -1)
    keep = _keep(x.shape[0], counted)
    x = _unit(jnp.where(keep[:, None], x, 0.0))
    rows = jnp.maximum(jnp.sum(keep, dtype=jnp.float32), 1.0)
    x = jnp.where(keep[:, None], x - jnp.sum(x, axis=0, keepdims=True) / rows, 0.0)
    x = _unit(x)
    direct = x.shape[1] <= _FEW_COLUMNS
    return squared_differences(x[:, None], x[None]) if direct else _by_product(x)


def squared_differences(a, b) -> jax.Array:
    """Return the sum of squared differences along the last axis.

    It is summed column by column: no array with that axis is made, nor by its gradient.

    Shapes: (...) returned.
    """
    columns = range(a.shape[-1])
    return sum((jnp.square(a[..., k] - b[..., k]) for k in columns), start=jnp.float32(0.0))


def _by_product(x) -> jax.Array:
    # A GPU's and TPU's default would round the factors to ten bits.
    return _from_products(jnp.matmul(x, x.T, precision=jax.lax.Precision.HIGHEST))


def _from_products(products) -> jax.Array:
    lengths = jnp.diagonal(products)
    lengths = lengths[:, None] + lengths[None, :]
    distances = lengths - 2.0 * products
    # Where rounding is all there is, and on a GPU may differ between entries, rows are copies:
    # the search would take the least of such distances for the only neighbour.
    apart = (distances > _ROUNDING * lengths) & ~jnp.eye(len(products), dtype=bool)
    return jnp.where(apart, distances, 0.0)


def conditional_affinities(x, perplexity, counted=None, iterations: int = 64) -> jax.Array:
    """Return each row's probabilities of picking every other as its neighbour.

    With a precision βᵢ for every row, found such that the row's perplexity is the wanted one::

        P(j|i) = exp(−βᵢ dᵢⱼ²) / Σ_{k≠i} exp(−βᵢ dᵢₖ²)
        perplexity of row i = exp(−Σⱼ P(j|i) log P(j|i))

    The search brackets log β and takes Newton's step where that stays inside the bracket, the
    middle where it does not; it ends when every row is within 3e-6 of the wanted entropy, after
    8 to 17 steps for 2500 images.

    The perplexity is within 1e-3 of the wanted one up to 100, and within 1e-5 of its size above.
    It cannot be where more than `perplexity` rows stand at exactly the same smallest distance,
    as copies of a row do: these then share the probability equally, and the perplexity is
    their number.

    Parameters
    ----------
    x : array of shape (batch, ...)
        Rows; other axes are columns.
    perplexity : float or scalar array
        Where fewer rows count than hold it, `largest_perplexity` of these, and at least 1.
    counted : array of shape (batch,), optional
        1 for a row, 0 for padding, which may hold anything. By default all rows count.
    iterations : int, default=64
        The most steps of the search.

    Returns
    -------
    float32 array of shape (batch, batch)
        Row i holds ``P(·|i)``, batch² × 4 bytes. Rows sum to 1; the diagonal and padding are 0.

    References
    ----------
    van der Maaten, L. and Hinton, G. (2008). Visualizing data using t-SNE. Journal of Machine
    Learning Research 9, 2579–2605.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from narrows.objectives import conditional_affinities
    >>> x = jnp.array([[0.0], [1.0], [2.0], [4.0], [5.0], [6.0], [8.0]])
    >>> P = conditional_affinities(x, perplexity=2.0)
    >>> bool(jnp.allclose(jnp.exp(-jnp.sum(P * jnp.log(P + 1e-30), axis=1)), 2.0, atol=1e-3))
    True
    """
    distances = jax.lax.stop_gradient(squared_distances(x, counted))
    keep = _keep(distances.shape[0], counted)
    pairs = keep[:, None] & keep[None, :] & ~jnp.eye(keep.shape[0], dtype=bool)
    rows = jnp.sum(keep, dtype=jnp.float32)
    held = jnp.maximum((rows - 1.0) / 3.0, 1.0)
    wanted = jnp.minimum(jnp.asarray(perplexity, jnp.float32), held)

    # Only what a row's distances exceed its smallest by matters, and that in units of their mean.
    nearest = jnp.min(jnp.where(pairs, distances, jnp.inf), axis=1, keepdims=True)
    excess = jnp.where(pairs, distances - nearest, 0.0)
    mean = jnp.sum(excess, axis=1, keepdims=True) / jnp.maximum(rows - 1.0, 1.0)
    excess = jnp.where(pairs, excess / jnp.where(mean > 0, mean, 1.0), jnp.inf)

    precision = _search(excess, wanted, iterations)
    weights = _weights(excess, precision)
    return weights / jnp.maximum(jnp.sum(weights, axis=1, keepdims=True), 1.0)


def joint_affinities(x, perplexity, counted=None, iterations: int = 64) -> jax.Array:
    """Return the probability of every pair of rows, the same both ways.

    With n counted rows::

        P(i, j) = (P(j|i) + P(i|j)) / 2n

    Parameters
    ----------
    x, perplexity, counted, iterations
        As for `conditional_affinities`.

    Returns
    -------
    float32 array of shape (batch, batch)
        Symmetric up to rounding, batch² × 4 bytes. Sums to 1; the diagonal and padding are 0.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from narrows.objectives import joint_affinities
    >>> P = joint_affinities(jnp.arange(10.0)[:, None] ** 2, perplexity=3.0)
    >>> bool(jnp.allclose(P, P.T, atol=1e-7)), round(float(P.sum()), 5)
    (True, 1.0)
    """
    conditional = conditional_affinities(x, perplexity, counted, iterations)
    rows = jnp.sum(_keep(conditional.shape[0], counted), dtype=jnp.float32)
    return (conditional + conditional.T) / (2.0 * jnp.maximum(rows, 1.0))


def _keep(rows: int, counted) -> jax.Array:
    """Return which rows count; bool of shape (rows,)."""
    if counted is None:
        return jnp.ones(rows, bool)
    return jnp.asarray(counted) > 0


def _unit(x) -> jax.Array:
    """Divide by the largest absolute value."""
    largest = jnp.max(jnp.abs(x))
    return x / jnp.where(largest > 0, largest, 1.0)


def _weights(excess, precision) -> jax.Array:
    """Return exp(−β d), 0 where the distance is infinite; the nearest row's is 1."""
    return jnp.exp(-precision[:, None] * excess)


class _Bracket(NamedTuple):
    """Where each row's precision lies; shapes (batch,)."""

    low: jax.Array
    high: jax.Array
    precision: jax.Array
    done: jax.Array


@partial(jax.jit, static_argnames="iterations")  # else a call outside jit compiles it every time
def _search(excess, wanted, iterations: int) -> jax.Array:
    """Return each row's precision; shape (batch,). `excess` is infinite where there is no pair."""
    finite = jnp.isfinite(excess)
    ties = jnp.sum(excess == 0, axis=1, dtype=jnp.float32)
    # With that many equally near rows the entropy is above the wanted one for every precision,
    # or reaches it in the limit.
    tied = (ties >= wanted) | ~jnp.any(finite, axis=1)
    ones = jnp.ones(excess.shape[0], jnp.float32)
    start = _Bracket(_LOWEST * ones, _HIGHEST * ones, jnp.where(tied, _HIGHEST, ones), done=tied)
    log_wanted = jnp.log(wanted)

    def step(carry):
        number, bracket = carry
        return number + 1, _narrow(bracket, excess, log_wanted)

    def unfinished(carry):
        number, bracket = carry
        return (number < iterations) & ~jnp.all(bracket.done)

    # Lanes of a vmap go on together until the last is done; what they carry is small.
    return jax.lax.while_loop(unfinished, step, (0, start))[1].precision


def _narrow(bracket: _Bracket, excess, log_wanted) -> _Bracket:
    """Take one safeguarded Newton step on the logarithm of every row's precision."""
    precision = bracket.precision
    weights = _weights(excess, precision)
    # Where the distance is infinite the weight is 0, and their product must be too.
    first = jnp.where(weights > 0, weights * excess, 0.0)
    second = jnp.where(weights > 0, first * excess, 0.0)
    total = jnp.maximum(jnp.sum(weights, axis=1), 1.0)
    mean = jnp.sum(first, axis=1) / total
    variance = jnp.sum(second, axis=1) / total - mean**2

    too_wide = jnp.log(total) + precision * mean - log_wanted  # entropy above the wanted one
    low = jnp.where(too_wide > 0, precision, bracket.low)
    high = jnp.where(too_wide > 0, bracket.high, precision)
    # The entropy's derivative by log β is −β² Var(d²).
    slope = jnp.maximum(precision**2 * variance, 1e-12)
    size = jnp.clip(too_wide / slope, -_LARGEST_STEP, _LARGEST_STEP)
    newton = precision * jnp.exp(size)
    inside = (newton > low) & (newton < high)
    middle = jnp.sqrt(low) * jnp.sqrt(high)
    exact = jnp.abs(too_wide) < _CLOSE
    done = bracket.done | exact | (middle <= low) | (middle >= high)
    moved = jnp.where(inside, newton, middle)
    return _Bracket(low, high, jnp.where(done, precision, moved), done)
