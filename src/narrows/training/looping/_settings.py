"""What a lane may have for itself: inputs of a program, so that another value compiles nothing."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from narrows.training.looping._random import threshold

SCHEDULES = ("constant", "cosine", "one-cycle")
_CONSTANT, _COSINE, _ONE_CYCLE = range(3)
# Smith and Topin 2019 (arXiv:1708.07120), with the shares of PyTorch's OneCycleLR.
_RISE, _FIRST, _LAST = 0.3, 1 / 25, 1 / 25e4


class Settings(NamedTuple):
    """Scalars and short vectors of one lane.

    Attributes
    ----------
    weight_decay : float32
        What a step takes off the weights that decay, over the learning rate (decoupled:
        Loshchilov and Hutter 2019, arXiv:1711.05101).
    schedule : int32
        Number of the learning rate's schedule in `SCHEDULES`.
    noise : float32
        How much noise, see `Noise`.
    replaced : uint32
        Words below this stand for entries that noise replaces.
    loss_scale : float32
        What the loss is multiplied by before it is minimised; histories do not see it.
    validation_rows : int32
        How many of the validation rows are the lane's own; the others pad.
    label_weight : float32
        What the loss of the labels is multiplied by.
    dropped : uint32 of shape (n_dropouts,)
        Words below these stand for entries that a dropout layer drops.
    dropout_scales : float32 of shape (n_dropouts,)
        What a dropout layer multiplies the other entries by.
    """

    weight_decay: Any
    schedule: Any
    noise: Any
    replaced: Any
    loss_scale: Any
    validation_rows: Any
    label_weight: Any
    dropped: Any
    dropout_scales: Any


def settings_of(
    weight_decays: list[float],
    schedules: list[str],
    noises: list[float],
    loss_scales: list[float],
    validation_rows: list[int],
    label_weights: list[float],
    dropouts: list[list[float]],
) -> Settings:
    """Return the settings of lanes, each an array of shape (lanes,)."""
    return Settings(
        np.asarray(weight_decays, np.float32),
        np.asarray([SCHEDULES.index(name) for name in schedules], np.int32),
        np.asarray(noises, np.float32),
        np.asarray([threshold(amount) for amount in noises], np.uint32),
        np.asarray(loss_scales, np.float32),
        np.asarray(validation_rows, np.int32),
        np.asarray(label_weights, np.float32),
        np.asarray([[threshold(rate) for rate in rates] for rates in dropouts], np.uint32),
        np.asarray([[1.0 / (1.0 - rate) for rate in rates] for rates in dropouts], np.float32),
    )


def settings_spec(lanes: int, dropouts: int) -> Settings:
    """Describe the settings of so many lanes, of a network with so many dropout rates."""
    floats, ints, words = (
        jax.ShapeDtypeStruct((lanes,), kind) for kind in (jnp.float32, jnp.int32, jnp.uint32)
    )
    dropped, scales = (
        jax.ShapeDtypeStruct((lanes, dropouts), kind) for kind in (jnp.uint32, jnp.float32)
    )
    return Settings(floats, ints, floats, words, floats, ints, floats, dropped, scales)


def factor(schedule: jax.Array, progress: jax.Array) -> jax.Array:
    """Return what the learning rate is multiplied by, given the share of all steps made so far.

    ``"cosine"`` falls to 0 along half a wave (Loshchilov and Hutter 2017, arXiv:1608.03983,
    equation 5, without restarts); ``"one-cycle"`` rises along half a wave for the first 30 % of
    the steps and falls along another.
    """
    cosine = (1.0 + jnp.cos(jnp.pi * progress)) / 2.0
    rising = _FIRST + (1.0 - _FIRST) * (1.0 - jnp.cos(jnp.pi * progress / _RISE)) / 2.0
    falling = _LAST + (1.0 - _LAST) * (
        (1.0 + jnp.cos(jnp.pi * (progress - _RISE) / (1.0 - _RISE))) / 2.0
    )
    one_cycle = jnp.where(progress < _RISE, rising, falling)
    return jnp.where(schedule == _CONSTANT, 1.0, jnp.where(schedule == _COSINE, cosine, one_cycle))


def is_constant(schedule: jax.Array) -> jax.Array:
    """Whether the learning rate stays as it is."""
    return schedule == _CONSTANT
