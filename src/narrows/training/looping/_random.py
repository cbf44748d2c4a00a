"""Random numbers inside a compiled training: a counter hashed with a key.

Drawing dropout masks with Keras's own generator (threefry, about a hundred operations a number)
takes a good part of a small training (``benchmarks/kernels.py``). Masks need no cryptographic
strength, so here a position is hashed with a few multiplications. A number depends on the
restart's key, the step, the layer and the position only, so a restart draws the same masks alone
and among a hundred.
"""

import jax
import jax.numpy as jnp
from jax.extend.random import define_prng_impl


def mix(x: jax.Array) -> jax.Array:
    """Hash 32-bit words to 32-bit words, one to one.

    The constants are C. Wellons's ``lowbias32`` (Prospecting for Hash Functions, 2018,
    nullprogram.com/blog/2018/07/31), found by search for low bias between any input and any
    output bit.
    """
    x = x ^ (x >> 16)
    x = x * jnp.uint32(0x7FEB352D)
    x = x ^ (x >> 15)
    x = x * jnp.uint32(0x846CA68B)
    return x ^ (x >> 16)


def bits(key: jax.Array, step: jax.Array, site: int, shape: tuple[int, ...]) -> jax.Array:
    """Draw random 32-bit words.

    Shapes: `key` (2,).
    """
    size = 1
    for length in shape:
        size *= length
    first = mix(key[0] + mix(step.astype(jnp.uint32) + jnp.uint32(site * 0x9E3779B9 % 2**32)))
    second = mix(first ^ key[1])
    # An odd multiplier of its own for every draw: with a mere offset, two draws whose keys lie
    # close together would be the same sequence, shifted.
    position = jax.lax.iota(jnp.uint32, size).reshape(shape)
    return mix(position * (first | jnp.uint32(1)) + second)


def _seed(words: jax.Array) -> jax.Array:
    return jnp.stack([jnp.uint32(0), words.astype(jnp.uint32)])


def _draw(key: jax.Array, bit_width: int, shape: tuple[int, ...]) -> jax.Array:
    drawn = bits(key, jnp.uint32(0), 0, shape)
    return drawn if bit_width == 32 else drawn.astype(f"uint{bit_width}")


def _split(key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    return bits(key, jnp.uint32(0), 1, (*shape, 2))


def _fold_in(key: jax.Array, data: jax.Array) -> jax.Array:
    return bits(key ^ data.astype(jnp.uint32), jnp.uint32(0), 2, (2,))


_GENERATOR = define_prng_impl(
    key_shape=(2,),
    seed=_seed,
    split=_split,
    random_bits=_draw,
    fold_in=_fold_in,
    name="narrows_hash",
    tag="narrows",
)


def generator_key(key: jax.Array) -> jax.Array:
    """Wrap a key of two words so that `jax.random`, and with it Keras's initializers, draw by hash.

    The draw compiles several times faster than by threefry (``benchmarks/kernels.py``).
    """
    return jax.random.wrap_key_data(key, impl=_GENERATOR)


def keep_mask(
    key: jax.Array, step: jax.Array, site: int, shape: tuple[int, ...], dropped: jax.Array
) -> jax.Array:
    """Draw booleans of shape `shape`, false for words below `dropped`, see `threshold`."""
    return bits(key, step, site, shape) >= dropped


def threshold(rate: float) -> int:
    """Return below which word a draw counts, with probability `rate`."""
    return min(max(round(rate * 2**32), 0), 2**32 - 1)


def normal(key: jax.Array, step: jax.Array, site: int, shape: tuple[int, ...]) -> jax.Array:
    """Draw float32 standard normal numbers of shape `shape`, by the inverse error function."""
    # 23 bits and a half step: the uniform lies strictly inside (-1, 1), so no result is infinite.
    uniform = (bits(key, step, site, shape) >> 9).astype(jnp.float32) * jnp.float32(2.0**-22)
    centred = uniform + jnp.float32(2.0**-23 - 1.0)
    return jnp.float32(2.0**0.5) * jax.lax.erf_inv(centred)
