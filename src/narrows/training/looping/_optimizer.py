"""The optimizer of a training: a copy of the user's, and what its variables start from."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from narrows._keras import keras
from narrows.networks import carry_attributes, is_own, uncompiled_zeros


@dataclass(frozen=True)
class Copied:
    """A variable of the optimizer that starts as a weight does: that weight's number."""

    weight: int


@dataclass(frozen=True)
class BuiltOptimizer:
    """An optimizer for a training's weights.

    Attributes
    ----------
    optimizer : keras.optimizers.Optimizer
        Built for the weights; what its own variables hold is of no account.
    starts : list of ndarray or Copied
        What each of its variables starts from.
    rates : tuple of bool
        For each of its variables, whether it is the learning rate.
    """

    optimizer: Any
    starts: list
    rates: tuple[bool, ...]

    def start(self, weights: list[jax.Array], rate: jax.Array) -> list[jax.Array]:
        """Return one lane's optimizer variables before the first step."""
        values = []
        for start, is_rate in zip(self.starts, self.rates, strict=True):
            if is_rate:
                values.append(rate.astype(start.dtype))
            elif isinstance(start, Copied):
                # A buffer of its own: the training's memory is given away at every segment.
                values.append(jnp.copy(weights[start.weight]))
            else:
                values.append(jnp.asarray(start))
        return values


def build_optimizer(
    template: keras.optimizers.Optimizer, weights: list, own: list
) -> BuiltOptimizer:
    """Copy an optimizer and build it for the weights and the objective's own numbers.

    Some optimizers start a variable as a copy of a weight, which is drawn later, for each lane. So
    the optimizer is built twice, for the weights as they are and for made-up ones: what is the same
    in both is a constant, and what equals a weight in both is a copy of it.
    """
    variables = weights + own
    before = [variable.value for variable in variables]
    rng = np.random.default_rng(0)
    try:
        first, _ = _build(template, variables, own)
        for variable in variables:
            variable.assign(rng.standard_normal(variable.shape, np.float32))
        second, optimizer = _build(template, variables, own)
    finally:
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)
    starts = [_start_of(optimizer, number, first, second) for number in range(len(second.state))]
    rates = tuple(variable.path.endswith("learning_rate") for variable in optimizer.variables)
    return BuiltOptimizer(optimizer, starts, rates)


@dataclass(frozen=True)
class _Seen:
    """Weights, and the state of an optimizer that was built for them."""

    weights: list[np.ndarray]
    state: list[np.ndarray]


def _build(template: keras.optimizers.Optimizer, variables: list, own: list) -> tuple[_Seen, Any]:
    """Build a copy of the optimizer for the weights as they are now."""
    optimizer = _copied(template)
    if own:  # weight decay is for the network
        for one in _with_inner(optimizer):
            one.exclude_from_weight_decay(var_list=own)
    with uncompiled_zeros():
        optimizer.build(variables)
    weights, state = (
        [np.asarray(variable.value) for variable in some]
        for some in (variables, optimizer.variables)
    )
    return _Seen(weights, state), optimizer


def _start_of(
    optimizer: keras.optimizers.Optimizer, number: int, first: _Seen, second: _Seen
) -> np.ndarray | Copied:
    """Tell what an optimizer's variable starts from, by what it was for two sets of weights."""
    one, other = first.state[number], second.state[number]
    if np.array_equal(one, other, equal_nan=one.dtype.kind == "f"):
        return other
    for weight, (a, b) in enumerate(zip(first.weights, second.weights, strict=True)):
        if np.array_equal(one, a) and np.array_equal(other, b) and one.dtype == a.dtype:
            return Copied(weight)
    raise ValueError(
        "Every variable of the optimizer must start from fixed numbers or as a copy of a weight. "
        f"Got {optimizer.variables[number].path!r} of {type(optimizer).__name__}, which starts "
        "from something else. Set it at the first step instead."
    )


def _copied(template: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
    """Return a new optimizer of the same configuration."""
    foreign = {type(piece).__name__: type(piece) for piece in _pieces(template)}
    try:
        with keras.utils.custom_object_scope(foreign):
            copy = type(template).from_config(template.get_config())
        if foreign:
            carry_attributes(template, copy)
            _carry_schedule(template, copy)
        return copy
    except Exception as error:
        raise ValueError(
            "The optimizer must be one that can be copied from its configuration. Copying "
            f"{type(template).__name__} failed: {error} Define get_config for it so that it "
            "returns every argument of its constructor."
        ) from error


def _carry_schedule(template: keras.optimizers.Optimizer, copy: keras.optimizers.Optimizer) -> None:
    """Share a user's schedule: a copy of its configuration may lack what was set later."""
    for one, other in zip(_with_inner(template), _with_inner(copy), strict=True):
        schedule = getattr(one, "_learning_rate", None)
        if isinstance(schedule, _SCHEDULE) and not is_own(schedule):
            other._learning_rate = schedule


def _pieces(optimizer: keras.optimizers.Optimizer) -> Iterator[Any]:
    """Yield what an optimizer is made of that is not Keras's own."""
    for one in _with_inner(optimizer):
        for piece in (one, getattr(one, "_learning_rate", None)):
            if isinstance(piece, keras.optimizers.Optimizer | _SCHEDULE) and not is_own(piece):
                yield piece


_SCHEDULE = keras.optimizers.schedules.LearningRateSchedule


def _with_inner(optimizer: keras.optimizers.Optimizer) -> list:
    """Return an optimizer, and the one that it wraps, if any."""
    inner = getattr(optimizer, "inner_optimizer", None)
    return [optimizer] if inner is None else [optimizer, *_with_inner(inner)]


def check_optimizer(optimizer: keras.optimizers.Optimizer) -> None:
    """Raise ValueError if an optimizer was told to do what a compiled training would not do."""
    lost = lost_settings(optimizer)
    if lost:
        raise ValueError(
            f"The optimizer must do without {' and '.join(lost)}, which a compiled training does "
            f"not carry over. Got {type(optimizer).__name__} with it. Leave it out."
        )


def lost_settings(optimizer: keras.optimizers.Optimizer) -> list[str]:
    """Name what an optimizer was told to do that a compiled training would not do."""
    return [name for name, asks in _LOST.items() if any(map(asks, _with_inner(optimizer)))]


def _averages(optimizer: keras.optimizers.Optimizer) -> bool:
    return bool(getattr(optimizer, "use_ema", False))


def _excludes(optimizer: keras.optimizers.Optimizer) -> bool:
    """Whether some variables were taken out of weight decay, which no configuration holds."""
    return bool(
        getattr(optimizer, "_exclude_from_weight_decay", None)
        or getattr(optimizer, "_exclude_from_weight_decay_pattern", None)
    )


def _finalizes(optimizer: keras.optimizers.Optimizer) -> bool:
    """Whether a class that is not Keras's own changes the weights at the end of a training."""
    kept = keras.optimizers.Optimizer.finalize_variable_values
    return not is_own(optimizer) and type(optimizer).finalize_variable_values is not kept


def _has_several(optimizer: keras.optimizers.Optimizer) -> bool:
    """Whether it is made of several optimizers, each with a learning rate of its own."""
    kind = getattr(keras.optimizers, "MultiOptimizer", None)
    return kind is not None and isinstance(optimizer, kind)


def _calls_for_its_rate(optimizer: keras.optimizers.Optimizer) -> bool:
    """Whether its learning rate is a function, which no configuration holds."""
    rate = getattr(optimizer, "_learning_rate", None)
    return callable(rate) and not isinstance(rate, _SCHEDULE | keras.Variable)


_LOST: dict[str, Callable[[Any], bool]] = {
    "use_ema": _averages,
    "exclude_from_weight_decay": _excludes,
    "a finalize_variable_values of its own": _finalizes,
    "several optimizers": _has_several,
    "a function as learning_rate": _calls_for_its_rate,
}
