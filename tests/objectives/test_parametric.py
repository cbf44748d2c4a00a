"""The terms of a parametric t-SNE are those functions, on what a batch holds."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import log_softmax

from narrows.objectives import (
    Batch,
    BatchDivergence,
    LandmarkEntropy,
    PerRow,
    Reconstruction,
    joint_affinities,
    kl_divergence,
)
from narrows.objectives._parametric import TargetReconstruction

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 5)).astype("float32")
Z = (3 * RNG.normal(size=(40, 2))).astype("float32")


def batch(target, outputs, padding=0, weights=None, **more):
    """A batch whose padding holds nonsense."""

    def filled(values):
        junk = np.full((padding, *values.shape[1:]), 7.0, np.float32)
        return jnp.asarray(np.concatenate([values, junk]))

    rows = len(target)
    counted = jnp.asarray(np.r_[np.ones(rows), np.zeros(padding)].astype("float32"))
    own = np.ones(rows, np.float32) if weights is None else weights
    weights = counted * jnp.asarray(np.r_[own, np.zeros(padding)].astype("float32"))
    target = filled(target)
    outputs = {name: filled(value) for name, value in outputs.items()}
    return Batch(target, target, outputs, PerRow(weights), counted, jnp.float32(rows), **more)


@pytest.mark.parametrize("padding", [0, 9])
def test_the_divergence_of_a_batch(padding):
    found = BatchDivergence(5.0, 2)(batch(X, {"code": Z}, padding))
    expected = kl_divergence(joint_affinities(X, 5.0), Z)
    assert float(found.loss) == pytest.approx(float(expected), rel=1e-5)
    assert found.terms == {"kl": found.loss}


@pytest.mark.long
def test_degrees_of_freedom_are_learned_by_their_logarithm():
    objective = BatchDivergence(5.0, 4, "learned")
    (name,) = objective.parameters
    assert objective.parameters == {name: pytest.approx(np.log(3.0))}
    code = {"code": np.c_[Z, Z[:, ::-1]]}
    found = objective(batch(X, code, parameters={name: jnp.log(2.5)}))
    expected = kl_divergence(joint_affinities(X, 5.0), code["code"], 2.5)
    assert float(found.loss) == pytest.approx(float(expected), rel=1e-5)
    assert not BatchDivergence(5.0, 4, "dimension").parameters


@pytest.mark.long
def test_exaggeration_multiplies_the_affinities_of_the_gradient():
    """C's gradient with 4 P in place of P, in the first epochs; the recorded loss is C."""
    objective = BatchDivergence(5.0, 2, exaggeration=4.0, early=2)
    P = joint_affinities(X, 5.0)

    def minimised(z, epoch):
        one = dataclasses.replace(batch(X, {}, epoch=jnp.float32(epoch)), outputs={"code": z})
        return objective(one).minimised

    z = Z.astype(float)
    apart = z[:, None] - z[None]
    kernel = 1 / (1 + (apart**2).sum(axis=2))
    np.fill_diagonal(kernel, 0)
    for epoch, factor in ((0, 4.0), (1, 4.0), (2, 1.0)):
        forces = (factor * np.asarray(P) - kernel / kernel.sum()) * kernel
        expected = 4 * (forces[:, :, None] * apart).sum(axis=1)
        slope = jax.grad(minimised)(jnp.asarray(Z), epoch)
        np.testing.assert_allclose(slope, expected, atol=1e-5 * np.abs(expected).max() + 1e-6)
    loss = objective(batch(X, {"code": Z}, epoch=jnp.float32(0))).loss
    assert float(loss) == pytest.approx(float(kl_divergence(P, Z)), rel=1e-5)


@pytest.mark.parametrize("padding", [0, 9])
def test_landmarks(padding):
    logits = RNG.normal(size=(40, 12)).astype("float32")
    numbers = np.stack([RNG.permutation(12)[:3] for _ in range(40)])
    shares = RNG.dirichlet(np.ones(3), 40)
    shares[0] = [1, 0, 0]
    weights = RNG.uniform(0, 2, 40)
    target = np.c_[numbers, shares].astype("float32")
    one = batch(target, {"logits": logits, "code": Z}, padding, weights)
    found = LandmarkEntropy(3)(one)
    logs = np.take_along_axis(log_softmax(logits, axis=1), numbers, axis=1)
    wanted = np.log(np.where(shares > 0, shares, 1))
    expected = np.mean(weights * (shares * (wanted - logs)).sum(axis=1))
    assert float(found.loss) == pytest.approx(expected, rel=1e-5)


def test_a_row_behind_other_columns():
    output = RNG.normal(size=(40, 5)).astype("float32")
    target = np.c_[np.zeros((40, 6), np.float32), X]
    found = TargetReconstruction("mse", 6)(batch(target, {"output": output}))
    expected = Reconstruction("mse")(batch(X, {"output": output}))
    assert float(found.loss) == float(expected.loss)
    assert TargetReconstruction("mse", 6).config() != TargetReconstruction("mse", 4).config()
