"""Sums at places: of whole numbers, as on a GPU, against NumPy's in float64."""

import jax.numpy as jnp
import numpy as np
import pytest

from narrows.embedders.tsne import _ordered_scatter
from narrows.embedders.tsne._map import attraction, grid_repulsion
from narrows.embedders.tsne._ordered_scatter import added_at

ROWS = 3000


@pytest.fixture
def gpu_like(monkeypatch):
    monkeypatch.setattr(_ordered_scatter, "adds_in_order", lambda: False)


def some_values(rows=ROWS):
    rng = np.random.default_rng(0)
    return 1 + rng.uniform(size=(rows, 2)).astype("float32"), rng.integers(0, 7, rows)


def added(values, at):
    return np.asarray(added_at(jnp.zeros((7, 2)), at, values, len(values), np.abs(values).max()))


def test_other_orders_give_the_same_bits(gpu_like):
    values, at = some_values()
    first = added(values, at)
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(ROWS)
        np.testing.assert_array_equal(added(values[order], at[order]), first)


def test_of_floats_they_do_not():
    """Otherwise the test above could not fail."""
    values, at = some_values()
    order = np.random.default_rng(0).permutation(ROWS)
    assert np.any(added(values[order], at[order]) != added(values, at))


@pytest.mark.parametrize("rows", [1, 50, ROWS, 100_000])
def test_sums_are_numpys_in_float64(gpu_like, rows):
    values, at = some_values(rows)
    expected = np.zeros((7, 2))
    np.add.at(expected, at, values.astype(float))
    # A float32 sum of as many has an error of some 1e-7 of the absolute sum.
    np.testing.assert_allclose(added(values, at), expected, rtol=1e-6, atol=1e-8 * rows)


def test_all_of_the_largest_at_one_place_overflow_nothing(gpu_like):
    values = np.full((65_536, 2), -0.37, "float32")
    np.testing.assert_allclose(added(values, np.zeros(65_536, int))[0], -0.37 * 65_536, rtol=1e-6)


def test_nothing_but_zeros_is_zero(gpu_like):
    assert not np.any(added(np.zeros((5, 2), "float32"), np.arange(5)))


@pytest.mark.long
@pytest.mark.parametrize("width", [1, 2])
def test_forces_are_those_of_float_sums(width, monkeypatch):
    rng = np.random.default_rng(1)
    places = jnp.asarray(10 * rng.normal(size=(500, width)), jnp.float32)
    neighbours = jnp.asarray([rng.permutation(500)[:9] for _ in range(500)])
    counted = jnp.asarray(np.arange(500) < 480, jnp.float32)

    def forces():
        total, push = grid_repulsion(places, counted, 100)
        return [attraction(places, neighbours, counted), push, total]

    floats = forces()
    monkeypatch.setattr(_ordered_scatter, "adds_in_order", lambda: False)
    for found, expected in zip(forces(), floats, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())
