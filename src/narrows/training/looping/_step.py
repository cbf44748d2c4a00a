"""One optimiser step and one evaluation, as pure functions of arrays.

Shapes below leave the lanes out: `jax.vmap` adds them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from narrows._errors import UntrainableError
from narrows._keras import keras, mask_of, with_mask
from narrows.objectives import Batch, Losses, Objective, PerRow
from narrows.training.compiling._trace import VALIDATION_SITES, Trace, tracing
from narrows.training.looping._noise import Noise, corrupt
from narrows.training.looping._settings import Settings, factor, is_constant


class State(NamedTuple):
    """What a training carries from step to step: everything in here is donated and replaced."""

    trainable: list[jax.Array]  # the model's, then the objective's own
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


class Rows(NamedTuple):
    """One batch of the data.

    Attributes
    ----------
    x : array of shape (batch, ...)
        The rows; a short batch is padded with rows that do not count.
    target : array of shape (batch, ...) or None
        What the output should equal, if not `x`.
    counted : float32 array of shape (batch,)
        1 for a row, 0 for padding; padding comes last.
    given : PerRow
        What was given for each row. As in Keras the weighted sum is divided by the number of
        rows, not by that of the weights; batch statistics and metrics do not see them.
    frame : Frame or None
        The coordinates that the network sees rows in.
    """

    x: jax.Array
    target: jax.Array | None
    counted: jax.Array
    given: PerRow
    frame: "Frame | None"


class Frame(NamedTuple):
    """Coordinates of a network's own: objective, noise and metrics see rows and codes as they are.

    The network gets ``(x − offset) / scale``; its output ``r`` stands for ``r · scale + offset``,
    its code ``v`` for ``v · code``.

    Attributes
    ----------
    offset : float32 array of the shape of a row
    scale : float32 array of the shape of a row, or None
        None for 1.
    code : float32 array of shape (bottleneck,), or None
        None for 1.
    """

    offset: Any
    scale: Any = None
    code: Any = None

    def inward(self, x: jax.Array) -> jax.Array:
        """Return rows as the network sees them."""
        x = x - self.offset
        return x if self.scale is None else x / self.scale

    def outward(self, output: jax.Array) -> jax.Array:
        """Return rows that the network made as they are."""
        output = output if self.scale is None else output * self.scale
        return output + self.offset

    def codes(self, code: jax.Array) -> jax.Array:
        """Return codes that the network made as they are."""
        return code if self.code is None else code * self.code


def code_scale_of(frame: Frame | None) -> Any:
    """Return of what size codes are about, as an objective is told."""
    return 1.0 if frame is None or frame.code is None else frame.code


class Moment(NamedTuple):
    """Where in the training a step is: float32 scalars.

    Attributes
    ----------
    epoch : scalar
        Epochs finished before this one.
    progress : scalar
        The share of all steps made so far, from 0 to 1.
    """

    epoch: jax.Array
    progress: jax.Array


@dataclass(frozen=True)
class Parts:
    """What a step is made of; none of it is an array, so none of it is an input.

    Attributes
    ----------
    model : keras.Model
        The network as `exchanged` runs it, with one output or several by name.
    encode : callable or None
        ``encode(trainable, other, rows)`` returns the code in inference mode.
    optimizer : keras.optimizers.Optimizer
        Built for the model's trainable variables and the objective's own.
    rates : tuple of bool
        For each of the optimizer's variables, whether it is the learning rate.
    objective : Objective
    metrics : tuple of keras.metrics.Metric
    noise : str or None
        Kind of noise on what the encoder sees in training.
    decayed : tuple of bool
        For each of the model's trainable variables, whether weight decay is for it; empty for none.
    """

    model: Any
    encode: Callable | None
    optimizer: Any
    rates: tuple[bool, ...]
    objective: Objective
    metrics: tuple
    noise: str | None
    decayed: tuple[bool, ...]


def empty_tally(parts: Parts) -> Tally:
    """Return the tally of an epoch that has seen no row."""
    zero = jnp.zeros((), jnp.float32)
    return Tally(
        loss=zero,
        rows=zero,
        terms=dict.fromkeys(parts.objective.names, zero),
        metrics=[metric.stateless_reset_state() for metric in parts.metrics],
    )


def _losses(
    parts: Parts,
    trainable: list[jax.Array],
    other: list[jax.Array],
    seen: jax.Array,
    rows: Rows,
    epoch: jax.Array,
    *,
    training: bool,
    label_weight: Any = 1.0,
) -> tuple[Losses, list[jax.Array], tuple[dict[str, jax.Array], jax.Array | None]]:
    """Run the network: the objective's losses, the layers' new state, outputs and a mask if any."""
    count = len(trainable) - len(parts.objective.parameters)
    network, own = trainable[:count], trainable[count:]

    frame = rows.frame

    def inward(x: jax.Array) -> jax.Array:
        return x if frame is None else frame.inward(x)

    def codes(code: jax.Array) -> jax.Array:
        return code if frame is None else frame.codes(code)

    outputs, new, extra = parts.model.stateless_call(
        network, other, inward(seen), training=training, return_losses=True
    )
    outputs = outputs if isinstance(outputs, dict) else {"output": outputs}
    mask = _mask(parts, outputs)
    # A mixed-precision network (a Keras dtype policy) computes in bfloat16; losses do not.
    outputs = {name: value.astype(jnp.float32) for name, value in outputs.items()}
    if frame is not None:
        outputs["output"] = frame.outward(outputs["output"])
        outputs["code"] = codes(outputs["code"])
    encode = parts.encode
    found = parts.objective(
        Batch(
            target=rows.x if rows.target is None else rows.target,
            seen=seen,
            outputs=outputs,
            given=rows.given,
            counted=rows.counted,
            rows=jnp.sum(rows.counted),
            epoch=epoch,
            encode=encode and (lambda x: codes(encode(network, other, inward(x)))),
            parameters=dict(zip(parts.objective.parameters, own, strict=True)),
            mask=mask,
            label_weight=label_weight,
            code_scale=code_scale_of(frame),
        )
    )
    layers = sum(extra)
    found = Losses(found.minimised + layers, found.loss + layers, found.terms)
    return found, new, (outputs, mask)


def _mask(parts: Parts, outputs: dict[str, jax.Array]) -> jax.Array | None:
    """Return which places of the output count, if layers have put a mask on it."""
    mask = mask_of(outputs["output"]) if "output" in outputs else None
    if mask is not None and not parts.objective.takes_mask:
        raise UntrainableError(
            "The output of the network must have no mask, since the objective "
            f"{type(parts.objective).__name__} heeds none. Got a mask, as keras.layers.Masking "
            "makes one. Leave the layer out, or take the places out of the mean yourself in an "
            "objective with takes_mask = True."
        )
    return mask


def _add(
    parts: Parts,
    tally: Tally,
    found: Losses,
    output: jax.Array | None,
    rows: Rows,
    *,
    padded: bool,
) -> Tally:
    count = jnp.sum(rows.counted)
    target = rows.x if rows.target is None else rows.target
    # As in Keras, metrics do not see the weights of rows. They see padding as rows of weight 0.
    weights = rows.counted if padded else None
    metrics = [
        metric.stateless_update_state(variables, target, output, sample_weight=weights)
        for metric, variables in zip(parts.metrics, tally.metrics, strict=True)
    ]
    return Tally(
        loss=tally.loss + found.loss * count,
        rows=tally.rows + count,
        terms={name: tally.terms[name] + found.terms[name] * count for name in tally.terms},
        metrics=metrics,
    )


def train_step(
    parts: Parts,
    state: State,
    tally: Tally,
    rows: Rows,
    moment: Moment,
    settings: Settings,
    *,
    padded: bool = True,
) -> tuple[State, Tally]:
    """Make one optimiser step on one batch."""
    dropout = settings.dropped, settings.dropout_scales
    trace = Trace(state.key, state.step, rows.counted if padded else None, dropout)
    seen = rows.x
    if parts.noise is not None:
        noise = Noise(parts.noise, settings.noise, settings.replaced)
        seen = corrupt(noise, state.key, state.step, rows.x, jnp.sum(rows.counted))

    def loss_of(trainable: list[jax.Array]) -> tuple[jax.Array, tuple[Any, ...]]:
        found, other, (outputs, _) = _losses(
            parts, trainable, state.other, seen, rows, moment.epoch,
            training=True, label_weight=settings.label_weight,
        )  # fmt: skip
        minimised = found.minimised * settings.loss_scale
        return _scaled(parts, state, minimised), (found, other, outputs.get("output"))

    with tracing(trace):
        (_, (found, other, output)), gradients = jax.value_and_grad(loss_of, has_aux=True)(
            state.trainable
        )
    trainable, optimizer = _apply(parts, state, gradients, moment, settings)
    new = State(trainable, other, optimizer, state.key, state.step + jnp.uint32(1))
    return new, _add(parts, tally, found, output, rows, padded=padded)


def _scaled(parts: Parts, state: State, loss: jax.Array) -> jax.Array:
    """Multiply a loss by what the optimizer will divide the gradients by."""
    with keras.StatelessScope(zip(parts.optimizer.variables, state.optimizer, strict=True)):
        return parts.optimizer.scale_loss(loss)


def _apply(
    parts: Parts, state: State, gradients: list[jax.Array], moment: Moment, settings: Settings
) -> tuple[list[jax.Array], list[jax.Array]]:
    """Let the optimizer make its step, with the learning rate of the moment."""
    now = factor(settings.schedule, moment.progress)
    before = [
        (value * now.astype(value.dtype)) if is_rate else value
        for value, is_rate in zip(state.optimizer, parts.rates, strict=True)
    ]
    trainable = _decayed(parts, state.trainable, before, settings.weight_decay)
    trainable, after = parts.optimizer.stateless_apply(before, gradients, trainable)
    triples = zip(state.optimizer, after, parts.rates, strict=True)
    constant = is_constant(settings.schedule)
    return trainable, [
        jnp.where(constant, new, old) if is_rate else new for old, new, is_rate in triples
    ]


def _decayed(
    parts: Parts, trainable: list[jax.Array], optimizer: list[jax.Array], weight_decay: jax.Array
) -> list[jax.Array]:
    """Take weight decay off the weights that have it, before the step, as Keras's AdamW does."""
    if not any(parts.decayed):
        return trainable
    with keras.StatelessScope(zip(parts.optimizer.variables, optimizer, strict=True)):
        rate = jnp.asarray(parts.optimizer.learning_rate, jnp.float32)
    keep = 1.0 - rate * weight_decay
    own = trainable[len(parts.decayed) :]
    network = zip(trainable, parts.decayed, strict=False)
    return [
        value * keep.astype(value.dtype) if decays else value for value, decays in network
    ] + own


def evaluate(
    parts: Parts, state: State, tally: Tally, rows: Rows, place: jax.Array, settings: Settings,
    *, padded: bool = True,
) -> Tally:  # fmt: skip
    """Add one batch in inference mode to `tally`."""
    trace = Trace(state.key, jnp.asarray(place, jnp.uint32), None, _sites=VALIDATION_SITES)
    with tracing(trace):
        found, _, (outputs, mask) = _losses(
            parts, state.trainable, state.other, rows.x, rows, jnp.float32(0),
            training=False, label_weight=settings.label_weight,
        )  # fmt: skip
    # Keras's metrics heed a mask here, and not in training, where Keras loses it on JAX.
    output = outputs.get("output")
    output = None if output is None else with_mask(output, mask)
    return _add(parts, tally, found, output, rows, padded=padded)


def check(
    parts: Parts, trainable: list[jax.Array], other: list[jax.Array], rows: Rows
) -> tuple[dict[str, jax.Array], jax.Array]:
    """Return the network's outputs by name and the loss, of rows in inference mode.

    Outside a training nothing is drawn: random layers do as they do in a delivered model.
    """
    found, _, (outputs, _) = _losses(
        parts, trainable, other, rows.x, rows, jnp.float32(0),
        training=False,
    )  # fmt: skip
    return outputs, found.loss


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


def _result(metric: keras.metrics.Metric, variables: list[jax.Array]) -> jax.Array:
    """Return a Keras metric's value; it may be one of its variables, as in Keras's own guides."""
    with keras.StatelessScope(zip(metric.variables, variables, strict=True)):
        return keras.ops.convert_to_tensor(metric.result())


def measure_names(parts: Parts) -> list[str]:
    """Return the names of the numbers that `results` gives: loss, its terms if several, metrics."""
    names = ["loss"]
    if len(parts.objective.names) > 1:
        names += list(parts.objective.names)
    return names + [metric.name for metric in parts.metrics]
