"""Early stopping stops where Keras's own callback stops, and keeps the same epoch."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from narrows._keras import keras
from narrows.training.looping._step import State
from narrows.training.looping._stopping import new_stopper, watch

FINITE = st.sampled_from([1.0, 2.0, 3.0, 0.5]) | st.floats(0, 10, width=32)
LATER = FINITE | st.just(float("nan")) | st.just(float("inf"))


def state(epoch):
    """Weights that say which epoch they are from."""
    number = jnp.float32(epoch)
    return State([number], [-number], [], jnp.zeros(2, jnp.uint32), jnp.uint32(0))


step = jax.jit(watch)


def ours(losses, patience):
    """Return (epochs run, best epoch, weights kept, others kept)."""
    stopper, run = new_stopper(state(-1)), len(losses)
    for epoch, loss in enumerate(losses):
        stopper = step(stopper, state(epoch), jnp.float32(loss), jnp.int32(epoch), patience)
        if bool(stopper.stopped) and epoch < run:
            run = epoch + 1
            # A stopped lane goes on beside the others; nothing of it may be kept.
    return run, int(stopper.best_epoch), float(stopper.trainable[0]), -float(stopper.other[0])


class Stub:
    """As much of a model as the callback looks at."""

    def __init__(self):
        self.epoch, self.stop_training = -1, False

    def get_weights(self):
        return self.epoch

    def set_weights(self, weights):
        self.epoch = weights


def keras_own(losses, patience):
    callback = keras.callbacks.EarlyStopping(
        monitor="val_loss", patience=patience, restore_best_weights=True, mode="min"
    )
    model = Stub()
    callback.set_model(model)
    callback.on_train_begin()
    run = 0
    for epoch, loss in enumerate(losses):
        model.epoch = epoch
        callback.on_epoch_end(epoch, {"val_loss": loss})
        run = epoch + 1
        if model.stop_training:
            break
    callback.on_train_end()
    return run, callback.best_epoch, model.epoch, model.epoch


@given(
    first=FINITE,
    rest=st.lists(LATER, max_size=12),
    patience=st.integers(0, 4),
)
@example(first=1.0, rest=[1.0, 1.0, 1.0], patience=2)
@example(first=1.0, rest=[2.0, 0.5, 3.0, 0.1], patience=1)
@example(first=1.0, rest=[2.0], patience=0)
@settings(max_examples=200, deadline=None)
def test_stops_and_keeps_as_keras_does(first, rest, patience):
    losses = [first, *rest]
    assert ours(losses, patience) == keras_own(losses, patience)


def test_the_comparison_sees_a_stop():
    assert keras_own([1.0, 2.0, 3.0, 0.1], 2) == (3, 0, 0, 0)
    assert ours([1.0, 2.0, 3.0, 0.1], 2) == (3, 0, 0.0, 0.0)


@pytest.mark.parametrize("lost", [float("nan"), float("inf")])
def test_a_first_loss_that_is_no_number_does_not_hide_later_ones(lost):
    """Keras would compare every later loss with NaN and keep the first epoch."""
    assert ours([lost, 3.0, 2.0], 5) == (3, 2, 2.0, 2.0)


def test_lanes_stop_apart():
    losses = np.array([[1, 2, 3, 4, 5], [5, 4, 3, 2, 1], [3, 1, 2, 2, 0]], np.float32)

    def lane(values):
        stopper = new_stopper(state(-1))
        for epoch in range(5):
            stopper = watch(stopper, state(epoch), values[epoch], jnp.int32(epoch), 2)
        return stopper.best_epoch, stopper.stopped, stopper.trainable[0]

    best, stopped, weights = jax.vmap(lane)(losses)
    assert best.tolist() == [0, 4, 1]
    assert stopped.tolist() == [True, False, True]
    assert weights.tolist() == [0, 4, 1]
