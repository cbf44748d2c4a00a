"""Early stopping inside a compiled training, lane by lane."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from narrows.training.looping._step import State


class Stopper(NamedTuple):
    """What one lane remembers for early stopping; scalars but for the weights."""

    best: jax.Array  # float32: the best monitored loss so far
    best_epoch: jax.Array  # int32
    waited: jax.Array  # int32: epochs since the best
    stopped: jax.Array  # bool
    trainable: list[jax.Array]  # the weights of the best epoch
    other: list[jax.Array]


def new_stopper(state: State) -> Stopper:
    """Return the stopper of a training that has seen no epoch."""
    return Stopper(
        best=jnp.float32(jnp.inf),
        best_epoch=jnp.int32(-1),
        waited=jnp.int32(0),
        stopped=jnp.bool_(False),
        trainable=[jnp.copy(w) for w in state.trainable],
        other=[jnp.copy(w) for w in state.other],
    )


def watch(
    stopper: Stopper, state: State, loss: jax.Array, epoch: jax.Array, patience: jax.Array
) -> Stopper:
    """Look at one finished epoch, with the rule of Keras's ``EarlyStopping`` callback.

    An epoch is better if its loss is lower than every earlier one; `patience` epochs in a row
    without a better one stop the lane (``min_delta=0, restore_best_weights=True``). A lane that has
    stopped goes on computing beside the others, but its best weights stay as they are.
    """
    better = (loss < stopper.best) & ~stopper.stopped
    # Keras keeps the first epoch's weights even if its loss is not a number.
    keep = better | (stopper.best_epoch < 0)
    waited = jnp.where(better, 0, stopper.waited + 1)
    stops = (waited >= patience) & (epoch > 0) & ~better
    chosen = [
        [jnp.where(keep, now, before) for now, before in zip(new, old, strict=True)]
        for new, old in ((state.trainable, stopper.trainable), (state.other, stopper.other))
    ]
    return Stopper(
        best=jnp.where(better, loss, stopper.best),
        best_epoch=jnp.where(keep, epoch, stopper.best_epoch).astype(jnp.int32),
        waited=waited.astype(jnp.int32),
        stopped=stopper.stopped | stops,
        trainable=chosen[0],
        other=chosen[1],
    )
