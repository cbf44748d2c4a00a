"""Checks of parameters that embedders alone have, on top of those that all parts share."""

import inspect
import math
import numbers
import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from narrows._checks import (
    check_integer,
    check_option,
    check_real,
    check_seed,
    did_you_mean,
    fail,
    is_real,
    is_whole,
)
from narrows._files import at_home

__all__ = [
    "check_checkpoint", "check_integer", "check_keep", "check_learning_rate", "check_name",
    "check_noise", "check_option", "check_real", "check_seed", "check_sparsity", "check_widths",
    "default_of", "fail", "noise_of", "sparsity_of", "unused",
]  # fmt: skip


def default_of(owner: Any, name: str) -> Any:
    """Return a parameter's default."""
    return inspect.signature(type(owner).__init__).parameters[name].default


def check_learning_rate(owner: Any) -> None:
    """Raise unless it is a positive number, and the default beside an optimizer object."""
    check_real(owner, "learning_rate", low=0, open_low=True)
    optimizer, default = owner.optimizer, default_of(owner, "learning_rate")
    has_its_own = hasattr(optimizer, "learning_rate") and not isinstance(optimizer, type)
    if has_its_own and owner.learning_rate != default:
        fail(
            owner, "learning_rate", f"left at {default:g} with an optimizer object, which brings "
            "its own", owner.learning_rate,
            "Give it to the optimizer, or name the optimizer, such as 'adam'.",
        )  # fmt: skip


def unused(owner: Any, names: Iterable[str], why: str) -> list[str]:
    """Return a sentence that names the parameters of `names` that are not at their defaults."""
    given = [name for name in names if getattr(owner, name) != default_of(owner, name)]
    if not given:
        return []
    shown = ", ".join(f"{name}={getattr(owner, name)!r}" for name in given)
    return [f"{type(owner).__name__} makes no use of {shown} {why}. Leave it out."]


_NOISES = {"gaussian": math.inf, "masking": 1.0, "swap": 1.0}  # and below which amount


def _is_amount(value: Any, high: float = math.inf) -> bool:
    return is_real(value, 0, high)


def check_noise(owner: Any, name: str) -> None:
    """Raise unless the parameter is a standard deviation, or a kind of noise and its amount."""
    value = getattr(owner, name)
    if _is_amount(value):
        return
    if _has_form(value, 2) and value[0] in _NOISES and _is_amount(value[1], _NOISES[value[0]]):
        return
    wanted = (
        "a float in the range [0, inf), ('gaussian', float in [0, inf)), ('masking', float in "
        "[0, 1)) or ('swap', float in [0, 1))"
    )
    fail(owner, name, wanted, value)


def noise_of(value: Any) -> tuple[str, float] | None:
    """Return a checked `noise` parameter as kind and amount; None for no noise."""
    kind, amount = ("gaussian", value) if _is_amount(value) else value
    return (str(kind), float(amount)) if amount > 0 else None


def check_sparsity(owner: Any, name: str) -> None:
    """Raise unless the parameter is a weight, or a kind of sparsity with its numbers."""
    value = getattr(owner, name)
    if _is_amount(value):
        return
    if _has_form(value, 2) and value[0] == "l1" and _is_amount(value[1]):
        return
    kl = _has_form(value, 3) and value[0] == "kl" and all(map(_is_amount, value[1:]))
    if kl and 0 < value[2] < 1:
        return
    wanted = (
        "a float in the range [0, inf), ('l1', float in [0, inf)) or ('kl', float in [0, inf), "
        "float in (0, 1))"
    )
    fail(owner, name, wanted, value)


def sparsity_of(value: Any) -> tuple[float, float | None] | None:
    """Return a checked `sparsity` parameter as weight and target; None for no penalty."""
    if _is_amount(value):
        weight, target = float(value), None
    else:
        weight, target = float(value[1]), (float(value[2]) if len(value) > 2 else None)
    return (weight, target) if weight > 0 else None


def _has_form(value: Any, length: int) -> bool:
    return isinstance(value, tuple | list) and len(value) == length and isinstance(value[0], str)


def check_widths(owner: Any, name: str) -> None:
    """Raise unless the parameter is a sequence of positive widths, a callable or a Keras model."""
    value = getattr(owner, name)
    if callable(value):  # Keras models are callable too
        return
    wanted = (
        "a sequence of ints in the range [1, inf), a function of a Keras tensor, or a keras.Model"
    )
    # Not any iterable: a generator would be empty at the second look, a set has no order.
    if isinstance(value, str) or not isinstance(value, Sequence | np.ndarray):
        fail(owner, name, wanted, value)
    for width in value:
        if not is_whole(width) or width < 1:
            fail(owner, name, wanted, value)


def check_keep(owner: Any) -> None:
    """Raise unless `keep` names layers, and there is a model that may have them."""
    value = owner.keep
    several = isinstance(value, Sequence) and not isinstance(value, str)
    if not several or not all(isinstance(name, str) for name in value):
        fail(owner, "keep", "a sequence of names of layers", value)
    if value and not any(hasattr(part, "layers") for part in (owner.encoder, owner.decoder)):
        advice = "Leave it out: what a function sets in its layers is kept anyway."
        fail(owner, "keep", "() where neither encoder nor decoder is a Keras model", value, advice)


def check_checkpoint(owner: Any, checkpoint: str | os.PathLike | None) -> None:
    """Raise if a training could not be known again: its seeds would be others next time."""
    if checkpoint is not None and at_home(checkpoint).is_dir():
        raise ValueError(
            f"A checkpoint must be a file. Got the folder {os.fspath(checkpoint)!r} instead."
        )
    if checkpoint is not None and not isinstance(owner.random_state, numbers.Integral):
        raise ValueError(
            f"With a checkpoint, the 'random_state' parameter of {type(owner).__name__} must be "
            "an int, so that the next fit goes on with the same training. "
            f"Got {owner.random_state!r} instead."
        )


def check_name(owner: Any, name: str, value: str, known: Iterable[str], what: str) -> None:
    """Raise unless `value`, a string, is a known name; suggest near ones."""
    known = sorted(known)
    if value in known:
        return
    advice = did_you_mean(value, known, cutoff=0.5) or f"Known: {', '.join(known)}."
    fail(owner, name, f"the name of {what} or a Keras object", value, advice)
