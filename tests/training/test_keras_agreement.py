"""The foundation: a training here ends where Keras's own ``fit`` ends."""

import pytest

from narrows._keras import keras
from support.agreement import both, check


def network(dropout=0.0, norm=True, activity=None, weight_decay=None):
    # A start that lies on a relu's kink would let rounding decide; fixed, so that none does.
    keras.utils.set_random_seed(0)
    layers = keras.layers
    x = inputs = keras.Input((4,))
    x = layers.Dense(50, activation="relu", kernel_regularizer=weight_decay)(x)
    if norm:
        x = layers.BatchNormalization()(x)
    x = layers.Dropout(dropout)(x)
    x = layers.Dense(2, activity_regularizer=activity)(x)
    x = layers.Dense(50, activation="relu")(x)
    return keras.Model(inputs, layers.Dense(4)(x))


@pytest.mark.parametrize("rows", [128, 120, 33], ids=["whole batches", "short last", "one row"])
@pytest.mark.parametrize(
    "norm",
    [pytest.param(True, id="batch-norm"), pytest.param(False, id="plain", marks=pytest.mark.long)],
)
def test_weights_and_history_equal_keras(rows, norm):
    check(*both(network(norm=norm), rows, 32))


@pytest.mark.long
@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "adamw", "nadam"])
def test_other_optimizers_equal_keras(optimizer):
    check(*both(network(), 70, 32, optimizer=optimizer))


@pytest.mark.long
@pytest.mark.parametrize("loss", ["mae", "huber", "log_cosh"])
def test_other_losses_equal_keras(loss):
    check(*both(network(), 70, 32, loss=loss))


def test_regularizers_count_as_in_keras():
    model = network(activity="l2", weight_decay="l1")
    check(*both(model, 70, 32))
