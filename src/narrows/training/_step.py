"""One optimiser step and one evaluation, as pure functions of arrays.

Shapes below leave the lanes out: `jax.vmap` adds them.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from narrows._keras import keras
from narrows.training import _random
from narrows.training._trace import Trace, tracing


class State(NamedTuple):
    """What a training carries from step to step: everything in here is donated and replaced."""

    trainable: list[jax.Array]
    other: list[jax.Array]
    optimizer: list[jax.Array]
    key: jax.Array  # uint32 (2,): the restart's key for masks and noise
    step: jax.Array  # uint32: steps made


class Tally(NamedTuple):
    """Sums over the rows seen in an epoch so far."""

    loss: jax.Array  # sum over rows of the total loss
    rows: jax.Array  # number of rows
    terms: dict[str, jax.Array]  # sums over rows of each term of the objective
    metrics: list[list[jax.Array]]  # the variables of each Keras metric


@dataclass(frozen=True)
class Parts:
    """What a step is made of; none of it is an array, so none of it is an input."""

    model: Any
    optimizer: Any
    objective: Any
    metrics: tuple
    noise: float


def empty_tally(parts: Parts) -> Tally:
    """Return the tally of an epoch that has seen no row."""
    zero = jnp.zeros((), jnp.float32)
    return Tally(
        loss=zero,
        rows=zero,
        terms=dict.fromkeys(parts.objective.names, zero),
        metrics=[metric.stateless_reset_state() for metric in parts.metrics],
    )


def _losses(parts: Parts, trainable, other, x, target, weights, rows, *, training: bool):
    """Run the network: total loss, the layers' new state, the output, each term by name."""
    output, other, extra = parts.model.stateless_call(
        trainable, other, x, training=training, return_losses=True
    )
    # A mixed-precision network (a Keras dtype policy) computes in bfloat16; losses do not.
    output = output.astype(jnp.float32)
    terms = parts.objective(target, output, weights, rows)
    total = sum(terms.values()) + sum(extra)
    return total, (other, output, terms)


def _add(parts: Parts, tally: Tally, total, terms, target, output, counted) -> Tally:
    rows = jnp.sum(counted)
    metrics = [
        metric.stateless_update_state(variables, target, output, sample_weight=counted)
        for metric, variables in zip(parts.metrics, tally.metrics, strict=True)
    ]
    return Tally(
        loss=tally.loss + total * rows,
        rows=tally.rows + rows,
        terms={name: tally.terms[name] + terms[name] * rows for name in tally.terms},
        metrics=metrics,
    )


def train_step(
    parts: Parts, state: State, tally: Tally, x, counted, sample_weights, *, padded: bool = True
):
    """Make one optimiser step on one batch.

    Parameters
    ----------
    parts : Parts
    state : State
    tally : Tally
    x : array of shape (batch, ...)
        The rows; a short batch is padded with rows that do not count.
    counted : float32 array of shape (batch,)
        1 for a row, 0 for padding.
    sample_weights : float32 array of shape (batch,)
        Factors of the rows' losses. As in Keras the sum is divided by the number of rows, not by
        the sum of the weights; batch statistics and metrics do not see them.
    padded : bool
        Whether there may be padding; without it the layers see no mask.

    Returns
    -------
    (State, Tally)
    """
    trace = Trace(state.key, state.step, counted if padded else None)
    noisy = x
    if parts.noise > 0:
        noisy = x + parts.noise * _random.normal(state.key, state.step, 0, x.shape)

    weights, rows = counted * sample_weights, jnp.sum(counted)

    def loss_of(trainable):
        return _losses(parts, trainable, state.other, noisy, x, weights, rows, training=True)

    with tracing(trace):
        (total, (other, output, terms)), gradients = jax.value_and_grad(loss_of, has_aux=True)(
            state.trainable
        )
    trainable, optimizer = parts.optimizer.stateless_apply(
        state.optimizer, gradients, state.trainable
    )
    new = State(trainable, other, optimizer, state.key, state.step + jnp.uint32(1))
    return new, _add(parts, tally, total, terms, x, output, counted)


def evaluate(parts: Parts, state: State, tally: Tally, x, counted) -> Tally:
    """Add one batch in inference mode to `tally`; shapes as in `train_step`."""
    total, (_, output, terms) = _losses(
        parts, state.trainable, state.other, x, x, counted, jnp.sum(counted), training=False
    )
    return _add(parts, tally, total, terms, x, output, counted)


def results(parts: Parts, tally: Tally) -> jax.Array:
    """Return the epoch's numbers in the order of `measure_names`; shape (n_measures,)."""
    rows = jnp.maximum(tally.rows, 1.0)
    numbers = [tally.loss / rows]
    if len(tally.terms) > 1:
        numbers += [tally.terms[name] / rows for name in parts.objective.names]
    numbers += [
        _result(metric, variables)
        for metric, variables in zip(parts.metrics, tally.metrics, strict=True)
    ]
    return jnp.stack([jnp.asarray(number, jnp.float32) for number in numbers])


def _result(metric, variables):
    """Return a Keras metric's value; it may be one of its variables, as in Keras's own guides."""
    with keras.StatelessScope(zip(metric.variables, variables, strict=True)):
        return keras.ops.convert_to_tensor(metric.result())


def measure_names(parts: Parts) -> list[str]:
    """Return the names of the numbers that `results` gives: loss, its terms if several, metrics."""
    names = ["loss"]
    if len(parts.objective.names) > 1:
        names += list(parts.objective.names)
    return names + [metric.name for metric in parts.metrics]
