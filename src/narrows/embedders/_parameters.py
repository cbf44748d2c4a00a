"""Checks of an embedder's parameters, in scikit-learn's wording, with near matches for names."""

import difflib
import math
import numbers
from collections.abc import Iterable, Sequence
from typing import NoReturn

import numpy as np
from sklearn.utils._param_validation import InvalidParameterError


def fail(owner, name: str, wanted: str, value, advice: str = "") -> NoReturn:
    """Raise InvalidParameterError in scikit-learn's wording, with a word of advice at the end."""
    advice = f" {advice}" if advice else ""
    raise InvalidParameterError(
        f"The {name!r} parameter of {type(owner).__name__} must be {wanted}. "
        f"Got {value!r} instead.{advice}"
    )


def check_integer(owner, name: str, *, least: int, optional: bool = False) -> None:
    """Raise unless the parameter is an integer of at least `least` (or None, if optional)."""
    value = getattr(owner, name)
    if optional and value is None:
        return
    integer = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not integer or value < least:
        none = " or None" if optional else ""
        fail(owner, name, f"an int in the range [{least}, inf){none}", value)


def check_real(
    owner, name: str, *, low: float, high: float = math.inf, open_low: bool = False
) -> None:
    """Raise unless the parameter is a number in the range; its upper end is left out."""
    value = getattr(owner, name)
    real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    inside = real and (value > low if open_low else value >= low) and value < high
    if not inside:
        bracket = "(" if open_low else "["
        fail(owner, name, f"a float in the range {bracket}{low:g}, {high:g})", value)


def check_widths(owner, name: str) -> None:
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
        if not isinstance(width, numbers.Integral) or isinstance(width, bool) or width < 1:
            fail(owner, name, wanted, value)


def check_seed(owner, name: str) -> None:
    """Raise if the parameter is an integer that no generator can start from."""
    value = getattr(owner, name)
    if isinstance(value, numbers.Integral) and value < 0:
        fail(owner, name, "an int in the range [0, inf), a RandomState or None", value)


def check_name(owner, name: str, value, known: Iterable[str], what: str) -> None:
    """Raise unless `value`, a string, is a known name; suggest near ones."""
    known = sorted(known)
    if value in known:
        return
    near = difflib.get_close_matches(str(value).lower(), known, n=3, cutoff=0.5)
    advice = (
        f"Did you mean {' or '.join(map(repr, near))}?" if near else f"Known: {', '.join(known)}."
    )
    fail(owner, name, f"the name of {what} or a Keras object", value, advice)
