"""Each term's value and gradient against NumPy in float64 and central differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from narrows._keras import keras
from narrows.objectives import (
    Batch,
    Contraction,
    GaussianDivergence,
    LogLikelihood,
    PerRow,
    Reconstruction,
    Sparsity,
    Sum,
    TargetSparsity,
    Weighted,
)

RTOL, ATOL = 2e-5, 2e-6  # float32 against float64
N, P, K = 7, 5, 3  # rows, columns, numbers in a code
RNG = np.random.default_rng(0)
X = RNG.uniform(0.1, 0.9, (N, P))
WEIGHTS = np.array([1, 2, 0.5, 1, 1, 0, 0])  # the last two rows are padding
ROWS = 5


def batch(outputs, **more):
    """A batch of float32 arrays."""
    outputs = {name: jnp.asarray(value, jnp.float32) for name, value in outputs.items()}
    rows = jnp.asarray(X, jnp.float32)
    weights = jnp.asarray(WEIGHTS, jnp.float32)
    counted = (jnp.arange(N) < ROWS).astype(jnp.float32)
    return Batch(rows, rows, outputs, PerRow(weights), counted, jnp.float32(ROWS), **more)


def mean(per_row):
    return np.sum(WEIGHTS * per_row) / ROWS


def mse(a):
    return mean(((X - a["output"]) ** 2).mean(axis=1))


def mae(a):
    return mean(np.abs(X - a["output"]).mean(axis=1))


def gaussian(a):
    return mean(-stats.norm.logpdf(X, loc=a["output"]).sum(axis=1))


def bernoulli(a):
    return mean(-(X * np.log(a["output"]) + (1 - X) * np.log(1 - a["output"])).sum(axis=1))


def absolute(a):
    return mean(np.abs(a["code"]).sum(axis=1))


def towards(activation, target):
    rho = (WEIGHTS[:, None] * activation).sum(axis=0) / WEIGHTS.sum()
    return sum(stats.entropy([target, 1 - target], [r, 1 - r]) for r in rho)


def logistic(z):
    return 1 / (1 + np.exp(-z))


def divergence(a):
    variance = np.exp(a["log_variance"])
    return mean(0.5 * (variance + a["code"] ** 2 - 1 - a["log_variance"]).sum(axis=1))


CASES = {
    "mse": (Reconstruction("mse"), mse, "output"),
    "mae": (Reconstruction("mae"), mae, "output"),
    "gaussian": (LogLikelihood("gaussian"), gaussian, "output"),
    "bernoulli": (LogLikelihood("bernoulli"), bernoulli, "output"),
    "l1": (Sparsity(), absolute, "code"),
    "kl to a target": (TargetSparsity(0.05), lambda a: towards(logistic(a["code"]), 0.05), "code"),
    "kl, sigmoid": (
        TargetSparsity(0.2, squash=False), lambda a: towards(a["output"], 0.2), "as code",
    ),
    "divergence": (GaussianDivergence(), divergence, "code"),
    "divergence, variance": (GaussianDivergence(), divergence, "log_variance"),
}  # fmt: skip


def arrays():
    rng = np.random.default_rng(1)
    return {
        "output": rng.uniform(0.1, 0.9, (N, P)),
        "code": rng.normal(size=(N, K)),
        "log_variance": rng.normal(size=(N, K)),
    }


def differences(function, at, step=1e-6):
    """Central differences of a function of one array."""
    slopes = np.zeros_like(at)
    for place in np.ndindex(at.shape):
        ends = []
        for sign in (1, -1):
            moved = at.copy()
            moved[place] += sign * step
            ends.append(function(moved))
        slopes[place] = (ends[0] - ends[1]) / (2 * step)
    return slopes


@pytest.mark.long
@pytest.mark.parametrize("name", CASES)
def test_value_and_gradient(name):
    objective, by_hand, varied = CASES[name]
    given = arrays()
    key = varied
    if varied == "as code":
        key, given["code"] = "code", given["output"]

    def ours(value):
        return objective(batch({**given, key: value})).minimised

    def theirs(value):
        return by_hand({**given, key: value, **({"output": value} if varied == "as code" else {})})

    found = objective(batch(given))
    expected = theirs(given[key])
    np.testing.assert_allclose(found.loss, expected, rtol=RTOL)
    assert found.terms.keys() == set(objective.names)
    assert float(found.terms[objective.names[0]]) == float(found.minimised) == float(found.loss)
    gradient = jax.grad(ours)(jnp.asarray(given[key], jnp.float32))
    slopes = differences(theirs, given[key])
    assert np.abs(slopes[:ROWS]).max() > 1e-3
    np.testing.assert_allclose(gradient, slopes, rtol=1e-4, atol=ATOL)
    np.testing.assert_array_equal(gradient[ROWS:], 0)


def test_contraction():
    """The Jacobian of a tanh layer is diag(1 − z²) W, worked out in float64."""
    rng = np.random.default_rng(2)
    kernel, bias = rng.normal(size=(P, K)), rng.normal(size=K)

    def by_hand(kernel):
        z = np.tanh(X @ kernel + bias)
        jacobians = (1 - z**2)[:, None, :] * kernel[None]
        return mean((jacobians**2).sum(axis=(1, 2)))

    def ours(kernel):
        def encode(rows):
            return jnp.tanh(rows @ kernel + jnp.asarray(bias, jnp.float32))

        return Contraction()(batch({}, encode=encode)).minimised

    value, gradient = jax.value_and_grad(ours)(jnp.asarray(kernel, jnp.float32))
    np.testing.assert_allclose(value, by_hand(kernel), rtol=RTOL)
    np.testing.assert_allclose(gradient, differences(by_hand, kernel), rtol=1e-4, atol=1e-5)


def test_contraction_of_images_sums_over_all_axes():
    images = jnp.asarray(np.random.default_rng(3).normal(size=(4, 2, 3, 1)), jnp.float32)
    kernel = jnp.asarray(np.random.default_rng(4).normal(size=(6, 2)), jnp.float32)
    ones = jnp.ones(4)
    seen = Batch(
        images, images, {}, PerRow(ones), ones, 4.0, encode=lambda x: x.reshape(4, 6) @ kernel
    )
    np.testing.assert_allclose(Contraction()(seen).loss, np.sum(kernel**2), rtol=RTOL)


def test_divergence_by_monte_carlo():
    """KL(q ‖ p) is the mean of log q − log p over draws from q."""
    means, log_variances = np.array([[0.7, -1.2]]), np.array([[-0.5, 0.9]])
    sd = np.exp(log_variances / 2)
    draws = np.random.default_rng(0).normal(means, sd, size=(400_000, 2))
    ratios = (stats.norm.logpdf(draws, means, sd) - stats.norm.logpdf(draws)).sum(axis=1)
    one = jnp.ones(1)
    outputs = {"code": jnp.asarray(means, "f4"), "log_variance": jnp.asarray(log_variances, "f4")}
    found = GaussianDivergence()(Batch(one, one, outputs, PerRow(one), one, 1.0)).loss
    assert abs(found - ratios.mean()) < 4 * ratios.std() / np.sqrt(len(ratios))


def test_bernoulli_bears_certainty():
    outputs = {"output": jnp.asarray((X > 0.5).astype("f4"))}
    gradient = jax.grad(lambda y: LogLikelihood("bernoulli")(batch({"output": y})).loss)(
        outputs["output"]
    )
    assert np.isfinite(LogLikelihood("bernoulli")(batch(outputs)).loss)
    assert np.isfinite(gradient).all()


def test_a_sum_adds_weighted_losses_and_keeps_terms_as_they_are():
    given = arrays()
    total = Sum([Reconstruction("mse"), Weighted(Sparsity(), 0.3)])
    found = total(batch(given))
    assert total.names == ("reconstruction", "sparsity")
    np.testing.assert_allclose(found.terms["reconstruction"], mse(given), rtol=RTOL)
    np.testing.assert_allclose(found.terms["sparsity"], absolute(given), rtol=RTOL)
    np.testing.assert_allclose(found.loss, mse(given) + 0.3 * absolute(given), rtol=RTOL)
    assert found.loss == found.minimised


@pytest.mark.parametrize(("epoch", "share"), [(0, 0.0), (1, 0.25), (3, 0.75), (4, 1.0), (9, 1.0)])
def test_a_rising_weight(epoch, share):
    given = arrays()
    total = Sum([Reconstruction("mse"), Weighted(Sparsity(), 0.3, warmup=4)])
    found = total(batch(given, epoch=jnp.float32(epoch)))
    expected = mse(given) + share * 0.3 * absolute(given)
    np.testing.assert_allclose(found.minimised, expected, rtol=RTOL)
    np.testing.assert_allclose(found.loss, mse(given) + 0.3 * absolute(given), rtol=RTOL)


def test_terms_of_one_name_are_refused():
    with pytest.raises(ValueError, match=r"terms of different names\. Got sparsity more than once"):
        Sum([Sparsity(), TargetSparsity(0.1)])


def test_what_is_known_of_a_sum_is_what_holds_for_all_parts():
    def own(target, output):
        return keras.ops.mean((target - output) ** 2, axis=-1)

    plain = Sum([Reconstruction("mse"), Sparsity()])
    assert (plain.row_by_row, plain.ignores_padding, plain.encodes) == (True, True, False)
    batchwise = Sum([Reconstruction("mse"), TargetSparsity(0.1)])
    assert (batchwise.row_by_row, batchwise.ignores_padding) == (False, True)
    unknown = Sum([Reconstruction(own), Contraction()])
    assert (unknown.ignores_padding, unknown.encodes) == (False, True)
    configs = [repr(one.config()) for one in (plain, batchwise, unknown)]
    assert len(set(configs)) == 3
