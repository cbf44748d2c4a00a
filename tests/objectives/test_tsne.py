"""t-SNE's losses and their gradients are the formulas', worked in NumPy in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import squareform
from sklearn.manifold._t_sne import _kl_divergence

from narrows.objectives._affinities import joint_affinities
from narrows.objectives._tsne import degrees_of_freedom, kl_divergence

ROWS = 30
value_and_gradients = jax.jit(jax.value_and_grad(kl_divergence, argnums=(1, 2)))
joint = jax.jit(joint_affinities)


def squared(a, b):
    return np.sum((a[:, None, :] - b[None, :, :]) ** 2, axis=2)


def student(P, z, alpha):
    """The value, and its gradients by z and α, as in van der Maaten (2009)."""
    d = squared(z, z)
    w = (1 + d / alpha) ** (-(alpha + 1) / 2)
    np.fill_diagonal(w, 0)
    Q = w / w.sum()
    pairs = P > 0
    value = np.sum(P[pairs] * np.log(P[pairs] / Q[pairs]))
    forces = (P - Q) / (1 + d / alpha)
    by_z = (2 * alpha + 2) / alpha * (forces.sum(axis=1)[:, None] * z - forces @ z)
    by_alpha = np.sum(
        (P - Q) * (np.log1p(d / alpha) / 2 - (alpha + 1) * d / (2 * alpha**2 * (1 + d / alpha)))
    )
    return value, by_z, by_alpha


def differences(function, at, step=1e-5):
    """Central finite differences in float64."""
    gradient = np.zeros_like(at)
    for index in np.ndindex(at.shape):
        moved = at.copy()
        moved[index] += step
        above = function(moved)
        moved[index] -= 2 * step
        gradient[index] = (above - function(moved)) / (2 * step)
    return gradient


def example(seed, width=2, spread=3.0, rows=ROWS):
    """Affinities of random rows, and a random embedding, in float64 of float32 numbers."""
    rng = np.random.default_rng(seed)
    P = np.asarray(joint(rng.normal(size=(rows, 5)).astype(np.float32), 5.0), np.float64)
    z = (spread * rng.normal(size=(rows, width))).astype(np.float32)
    return (P + P.T) / 2, z.astype(np.float64)


def assert_close(ours, exact):
    """Within 1e-5 of the largest."""
    np.testing.assert_allclose(ours, exact, atol=1e-5 * max(np.max(np.abs(exact)), 1e-6), rtol=0)


@pytest.mark.parametrize("alpha", [0.5, 1.0, 3.0, 9.0])
def test_the_formulas_are_the_values_derivatives(alpha):
    P, z = example(0)
    _, by_z, by_alpha = student(P, z, alpha)
    np.testing.assert_allclose(
        differences(lambda moved: student(P, moved, alpha)[0], z), by_z, atol=1e-8
    )
    by_differences = differences(lambda a: student(P, z, float(a[0]))[0], np.array([alpha]))
    np.testing.assert_allclose(by_differences[0], by_alpha, atol=1e-8)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    alpha=st.floats(0.5, 20),
    spread=st.sampled_from([1e-4, 1e-2, 1.0, 10.0, 100.0]),
)
def test_value_and_gradients_are_van_der_maatens(seed, alpha, spread):
    P, z = example(seed, spread=spread)
    exact = student(P, z, float(np.float32(alpha)))
    value, (by_z, by_alpha) = value_and_gradients(P, z, alpha)
    assert value == pytest.approx(exact[0], rel=1e-5, abs=1e-6)
    assert_close(by_z, exact[1])
    assert by_alpha == pytest.approx(exact[2], rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("width", [1, 2, 5])
def test_embeddings_of_any_width(width):
    P, z = example(3, width=width)
    exact = student(P, z, 1.0)
    value, (by_z, _) = value_and_gradients(P, z, 1.0)
    assert value == pytest.approx(exact[0], rel=1e-5)
    assert_close(by_z, exact[1])


def test_value_and_gradient_are_scikit_learns():
    P, z = example(4)
    value, gradient = _kl_divergence(z.ravel(), squareform(P), 1.0, ROWS, 2)
    ours, (by_z, _) = value_and_gradients(P, z, 1.0)
    assert ours == pytest.approx(value, rel=1e-5)
    assert_close(by_z, gradient.reshape(z.shape))


@pytest.mark.parametrize("alpha", [2.0, 9.0])
def test_the_value_is_scikit_learns_for_more_degrees_of_freedom(alpha):
    P, z = example(5)
    value, _ = _kl_divergence(z.ravel(), squareform(P), alpha, ROWS, 2)
    assert kl_divergence(P, z, alpha) == pytest.approx(value, rel=1e-5)


def test_a_thousand_rows_keep_the_tolerance():
    P, z = example(6, rows=1000, spread=30.0)
    exact = student(P, z, 1.0)
    value, (by_z, _) = value_and_gradients(P, z, 1.0)
    assert value == pytest.approx(exact[0], rel=1e-5)
    assert_close(by_z, exact[1])


def test_padding_changes_nothing_and_has_no_gradient():
    P, z = example(7)
    counted = np.ones(ROWS + 4, np.float32)
    counted[[0, 9, 20, 33]] = 0
    padded_P = np.zeros((ROWS + 4, ROWS + 4))
    padded_P[np.ix_(counted > 0, counted > 0)] = P
    padded_z = np.full((ROWS + 4, 2), np.nan)
    padded_z[counted > 0] = z
    expected, (by_z, by_alpha) = value_and_gradients(P, z, 1.0)
    value, (padded_by_z, padded_by_alpha) = value_and_gradients(padded_P, padded_z, 1.0, counted)
    assert value == pytest.approx(float(expected), rel=1e-6)
    assert padded_by_alpha == pytest.approx(float(by_alpha), rel=1e-4, abs=1e-7)
    assert_close(padded_by_z[counted > 0], by_z)
    assert not np.any(padded_by_z[counted == 0])


@pytest.mark.parametrize("rows", [0, 1])
def test_without_pairs_there_is_nothing_to_lose(rows):
    counted = (np.arange(5) < rows).astype(np.float32)
    value, (by_z, by_alpha) = value_and_gradients(np.zeros((5, 5)), np.zeros((5, 2)), 1.0, counted)
    assert (value, by_alpha) == (0, 0)
    assert not np.any(by_z)


def test_rows_at_one_point_have_a_finite_gradient():
    P, z = example(8)
    value, (by_z, by_alpha) = value_and_gradients(P, np.zeros_like(z), 1.0)
    assert np.isfinite(value)
    assert not np.any(by_z)
    assert by_alpha == 0


def test_lanes_of_a_vmap_are_the_single_results():
    examples = [example(seed) for seed in range(3)]
    P, z = (np.stack(parts).astype(np.float32) for parts in zip(*examples, strict=True))
    alpha = jnp.array([1.0, 2.0, 3.0])
    kl = jax.jit(kl_divergence)
    together = jax.jit(jax.vmap(kl_divergence))(P, z, alpha)
    alone = [kl(P[lane], z[lane], alpha[lane]) for lane in range(3)]
    np.testing.assert_allclose(together, alone, rtol=1e-6)


@pytest.mark.parametrize(
    ("kind", "width", "alpha"),
    [
        ("one", 5, 1),
        ("dimension", 1, 1),
        ("dimension", 2, 1),
        ("dimension", 8, 7),
        ("learned", 3, 2),
    ],
)
def test_degrees_of_freedom(kind, width, alpha):
    assert degrees_of_freedom(kind, width) == alpha


def test_unknown_degrees_of_freedom_are_refused():
    with pytest.raises(ValueError, match=r"'one', 'dimension' or 'learned'\. Got 'two' instead"):
        degrees_of_freedom("two", 2)
