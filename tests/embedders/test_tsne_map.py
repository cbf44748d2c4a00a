"""The map of a whole table: its forces against sums in float64, and what it shows."""

import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from narrows.embedders.tsne import _map
from narrows.embedders.tsne._map import attraction, exact_repulsion, grid_repulsion, tsne_map
from narrows.objectives import kl_divergence

K = 15


def padded(places, more):
    counted = np.r_[np.ones(len(places)), np.zeros(more)].astype("float32")
    filled = np.r_[places, np.zeros((more, places.shape[1]))].astype("float32")
    return jnp.asarray(filled), jnp.asarray(counted)


def weights_of(places):
    """Σⱼ w² of each row."""
    return (cauchy(places) ** 2).sum(axis=1)


def cauchy(places):
    apart = places[:, None] - places[None]
    kernel = 1 / (1 + (apart**2).sum(axis=2))
    np.fill_diagonal(kernel, 0)
    return kernel


def repulsion(places):
    """Σ w over ordered pairs and Σⱼ w² (zᵢ − zⱼ), pair by pair."""
    places = places.astype(float)
    apart = places[:, None] - places[None]
    kernel = cauchy(places)
    return kernel.sum(), (kernel[:, :, None] ** 2 * apart).sum(axis=1)


@pytest.mark.parametrize("width", [1, 2, 3])
def test_the_push_of_all_pairs(width, monkeypatch):
    monkeypatch.setattr(_map, "_BLOCK", 128)  # 300 rows are then no whole number of blocks
    places = 10 * np.random.default_rng(0).normal(size=(300, width))
    total, push = exact_repulsion(*padded(places, 20))
    expected_total, expected = repulsion(places)
    assert float(total) == pytest.approx(expected_total, rel=1e-5)
    # In float32, up to the rounding of the two sums it is the difference of: places times weights,
    # a row's own weight of 1 among them.
    rounding = 2e-6 * np.abs(places).max() * (1 + weights_of(places).max())
    np.testing.assert_allclose(push[:300], expected, rtol=0, atol=rounding)
    assert not np.any(push[300:])


@pytest.mark.long
@pytest.mark.parametrize(("width", "nodes"), [(1, 1024), (2, 300)])
def test_the_grid_gives_what_all_pairs_give(width, nodes):
    """On 300 places over 60 units, where the grid is 0.2 apart in 2 dimensions.

    Interpolation is linear: with half the spacing the error is about a quarter.
    """
    places = np.random.default_rng(0).uniform(0, 60, size=(300, width))
    expected_total, expected = repulsion(places)
    errors = []
    for count in (nodes, 2 * nodes):
        total, push = grid_repulsion(*padded(places, 20), count)
        # What interpolation leaves of a row's own kernel counts in the sum over few rows.
        assert float(total) == pytest.approx(expected_total, rel=2e-2)
        errors.append(np.sqrt(np.mean((push[:300] - expected) ** 2) / np.mean(expected**2)))
        assert not np.any(push[300:])
    assert errors[0] < 0.04
    assert errors[1] < 0.35 * errors[0]


def test_the_pull_of_neighbours():
    rng = np.random.default_rng(0)
    places = rng.normal(size=(50, 2))
    neighbours = np.stack([rng.permutation(np.delete(np.arange(50), i))[:4] for i in range(50)])
    P = np.zeros((50, 50))
    P[np.arange(50)[:, None], neighbours] = 1 / 4
    P = (P + P.T) / 100
    apart = places[:, None] - places[None]
    expected = ((P / (1 + (apart**2).sum(axis=2)))[:, :, None] * apart).sum(axis=1)
    z, counted = padded(places, 6)
    graph = np.r_[neighbours, np.zeros((6, 4), int)]
    found = attraction(z, jnp.asarray(graph), counted)
    np.testing.assert_allclose(found[:50], expected, atol=1e-6)
    assert not np.any(found[50:])


@pytest.fixture(scope="module")
def digits():
    """Rows, their 15 neighbours, and their first two principal components."""
    X = load_digits().data.astype("float32")
    neighbours = NearestNeighbors(n_neighbors=K).fit(X).kneighbors(return_distance=False)
    return X, neighbours, PCA(2, random_state=0).fit_transform(X)


def kept(Z, neighbours):
    """The share of rows' neighbours that are their neighbours among places."""
    found = NearestNeighbors(n_neighbors=K).fit(Z).kneighbors(return_distance=False)
    pairs = zip(found, neighbours, strict=True)
    return np.mean([len(set(a) & set(b)) / K for a, b in pairs])


@pytest.mark.long
@pytest.mark.parametrize("exact", [True, False])
def test_a_map_of_digits_keeps_neighbours_that_its_start_does_not(digits, exact, monkeypatch):
    _, neighbours, start = digits
    assert kept(start, neighbours) < 0.2
    if not exact:
        monkeypatch.setattr(_map, "EXACT_ROWS", 1000)
    Z = tsne_map(start, neighbours, steps=300)
    assert kept(Z, neighbours) > 0.6
    np.testing.assert_allclose(Z.mean(axis=0), 0, atol=1e-2)


@pytest.mark.long
def test_the_divergence_falls(digits):
    """After the exaggeration, with affinities and divergence as the objectives have them."""
    _, neighbours, start = digits
    n = len(start)
    P = np.zeros((n, n), np.float32)
    P[np.arange(n)[:, None], neighbours] = 1 / K
    P = (P + P.T) / (2 * n)
    values = [
        float(kl_divergence(P, tsne_map(start, neighbours, steps=steps)))
        for steps in (15, 75, 150, 300)
    ]
    assert values == sorted(values, reverse=True)
    assert values[-1] < 0.5 * values[0]


def test_equal_runs_give_equal_bits_and_progress(digits):
    _, neighbours, start = digits
    seen = []
    first = tsne_map(start, neighbours, steps=40, on_progress=lambda *at: seen.append(at))
    np.testing.assert_array_equal(first, tsne_map(start, neighbours, steps=40))
    assert seen == [(5, 40), (30, 40), (40, 40)]


def test_a_wide_map_has_an_end():
    with pytest.raises(ValueError, match=r"A map of 20,000 rows must .* Use ParametricTSNE"):
        _map.grid_nodes(20_000, 3)
    assert _map.grid_nodes(20_000, 2) == 300
    assert _map.grid_nodes(9_000, 3) == 0
