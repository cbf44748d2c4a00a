"""Noise on the rows that the encoder sees in training, so that it learns to undo it."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from narrows.training.looping import _random

KINDS = ("gaussian", "masking", "swap")
_SITE, _DONOR_SITE = 0, 2**20  # of the random places in a step; layers have those from 1 on


class Noise(NamedTuple):
    """What is done to the rows.

    Attributes
    ----------
    kind : {"gaussian", "masking", "swap"}
    amount : float or scalar
        The standard deviation, or the share of entries that are replaced.
    replaced : uint32 scalar or None
        The share as `threshold` gives it, where `amount` is an input of the program.
    """

    kind: str
    amount: Any
    replaced: Any = None


def corrupt(
    noise: Noise, key: jax.Array, step: jax.Array, x: jax.Array, rows: jax.Array
) -> jax.Array:
    """Return what the encoder sees of a batch.

    ``"gaussian"`` adds independent normal numbers; ``"masking"`` sets entries to 0, each with the
    given probability (Vincent et al. 2010, jmlr.org/papers/v11/vincent10a.html, section 3.3);
    ``"swap"`` gives entries the value that another row of the batch has in the same place, so that
    every column keeps its distribution, for tables of mixed columns.

    Shapes: `key` (2,), `x` (batch, ...).
    """
    if noise.kind == "gaussian":
        return x + noise.amount * _random.normal(key, step, _SITE, x.shape)
    replaced = noise.replaced
    if replaced is None:
        replaced = jnp.uint32(_random.threshold(noise.amount))
    keep = _random.bits(key, step, _SITE, x.shape) >= replaced
    if noise.kind == "masking":
        return jnp.where(keep, x, jnp.zeros((), x.dtype))
    return jnp.where(keep, x, _other_rows(key, step, x, rows))


def _other_rows(key: jax.Array, step: jax.Array, x: jax.Array, rows: jax.Array) -> jax.Array:
    """Return, for every entry, the entry in the same place of another row drawn at random."""
    flat = x.reshape(len(x), -1)
    words = _random.bits(key, step, _DONOR_SITE, flat.shape)
    others = jnp.maximum(jnp.asarray(rows, jnp.int32) - 1, 1)
    # 24 bits are exact in float32; rounding up to `others` itself is cut off.
    share = (words >> 8).astype(jnp.float32) * jnp.float32(2.0**-24)
    ahead = jnp.minimum((share * others.astype(jnp.float32)).astype(jnp.int32), others - 1)
    own = jax.lax.broadcasted_iota(jnp.int32, flat.shape, 0)
    donors = (own + 1 + ahead) % jnp.maximum(jnp.asarray(rows, jnp.int32), 1)
    return jnp.take_along_axis(flat, donors, axis=0).reshape(x.shape)
