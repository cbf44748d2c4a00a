"""New rows on a map: nearer to their neighbours, and each for itself."""

import numpy as np
import pytest
from scipy.stats import entropy

from narrows.embedders.tsne._map import interpolated
from narrows.embedders.tsne._refine import COMPONENTS, Field, Reference, perplexed, refined


@pytest.fixture(scope="module")
def groups():
    """Five groups of 60 rows in 80 columns, and a map that shows them."""
    rng = np.random.default_rng(0)
    centres = 6 * rng.normal(size=(5, 80))
    label = np.repeat(np.arange(5), 60)
    X = (centres[label] + rng.normal(size=(300, 80))).astype("float32")
    corners = 20 * np.stack([np.cos(np.arange(5) * 1.257), np.sin(np.arange(5) * 1.257)], axis=1)
    places = (corners[label] + 2 * rng.normal(size=(300, 2))).astype("float32")
    new = np.repeat(np.arange(5), 8)
    rows = (centres[new] + rng.normal(size=(40, 80))).astype("float32")
    return Reference.of(X, 0), places, rows, corners[new]


def test_rows_go_to_their_neighbours(groups):
    reference, places, rows, wanted = groups
    assert reference.rows.shape == (300, COMPONENTS)
    start = np.zeros((40, 2), np.float32)
    assert np.linalg.norm(start - wanted, axis=1).min() > 19
    found = refined(reference, places, rows, start)
    assert np.linalg.norm(found - wanted, axis=1).max() < 8


def test_rows_do_not_see_each_other(groups):
    reference, places, rows, _ = groups
    start = np.zeros((40, 2), np.float32)
    together = refined(reference, places, rows, start)
    alone = np.concatenate(
        [refined(reference, places, rows[i : i + 1], start[i : i + 1]) for i in (0, 17, 39)]
    )
    np.testing.assert_allclose(alone, together[[0, 17, 39]], atol=1e-3)


@pytest.mark.parametrize("width", [1, 2])
def test_the_field_is_the_sum_over_the_map(width):
    rng = np.random.default_rng(0)
    places = rng.uniform(-20, 20, size=(200, width))
    at = rng.uniform(-25, 25, size=(50, width))
    field = Field.of(places)
    found = interpolated(field.sums, (at - np.asarray(field.low)) / field.spacing)
    apart = at[:, None] - places[None]
    kernel = 1 / (1 + (apart**2).sum(axis=2))
    expected = [kernel.sum(axis=1), *(kernel[:, :, None] ** 2 * apart).sum(axis=1).T]
    for one, two in zip(found, expected, strict=True):
        assert np.abs(one - two).max() < 0.1 * np.abs(two).max()
        assert np.corrcoef(one, two)[0, 1] > 0.99


def test_affinities_have_their_perplexity():
    rng = np.random.default_rng(0)
    squared = np.sort(rng.exponential(size=(30, 15)) * 10.0 ** rng.integers(-3, 4, (30, 1)), axis=1)
    np.testing.assert_allclose(np.exp(entropy(perplexed(squared, 5.0), axis=1)), 5.0, rtol=1e-6)


def test_few_rows_have_few_neighbours():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3, 4)).astype("float32")
    reference = Reference.of(X, 0)
    assert reference.components is None
    places = np.array([[0.0, 0], [5, 0], [0, 5]], np.float32)
    found = refined(reference, places, X[:1], places[:1])
    assert np.isfinite(found).all()


def test_the_descent_is_that_of_the_formula(groups):
    """A hundred steps in float64 with the push of every pair, in place of the grid's."""
    reference, places, rows, _ = groups
    distances, numbers = reference.nearest(rows, 15)
    P, near = perplexed(distances.astype(float) ** 2, 5.0), places[numbers].astype(float)
    start = np.random.default_rng(0).uniform(-5, 5, size=(40, 2))
    z, speed = start.copy(), np.zeros((40, 2))
    for _ in range(100):
        apart = z[:, None] - near
        pull = 4 * ((P / (1 + (apart**2).sum(axis=2)))[:, :, None] * apart).sum(axis=1)
        apart = z[:, None] - places
        w = 1 / (1 + (apart**2).sum(axis=2))
        slope = pull - (w[:, :, None] ** 2 * apart).sum(axis=1) / w.sum(axis=1)[:, None]
        length = np.linalg.norm(slope, axis=1, keepdims=True)
        speed = 0.8 * speed - 0.3 * slope * np.minimum(1, 0.25 / length)
        z = z + speed
    found = refined(reference, places, rows, start)
    assert np.linalg.norm(z - start, axis=1).min() > 1
    assert np.median(np.linalg.norm(found - z, axis=1)) < 0.02
    assert np.linalg.norm(found - z, axis=1).max() < 0.2
