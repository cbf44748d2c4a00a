"""Noise on the encoder's input does what its name says, and to the input only."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from narrows._keras import keras
from narrows.objectives import Reconstruction
from narrows.training import Noise, Recipe, train
from narrows.training._seeding import restart_seeds
from narrows.training.looping import _random
from narrows.training.looping._noise import corrupt

KEY = jnp.array((7, 11), jnp.uint32)
X = np.random.default_rng(0).normal(size=(300, 4, 5)).astype("float32") + 3


def seen(kind, amount, x=X, rows=None, step=3):
    rows = len(x) if rows is None else rows
    return np.asarray(corrupt(Noise(kind, amount), KEY, jnp.uint32(step), x, jnp.float32(rows)))


def test_gaussian_adds_normal_numbers_of_the_deviation():
    added = seen("gaussian", 0.5) - X
    assert stats.kstest(added.ravel() / 0.5, "norm").pvalue > 1e-3
    drawn = _random.normal(KEY, jnp.uint32(3), 0, X.shape)
    np.testing.assert_allclose(added, 0.5 * np.asarray(drawn), atol=1e-6)


def test_masking_sets_the_share_to_zero_and_leaves_the_rest():
    masked = seen("masking", 0.2)
    zero = masked == 0
    assert stats.binomtest(int(zero.sum()), zero.size, 0.2).pvalue > 1e-3
    np.testing.assert_array_equal(masked[~zero], X[~zero])


@pytest.mark.parametrize("rows", [300, 200, 2])
def test_swap_takes_the_same_place_of_another_row_that_counts(rows):
    swapped = seen("swap", 0.3, rows=rows)[:rows]
    changed = swapped != X[:rows]
    assert stats.binomtest(int(changed.sum()), changed.size, 0.3).pvalue > 1e-3
    for column in np.ndindex(X.shape[1:]):
        at = (slice(None), *column)
        assert np.isin(swapped[at], X[:rows][at]).all(), "a value of another column or of padding"


@pytest.mark.long
def test_every_other_row_gives_as_often():
    rows, draws = 6, 400
    x = np.arange(rows, dtype="float32")[:, None] * np.ones(8, "float32")
    counts = np.zeros((rows, rows))
    for step in range(draws):
        swapped = seen("swap", 0.999999, x=x, step=step)
        for row in range(rows):
            counts[row] += np.bincount(swapped[row].astype(int), minlength=rows)
    assert np.trace(counts) <= 2, "a row gives nothing to itself"
    off = counts[~np.eye(rows, dtype=bool)]
    assert stats.chisquare(off).pvalue > 1e-3


def test_a_row_alone_has_nobody_to_swap_with():
    np.testing.assert_array_equal(seen("swap", 0.9, x=X[:1]), X[:1])
    np.testing.assert_array_equal(seen("swap", 0.9, rows=1)[0], X[0])


@pytest.mark.parametrize("kind", ["gaussian", "masking", "swap"])
def test_steps_differ(kind):
    assert not np.array_equal(seen(kind, 0.4), seen(kind, 0.4, step=4))


@pytest.mark.long
@pytest.mark.parametrize("kind", ["gaussian", "masking", "swap"])
def test_alone_equals_together(fit, recipe, kind):
    noisy = dataclasses.replace(recipe, noise=Noise(kind, 0.5))
    together = fit([(7, k) for k in range(3)], recipe=noisy)
    alone = fit([(7, 2)], recipe=noisy)
    np.testing.assert_allclose(alone.history[0], together.history[2], rtol=1e-4, atol=1e-5)
    assert not np.allclose(fit([(7, 2)]).weights[0], alone.weights[0], atol=1e-4)


@pytest.mark.parametrize("kind", ["gaussian", "masking", "swap"])
def test_the_network_sees_noise_and_is_held_to_the_clean_rows(rows, kind):
    """The first epoch's loss, at a learning rate of nothing, worked out from outside."""
    noise = Noise(kind, 0.4)
    keras.utils.set_random_seed(0)
    inputs = keras.Input((4,))
    model = keras.Model(inputs, keras.layers.Dense(4)(keras.layers.Dense(2)(inputs)))
    recipe = Recipe(model, Reconstruction("mse"), keras.optimizers.SGD(), noise=noise)
    training = train(
        recipe, rows, [np.arange(50)], [np.arange(50, 70)], epochs=1, batch_size=64,
        seeds=[(5, 1)], learning_rates=[1e-12], orders=[np.arange(50)[None]],
        initial=[np.asarray(v.value)[None] for v in model.variables],
    )  # fmt: skip
    batch = rows[np.concatenate([np.arange(50), np.zeros(14, int)])]  # as the engine pads it
    dirty = np.asarray(corrupt(noise, restart_seeds(5, 1).masks, jnp.uint32(0), batch, 50))[:50]
    assert not np.array_equal(dirty, rows[:50])
    expected = [np.mean((np.asarray(model(x)) - y) ** 2) for x, y in (
        (dirty, rows[:50]), (rows[50:], rows[50:])
    )]  # fmt: skip
    np.testing.assert_allclose(training.history[0, 0], expected, rtol=1e-5)
