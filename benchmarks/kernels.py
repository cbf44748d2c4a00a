"""Choices inside the engine against what they replaced: above 1, the choice is the faster one.

Run: ``python benchmarks/kernels.py``. Both sides of a row run in turn in one process.

* a small kernel's gradient with and without the barrier that keeps a transpose;
* a convolution inside a compiled loop as patches times a matrix, and as XLA's own;
* dropout masks by hash, and by Keras's generator;
* initial weights by hash, and by threefry: time to compile.
"""

import statistics

import jax
import jax.numpy as jnp
import numpy as np
from _common import arguments, machine, seconds, table, write
from jax import lax

from narrows._keras import keras
from narrows.training.compiling import _convolutions, _layers
from narrows.training.looping import _random

LOOPS = 300


def looped(function, first, *others):
    """Compile a loop that calls `function` on what it returned before; return a runner."""

    def run(first):
        def body(_, value):
            result = function(value, *others)
            return value + result.reshape(-1)[0] * 1e-30

        return lax.fori_loop(0, LOOPS, body, first)

    compiled = jax.jit(run).lower(first).compile()
    compiled(first).block_until_ready()
    return lambda: compiled(first).block_until_ready()


def ratio(new, old, repeats: int) -> float:
    """Return old time over new time, medians of runs in turn."""
    pairs = [(seconds(new), seconds(old)) for _ in range(repeats)]
    ours, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
    return theirs / ours


def normal(*shape) -> jax.Array:
    """Return made-up numbers."""
    return jnp.asarray(np.random.default_rng(0).normal(size=shape), jnp.float32)


def gradients(repeats: int) -> list[list]:
    """Compare the two ways to a kernel's gradient, for ten lanes of 32 rows."""

    def plain(x, g):
        return jnp.einsum("lbi,lbo->lio", x, g)

    def kept(x, g):
        return jnp.matmul(lax.optimization_barrier(jnp.swapaxes(x, 1, 2)), g)

    rows = []
    for inputs, outputs in ((150, 50), (50, 25), (2, 150), (256, 128), (784, 500)):
        x, g = normal(10, 32, inputs), normal(10, 32, outputs)
        found = ratio(looped(kept, x, g), looped(plain, x, g), repeats)
        used = "yes" if 32 * inputs * outputs <= _layers._SMALL_PRODUCT else "no"
        rows.append([f"kernel gradient {inputs} × {outputs}, 10 lanes", f"{found:.2f}", used])
    return rows


def convolution(repeats: int) -> list[list]:
    """Compare a 3 × 3 convolution of 32 to 64 filters on 128 images of 14 × 14, with gradients."""
    x, kernel = normal(128, 14, 14, 32), normal(3, 3, 32, 64)

    def loss(convolve):
        def run(kernel):
            return jax.grad(lambda kernel: jnp.sum(convolve(kernel) ** 2))(kernel)

        return run

    def patches(kernel):
        return _convolutions.convolve(x, kernel, (1, 1), "same", (1, 1))

    def native(kernel):
        return keras.ops.conv(x, kernel, padding="same", data_format="channels_last")

    global LOOPS
    before, LOOPS = LOOPS, 3
    found = ratio(looped(loss(patches), kernel), looped(loss(native), kernel), repeats)
    LOOPS = before
    return [["convolution inside a loop", f"{found:.2f}", "yes"]]


def masks(repeats: int) -> list[list]:
    """Compare dropout masks of 32 × 150."""
    key, x = jnp.arange(2, dtype=jnp.uint32), normal(32, 150)
    dropped = jnp.uint32(_random.threshold(0.2))

    def hashed(x):
        return jnp.where(_random.keep_mask(key, jnp.uint32(x[0, 0]), 1, x.shape, dropped), x, 0)

    def threefry(x):
        seed = jnp.stack([jnp.uint32(1), jnp.uint32(x[0, 0])])
        return keras.random.dropout(x, 0.2, seed=seed)

    found = ratio(looped(hashed, x), looped(threefry, x), repeats)
    return [["dropout mask 32 × 150", f"{found:.2f}", "yes"]]


def initial_weights(repeats: int) -> list[list]:
    """Compare how long eight Glorot-uniform matrices take to compile."""
    shapes = [(4, 150), (150, 50), (50, 25), (25, 2), (2, 150), (150, 50), (50, 25), (25, 4)]

    def compiling(wrap):
        def run(key):
            made = keras.initializers.GlorotUniform()
            drawn = []
            for number, shape in enumerate(shapes):
                made.seed = wrap(key + jnp.uint32(number))
                drawn.append(made(shape))
            return drawn

        return lambda: jax.jit(lambda key: run(key)).lower(jnp.zeros(2, jnp.uint32)).compile()

    found = ratio(compiling(_random.generator_key), compiling(lambda key: key), repeats)
    return [["compiling the draw of initial weights", f"{found:.2f}", "yes"]]


def main() -> None:
    """Run all and write the table."""
    options = arguments(__doc__).parse_args()
    repeats = max(options.repeats, 3)
    rows = gradients(repeats) + convolution(repeats) + masks(repeats) + initial_weights(repeats)
    text = "\n\n".join(
        [
            "# Choices inside the engine",
            f"`python benchmarks/kernels.py --repeats {repeats}`, ratios of medians; "
            + machine(("keras", "jax", "numpy"))
            + ".",
            table(["what", "times faster than what it replaced", "used"], rows),
        ]
    )
    write("kernels.md", text, wanted=not options.no_write)


if __name__ == "__main__":
    main()
