"""Affinities have the wanted perplexity, whatever the scale, and are scikit-learn's."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.spatial.distance import cdist, pdist
from sklearn.datasets import load_digits, load_iris
from sklearn.manifold._t_sne import _joint_probabilities

from narrows.objectives._affinities import (
    _from_products,
    check_perplexity,
    conditional_affinities,
    joint_affinities,
    largest_perplexity,
    squared_distances,
)

ROWS, COLUMNS = 60, 20
conditional = jax.jit(conditional_affinities)
joint = jax.jit(joint_affinities)


def perplexities(P):
    """Of each row, in float64."""
    P = np.asarray(P, np.float64)
    return np.exp(-np.sum(P * np.log(np.where(P > 0, P, 1.0)), axis=1))


def by_root_finding(x, perplexity):
    """P(j|i) with SciPy's root finder, in float64."""
    squared = cdist(x, x, "sqeuclidean")
    P = np.zeros_like(squared)
    for i, row in enumerate(squared):
        others = np.delete(row, i)
        others = others - others.min()

        def shares(log_beta, others=others):
            weights = np.exp(-np.exp(log_beta) * others)
            return weights / weights.sum()

        def excess(log_beta, shares=shares):
            p = shares(log_beta)
            return -np.sum(p * np.log(np.where(p > 0, p, 1.0))) - np.log(perplexity)

        start = -np.log(others.mean())
        P[i] = np.insert(shares(brentq(excess, start - 30, start + 30, xtol=1e-12)), i, 0.0)
    return P


@pytest.fixture(scope="module")
def digits():
    return load_digits().data[:300]


@pytest.mark.parametrize("perplexity", [2.0, 5.0, 30.0, 99.0])
def test_conditional_affinities_are_those_of_a_root_finder(digits, perplexity):
    np.testing.assert_allclose(
        conditional(digits, perplexity), by_root_finding(digits, perplexity), rtol=5e-4, atol=1e-6
    )


@pytest.mark.parametrize("perplexity", [5.0, 30.0])
def test_joint_affinities_are_scikit_learns(digits, perplexity):
    distances = np.zeros((len(digits), len(digits)), np.float32)
    rows, columns = np.triu_indices(len(digits), 1)
    condensed = _joint_probabilities(cdist(digits, digits, "sqeuclidean"), perplexity, 0)
    distances[rows, columns] = condensed
    # scikit-learn's search stops at 1e-5 of the entropy.
    np.testing.assert_allclose(joint(digits, perplexity), distances + distances.T, atol=2e-8)


KINDS = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "heavy tails": lambda rng, shape: rng.standard_cauchy(size=shape),
    "lattice": lambda rng, shape: rng.integers(0, 3, size=shape).astype(float),
    "clusters": lambda rng, shape: rng.normal(size=shape) + 1e3 * rng.integers(3, size=(ROWS, 1)),
    "copies": lambda rng, shape: rng.normal(size=(6, shape[1]))[rng.integers(6, size=ROWS)],
    "many scales": lambda rng, shape: (
        rng.normal(size=shape) * 10.0 ** rng.integers(-6, 3, size=(ROWS, 1))
    ),
    "far from zero": lambda rng, shape: 1e3 + rng.normal(size=shape),
}


@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(sorted(KINDS)),
    columns=st.sampled_from([3, 20]),
    exponent=st.floats(-20, 20),
    share=st.floats(0, 1),
    seed=st.integers(0, 2**16),
    padding=st.sampled_from([0, 1, 25]),
)
@example(kind="many scales", columns=3, exponent=0.0, share=0.0, seed=46809, padding=0)
def test_every_row_reaches_the_perplexity_or_has_too_many_equals(
    kind, columns, exponent, share, seed, padding
):
    x = (KINDS[kind](np.random.default_rng(seed), (ROWS, columns)) * 10.0**exponent).astype(
        np.float32
    )
    n = ROWS - padding
    perplexity = 1.0 + share * (largest_perplexity(n) - 1.0)
    counted = (np.arange(ROWS) < n).astype(np.float32)
    x[n:] = np.nan
    P = np.asarray(conditional(x, perplexity, counted))

    assert np.all(np.isfinite(P))
    assert not np.any(P[n:])
    assert not np.any(P[:, n:])
    assert not np.any(np.diag(P))
    np.testing.assert_allclose(P[:n].sum(axis=1), 1.0, atol=1e-6)
    missed = np.abs(perplexities(P[:n]) - perplexity) > 1e-3
    # Rows that missed share among more than `perplexity` nearest rows, whose distances are equal
    # in float32: equally, or as their rounding has it.
    centred = x[:n].astype(float) - x[:n].astype(float).mean(axis=0)
    squared = cdist(centred, centred, "sqeuclidean")
    lengths = np.sum(centred**2, axis=1)
    for i in np.flatnonzero(missed):
        picked = P[i] > 1e-6  # the next nearest may keep a trace where the search ends
        assert picked.sum() > perplexity - 1e-3
        near = squared[i, picked[:n]]
        assert np.ptp(near) <= 5e-6 * (lengths[i] + lengths[picked[:n]].max())


@pytest.mark.parametrize("exponent", [-30, -20, 0, 20, 37])
def test_no_row_of_continuous_data_misses_the_perplexity(exponent):
    x = np.random.default_rng(0).normal(size=(ROWS, COLUMNS)) * 10.0**exponent
    P = conditional(x.astype(np.float32), 12.0)
    np.testing.assert_allclose(perplexities(P), 12.0, atol=1e-3)


@pytest.mark.parametrize("perplexity", [5.0, 30.0, 100.0, 500.0])
def test_the_perplexity_holds_in_a_large_batch(perplexity):
    x = np.random.default_rng(0).normal(size=(2000, 20)).astype(np.float32)
    reached = perplexities(conditional(x, perplexity))
    np.testing.assert_allclose(reached, perplexity, atol=1e-3, rtol=1e-5 * (perplexity > 100))


def test_too_few_steps_do_miss_it():
    x = np.random.default_rng(0).normal(size=(ROWS, COLUMNS)).astype(np.float32)
    assert np.max(np.abs(perplexities(conditional_affinities(x, 12.0, iterations=1)) - 12.0)) > 0.1


@pytest.mark.long
@pytest.mark.parametrize("columns", [2, 784, 5000])
def test_copies_of_a_row_are_at_distance_zero(columns):
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(200, columns)).astype(np.float32)
    x[50:100] = x[7]
    distances = np.asarray(squared_distances(x))
    assert not np.any(distances[50:100, 50:100])
    assert not np.any(distances[7, 50:100])
    P = np.asarray(conditional(x, 20.0))
    np.testing.assert_allclose(P[7, 50:100], 1 / 50)
    np.testing.assert_allclose(perplexities(P)[:7], 20.0, atol=1e-3)


def test_copies_stay_at_zero_where_each_product_is_rounded_otherwise():
    """As on a GPU, which need not sum two entries of a product in the same order."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, size=(60, 784)).astype(np.float32)
    x[20:] = x[7]
    x[20] += 2e-3 * rng.normal(size=784)  # near, but no copy
    products = x @ x.T
    products = np.nextafter(products, np.sign(rng.normal(size=(60, 60))).astype(np.float32) * 1e9)
    distances = np.asarray(_from_products(products))
    assert not np.any(distances[21:, 21:])
    exact = np.sum((x[20].astype(float) - x[7]) ** 2)
    np.testing.assert_allclose(distances[20, 21:], exact, rtol=0.2)


def test_rows_that_are_all_the_same_share_equally():
    # Nothing has to be searched for.
    P = conditional_affinities(np.full((ROWS, COLUMNS), 3.0, np.float32), 5.0, iterations=0)
    np.testing.assert_allclose(P, (1 - np.eye(ROWS)) / (ROWS - 1), rtol=1e-6)


@pytest.mark.parametrize(("columns", "tolerance"), [(16, 1e-6), (64, 2e-5)])
def test_squared_distances_are_scipys_but_for_a_factor(digits, columns, tolerance):
    x = digits[:, :columns]
    ours = np.asarray(squared_distances(x), np.float64)[np.triu_indices(len(x), 1)]
    exact = pdist(x, "sqeuclidean")
    assert not np.any(ours[exact == 0])
    ratio = ours[exact > 0] / exact[exact > 0]
    np.testing.assert_allclose(ratio, np.median(ratio), rtol=tolerance)


def test_joint_affinities_are_symmetric_and_sum_to_one_over_the_rows_that_count():
    x = load_iris().data.astype(np.float32)
    counted = np.ones(150, np.float32)
    counted[[3, 77, 149]] = 0
    padded = x.copy()
    padded[counted == 0] = np.inf
    P = np.asarray(joint(padded, 10.0, counted))
    keep = counted > 0
    assert P.sum() == pytest.approx(1.0, abs=1e-6)
    np.testing.assert_allclose(P, P.T, rtol=1e-4, atol=1e-9)
    np.testing.assert_allclose(P[np.ix_(keep, keep)], joint(x[keep], 10.0), atol=1e-8)
    assert not np.any(P[~keep])


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 10])
def test_a_short_batch_takes_the_largest_perplexity_it_holds(rows):
    x = np.random.default_rng(1).normal(size=(ROWS, COLUMNS)).astype(np.float32)
    P = np.asarray(conditional(x, 15.0, np.arange(ROWS) < rows))
    assert np.all(np.isfinite(P))
    expected = max(largest_perplexity(rows), 1.0)
    if rows > 1:
        np.testing.assert_allclose(perplexities(P)[:rows], expected, atol=1e-3)
    else:
        assert not np.any(P)


def test_lanes_of_a_vmap_are_the_single_results():
    x = np.random.default_rng(2).normal(size=(3, ROWS, COLUMNS)).astype(np.float32)
    wanted = jnp.array([2.0, 5.0, 15.0])
    together = jax.jit(jax.vmap(joint_affinities))(x, wanted)
    for lane in range(3):
        np.testing.assert_allclose(together[lane], joint(x[lane], wanted[lane]), atol=1e-7)


def test_images_are_rows_of_pixels(digits):
    images = digits.reshape(-1, 8, 8, 1)
    np.testing.assert_array_equal(conditional(images, 5.0), conditional(digits, 5.0))


@pytest.mark.parametrize("perplexity", [40.1, 0.5, float("nan"), float("inf")])
def test_a_perplexity_that_the_batch_cannot_hold_is_refused(perplexity):
    with pytest.raises(ValueError, match="at least 1 and at most 40, a third") as error:
        check_perplexity(perplexity, 121)
    assert f"Got {perplexity}" in str(error.value)


def test_the_largest_perplexity_named_is_allowed():
    check_perplexity(1, 4)
    check_perplexity(40, 121)
    check_perplexity(33.0, 100)
    with pytest.raises(ValueError, match=r"at most 32\.66, a third"):
        check_perplexity(50, 99)
    check_perplexity(32.66, 99)


def test_a_batch_of_three_rows_holds_no_perplexity():
    with pytest.raises(ValueError, match="batches of 3 rows"):
        check_perplexity(1, 3)
