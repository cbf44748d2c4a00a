import numpy as np
import pytest
from scipy.spatial.distance import cdist

from narrows.quality._distances import DIRECT_WIDTH, points

ROWS = slice(3, 8)


def reference(values, metric):
    found = cdist(values[ROWS], values, metric)
    found[np.arange(5), np.arange(3, 8)] = np.inf
    return found


@pytest.mark.parametrize("width", [1, DIRECT_WIDTH, DIRECT_WIDTH + 1, 200])
def test_euclidean_is_squared(width):
    values = np.random.default_rng(width).normal(size=(12, width)) + 5
    found = points(values, "euclidean").distances(ROWS)
    np.testing.assert_allclose(found, reference(values, "sqeuclidean"), rtol=1e-12)


@pytest.mark.parametrize("width", [2, DIRECT_WIDTH + 1])
def test_cosine_is_doubled(width):
    values = np.random.default_rng(width).normal(size=(12, width))
    found = points(values, "cosine").distances(ROWS)
    np.testing.assert_allclose(found, 2 * reference(values, "cosine"), rtol=1e-12)


def test_a_row_of_zeros_is_orthogonal_to_all():
    values = np.vstack([np.zeros(3), np.eye(3), -np.eye(3)])
    found = points(values, "cosine").distances(slice(0, 1))
    assert found.tolist() == [[np.inf, 2, 2, 2, 2, 2, 2]]


def test_cityblock():
    values = np.random.default_rng(0).normal(size=(12, 50))
    found = points(values, "cityblock").distances(ROWS)
    np.testing.assert_allclose(found, reference(values, "cityblock"), rtol=1e-12)


def test_whole_numbers_stay_exact_in_a_matrix_product():
    values = np.random.default_rng(0).integers(0, 255, (40, 784)).astype(float)
    found = points(values, "euclidean").distances(ROWS)
    assert np.array_equal(found, reference(values, "sqeuclidean"))


def test_error_of_a_matrix_product_is_within_what_is_stated():
    # A far cluster of close rows: differences cancel.
    rng = np.random.default_rng(0)
    values = np.vstack([rng.normal(size=(6, 100)), 1e3 + 1e-4 * rng.normal(size=(6, 100))])
    prepared = points(values, "euclidean")
    assert prepared.direct is None
    off = np.abs(prepared.distances(slice(0, 12)) - cdist(values, values, "sqeuclidean"))
    allowed = prepared.error(slice(0, 12))[:, None] + 1e-12 * cdist(values, values, "sqeuclidean")
    np.fill_diagonal(off, 0)
    assert (off <= allowed).all()
    assert off.max() > 0


@pytest.mark.parametrize("width", [3, 100])
@pytest.mark.parametrize("factor", [1e-300, 1e300])
def test_squares_neither_vanish_nor_overflow(width, factor):
    values = np.random.default_rng(0).normal(size=(12, width))
    order = np.argsort(points(values, "euclidean").distances(ROWS))
    scaled = points(factor * values, "euclidean").distances(ROWS)
    assert np.array_equal(np.argsort(scaled), order)
    assert np.isinf(scaled).sum() == len(scaled)
