"""The loss of the labels against scikit-learn, SciPy and a formula."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special
from sklearn.metrics import log_loss

from narrows.objectives import (
    BIAS,
    KERNEL,
    Batch,
    Labelled,
    LabelPrediction,
    PerRow,
    Reconstruction,
)

RNG = np.random.default_rng(0)
N, P, K = 8, 4, 2
X, CODE = RNG.normal(size=(N, P)), RNG.normal(size=(N, K)) * [10.0, 0.1]
COUNTED = np.array([1, 1, 1, 1, 1, 1, 0, 0.0])
SCALE = np.array([10.0, 0.1])


def batch(labels, weights, parameters, label_weight=1.0):
    as_floats = {name: jnp.asarray(value, jnp.float32) for name, value in parameters.items()}
    rows = jnp.asarray(X, jnp.float32)
    return Batch(
        rows, rows,
        {"code": jnp.asarray(CODE, jnp.float32), "output": rows + 1},
        PerRow(jnp.ones(N), jnp.asarray(labels, jnp.float32), jnp.asarray(weights, jnp.float32)),
        jnp.asarray(COUNTED, jnp.float32), jnp.float32(6), parameters=as_floats,
        label_weight=label_weight, code_scale=jnp.asarray(SCALE, jnp.float32),
    )  # fmt: skip


def head(outputs):
    return {KERNEL: RNG.normal(size=(K, outputs)), BIAS: RNG.normal(size=outputs)}


def predicted(own):
    return CODE / SCALE @ own[KERNEL] + own[BIAS]


def test_cross_entropy_is_that_of_scikit_learn():
    own, labels = head(3), np.array([0, 1, 2, 2, 1, 0, 1, 1])
    weights = np.array([1, 2, 0, 1, 0.5, 3, 1, 1])
    found = LabelPrediction("crossentropy", 3, K)(batch(labels, weights, own)).loss
    probabilities = special.softmax(predicted(own), axis=1)[:6]
    wanted = log_loss(labels[:6], probabilities, sample_weight=weights[:6]) * weights[:6].sum() / 6
    assert float(found) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("loss", ["mse", "huber"])
def test_losses_of_numbers(loss):
    own, labels = head(1), RNG.normal(size=N) * 2
    weights = np.array([1, 2, 0, 1, 0.5, 3, 1, 1])
    found = LabelPrediction(loss, 1, K)(batch(labels, weights, own)).loss
    error = labels - predicted(own)[:, 0]
    per_row = error**2 if loss == "mse" else special.huber(1, error)
    assert float(found) == pytest.approx((weights * per_row)[:6].sum() / 6, rel=1e-5)


def test_a_row_without_a_label_teaches_nothing():
    own, labels = head(3), np.array([0, 1, 2, 2, 1, 0, 1, 1])
    some = np.array([1, 1, 0, 1, 1, 0, 1, 1.0])
    objective = LabelPrediction("crossentropy", 3, K)

    def loss(codes, labels):
        given = batch(labels, some, own)
        outputs = {**given.outputs, "code": codes}
        return objective(Batch(**{**vars(given), "outputs": outputs})).loss

    slopes = jax.grad(loss)(jnp.asarray(CODE, jnp.float32), labels)
    assert (np.asarray(slopes)[some == 0] == 0).all()
    assert (np.asarray(slopes)[:2] != 0).all()
    assert loss(CODE, labels) == loss(CODE, np.where(some > 0, labels, 0))


def test_labels_stand_beside_rows_times_their_weight():
    own, labels = head(3), np.zeros(N)
    main, label = Reconstruction("mse"), LabelPrediction("crossentropy", 3, K)
    both = Labelled(main, label)
    given = batch(labels, np.ones(N), own, label_weight=0.25)
    found = both(given)
    assert both.names == ("reconstruction", "label")
    assert found.loss == pytest.approx(float(main(given).loss + 0.25 * label(given).loss))
    assert found.terms["label"] == label(given).loss  # without the weight
    assert found.minimised == found.loss
