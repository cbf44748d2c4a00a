"""What a comparison that is over knows of its arms: written as text, read back as records."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from narrows.comparison._arms import Arm
from narrows.comparison.results._fingerprint import estimator_text

_UNTRAINED = ", not trained"
_RAW = "RawColumns()"


@dataclass(frozen=True)
class ArmRecord:
    """An arm as a comparison keeps it.

    Attributes
    ----------
    name : str
    text : str
        The estimator with all settings that are no defaults, and whether it is not trained.
    is_control : bool
    is_raw : bool
        Whether it is the columns themselves, which are no embedding.
    untrained : str or None
        The arm whose initial networks this control is.
    seeds : int
        Fits in each resample.
    random_state : int
        What its seeds were drawn from.
    """

    name: str
    text: str
    is_control: bool
    is_raw: bool
    untrained: str | None
    seeds: int
    random_state: int


def described(arm: Arm) -> str:
    """Return an arm's estimator as text, and whether it is trained."""
    return estimator_text(arm.estimator) + _UNTRAINED * bool(arm.untrained)


def arm_records(settings: Mapping[str, Any]) -> dict[str, ArmRecord]:
    """Return the arms of a comparison's settings, by name; files know no more than the texts."""
    trained = {text + _UNTRAINED: name for name, text in reversed(settings["arms"].items())}
    states = settings.get("random_states", {})
    return {
        name: ArmRecord(
            name,
            text,
            is_control=name in settings["controls"],
            is_raw=text == _RAW,
            untrained=trained.get(text),
            seeds=settings["seeds"][name],
            random_state=states.get(name, settings["random_state"]),
        )
        for name, text in settings["arms"].items()
    }
