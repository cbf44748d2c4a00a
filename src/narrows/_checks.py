"""Checks of parameters, the one exception that they raise, and the words of their advice."""

import difflib
import math
import numbers
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, NoReturn

LARGEST_SEED = 2**31 - 1  # what every library takes
_OWN: Any = object()  # the value is the owner's attribute of that name


class ParameterError(ValueError):
    """A parameter that is not what it must be: "The 'x' parameter of Y must … Got … instead. …".

    Parameters
    ----------
    owner : str or None
        The class or function that has the parameter; None leaves it out.
    name : str
        The parameter.
    wanted : str
        What follows "must".
    got : str
        What came instead.
    advice : str, default=""
        What to do. Settings stand in it in braces, as ``"Take {resampling}."``.
    settings : mapping of str to str, default=None
        The settings that the advice speaks of: values by the parameters' names.
    """

    def __init__(
        self,
        owner: str | None,
        name: str,
        wanted: str,
        got: str,
        advice: str = "",
        settings: Mapping[str, str] | None = None,
    ):
        self.owner, self.name, self.wanted, self.got = owner, name, wanted, got
        self.advice, self.settings = advice.strip(), dict(settings or {})
        super().__init__(self.sentence())

    def sentence(self, options: Mapping[str, str] | None = None) -> str:
        """Return the message."""
        options = options or {}
        owner = "" if self.owner is None else f" of {self.owner}"
        what = options.get(self.name) or f"The {self.name!r} parameter{owner}"
        advice = self.advice
        for name, value in self.settings.items():
            said = f"{options[name]} {value}" if name in options else f"{name}={value!r}"
            advice = advice.replace(f"{{{name}}}", said)
        return f"{what} must {self.wanted}. Got {self.got} instead. {advice}".rstrip()

    def __reduce__(self) -> tuple[Any, ...]:
        fields = (self.owner, self.name, self.wanted, self.got, self.advice, self.settings)
        return _made, (type(self) is not ParameterError, fields)


@cache
def _of_estimators() -> type[ParameterError]:
    """Return the same error as scikit-learn's contract asks for it; imported late."""
    from sklearn.utils._param_validation import InvalidParameterError

    class EstimatorParameterError(ParameterError, InvalidParameterError):
        """A parameter of an estimator that is not what it must be."""

    return EstimatorParameterError


def _made(of_estimator: bool, fields: tuple[Any, ...]) -> ParameterError:
    return (_of_estimators() if of_estimator else ParameterError)(*fields)


def refusal(
    owner: Any, name: str, wanted: str, got: str, advice: str = "", **settings: str
) -> ParameterError:
    """Return the error for an owner: a name, or an estimator, of which scikit-learn's is made."""
    if owner is None or isinstance(owner, str):
        return ParameterError(owner, name, wanted, got, advice, settings)
    return _of_estimators()(type(owner).__name__, name, wanted, got, advice, settings)


def fail(owner: Any, name: str, wanted: str, value: Any, advice: str = "") -> NoReturn:
    """Raise for a parameter that must be something else than its value."""
    raise refusal(owner, name, f"be {wanted}", repr(value), advice)


def is_whole(value: Any) -> bool:
    """Whether a value is an integer and not a truth value."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def is_real(value: Any, low: float = -math.inf, high: float = math.inf) -> bool:
    """Whether a value is a number in [low, high) and not a truth value."""
    real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    return real and low <= float(value) < high


def check_integer(
    owner: Any,
    name: str,
    value: Any = _OWN,
    *,
    least: int,
    most: int | None = None,
    why: str = "",
    optional: bool = False,
) -> Any:
    """Return an integer from `least` to `most` (or None, if optional); raise for all else."""
    value = getattr(owner, name) if value is _OWN else value
    if optional and value is None:
        return None
    if not is_whole(value) or value < least or (most is not None and value > most):
        end = "inf)" if most is None else f"{most}]{why and f', {why}'}"
        fail(owner, name, f"an int in the range [{least}, {end}{' or None' * optional}", value)
    return int(value)


def check_real(
    owner: Any,
    name: str,
    value: Any = _OWN,
    *,
    low: float,
    high: float = math.inf,
    open_low: bool = False,
    why: str = "",
) -> float:
    """Return a number in the range, whose upper end is left out; raise for all else."""
    value = getattr(owner, name) if value is _OWN else value
    if not is_real(value, low, high) or (open_low and value == low):
        bracket, why = "(" if open_low else "[", why and f", {why}"
        fail(owner, name, f"a float in the range {bracket}{low:g}, {high:g}){why}", value)
    return float(value)


def check_option(
    owner: Any,
    name: str,
    options: Iterable[str],
    value: Any = _OWN,
    *,
    optional: bool = False,
    where: str = "",
) -> None:
    """Raise unless the parameter is one of a few texts (or None); suggest near ones."""
    value, options = getattr(owner, name) if value is _OWN else value, list(options)
    if (optional and value is None) or (isinstance(value, str) and value in options):
        return
    advice = did_you_mean(value, options) if isinstance(value, str) else ""
    wanted = f"one of {listed(options, 30)}{' or None' * optional}{where}"
    fail(owner, name, wanted, value, advice)


def check_seed(owner: Any, name: str) -> None:
    """Raise if the parameter is an integer that no generator can start from, or a text."""
    value = getattr(owner, name)
    negative = isinstance(value, numbers.Integral) and value < 0
    if negative or isinstance(value, str):  # such as what stands for one that no file holds
        fail(owner, name, "an int in the range [0, inf), a RandomState or None", value)


def near(name: Any, known: Iterable[Any], most: int = 3, cutoff: float = 0.6) -> list[str]:
    """Return the known names that are most like one, whatever their case."""
    folded = {str(one).casefold(): str(one) for one in known}
    found = difflib.get_close_matches(str(name).casefold(), folded, n=most, cutoff=cutoff)
    return [folded[one] for one in found]


def did_you_mean(name: Any, known: Iterable[Any], most: int = 3, cutoff: float = 0.6) -> str:
    """Return a question that suggests near names; empty if there are none."""
    found = near(name, known, most, cutoff)
    return f"Did you mean {' or '.join(map(repr, found))}?" if found else ""


def listed(names: Iterable[Any], most: int = 5) -> str:
    """Return names in quotes, the first few of them and how many more there are."""
    names = list(names)
    shown = ", ".join(repr(name) for name in names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")
