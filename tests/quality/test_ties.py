"""Rows at the same distance share the last places; neither their order nor rounding decides."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import manifold
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA

from narrows.quality import continuity, neighbour_agreement, trustworthiness

MEASURES = [trustworthiness, continuity, neighbour_agreement]


def chances(values, k):
    """Every order of rows breaks ties once: how often j is a neighbour of i, and r − k if not."""
    n = len(values)
    inside, beyond = np.zeros((n, n)), np.zeros((n, n))
    orders = list(permutations(range(n)))
    for i in range(n):
        distances = np.abs(values - values[i]).sum(axis=1)
        for order in orders:
            nearest = sorted((j for j in order if j != i), key=lambda j: distances[j])
            for rank, j in enumerate(nearest, start=1):
                inside[i, j] += rank <= k
                beyond[i, j] += max(0, rank - k)
    outside = len(orders) - inside
    np.fill_diagonal(outside, 0)
    excess = np.divide(beyond, outside, out=np.zeros((n, n)), where=outside > 0)
    return inside / len(orders), excess


def by_enumeration(x, z, k):
    n = len(x)
    (in_x, beyond_x), (in_z, beyond_z) = chances(x, k), chances(z, k)
    factor = 2 / (n * k * (2 * n - 3 * k - 1))
    false = (np.maximum(in_z - in_x, 0) * beyond_x).sum()
    lost = (np.maximum(in_x - in_z, 0) * beyond_z).sum()
    shared = np.minimum(in_x, in_z).sum() / (n * k)
    return [1 - factor * false, 1 - factor * lost, shared]


# On a line, where every distance is the same.
grids = st.integers(5, 6).flatmap(
    lambda n: st.tuples(*[st.lists(st.integers(0, 3), min_size=n, max_size=n)] * 2)
)


@settings(max_examples=25, deadline=None)
@given(grid=grids, k=st.integers(1, 2))
def test_enumerating_every_way_to_break_ties_agrees(grid, k):
    x, z = (np.array(column, dtype=float)[:, None] for column in grid)
    found = [measure(x, z, k) for measure in MEASURES]
    assert found == pytest.approx(by_enumeration(x, z, k), abs=1e-9)


@pytest.mark.parametrize("measure", MEASURES)
def test_rows_keep_their_own_neighbours_whatever_the_duplicates(measure):
    x = load_iris().data  # measured to a tenth: most rows tie with others
    for same in (x, 3 * x, PCA(4).fit_transform(x), x[:, ::-1]):
        assert measure(x, same) == pytest.approx(1, abs=1e-12)
    # scikit-learn lets rounding decide.
    assert manifold.trustworthiness(x, 3 * x) < 0.9999


def test_one_value_where_scikit_learn_has_many():
    x = load_iris().data
    z = PCA(2).fit_transform(x)
    rng = np.random.default_rng(0)
    orders = [rng.permutation(len(x)) for _ in range(30)]
    theirs = [manifold.trustworthiness(x[order], z[order]) for order in orders]
    assert max(theirs) - min(theirs) > 1e-5
    ours = [trustworthiness(x[order], z[order]) for order in orders]
    assert max(ours) - min(ours) < 1e-12
    assert min(theirs) < ours[0] < max(theirs)


def test_embedding_in_one_point_is_worth_chance():
    n, k = 40, 5
    x = np.random.default_rng(0).normal(size=(n, 3))
    x = x[np.argsort(x[:, 0])]
    expected = 1 - (n - 1 - k) * (n - k) / ((n - 1) * (2 * n - 3 * k - 1))
    point = np.full((n, 2), 0.1)
    assert trustworthiness(x, point) == pytest.approx(expected, abs=1e-12)
    assert continuity(x, point) == pytest.approx(expected, abs=1e-12)
    assert neighbour_agreement(x, point) == pytest.approx(k / (n - 1), abs=1e-12)


@pytest.mark.parametrize("width", [3, 100])
@pytest.mark.parametrize("measure", MEASURES)
def test_duplicates_stay_duplicates_beside_far_rows(measure, width):
    # In a matrix product they differ by rounding.
    rng = np.random.default_rng(0)
    x = np.repeat(rng.normal(size=(20, width)), 3, axis=0) + 1 / 3
    x[-3:] *= 1e5
    turned = x @ np.linalg.qr(rng.normal(size=(width, width)))[0]
    assert measure(x, turned, 4) == pytest.approx(1, abs=1e-12)
