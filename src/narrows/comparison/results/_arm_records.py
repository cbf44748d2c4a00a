"""What a comparison that is over knows of its arms: written as text, read back as records."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from narrows.comparison._arms import Arm
from narrows.comparison.results._fingerprint import estimator_text

_UNTRAINED = ", not trained"
_RAW = "RawColumns()"
FITTED_WITH_LABELS = "fitted with labels"
UNSEEN = " (unseen rows)"  # after the name of such an arm where only these are drawn


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
    uses_labels : bool
        Whether it is fitted with the training rows' labels.
    """

    name: str
    text: str
    is_control: bool
    is_raw: bool
    untrained: str | None
    seeds: int
    random_state: int
    uses_labels: bool = False

    @property
    def marked(self) -> str:
        """The name, and whether it is fitted with labels."""
        return marked(self.name, uses_labels=self.uses_labels)


def marked(name: str, *, is_control: bool = False, uses_labels: bool = False) -> str:
    """Return an arm's name with what is said of it wherever it is shown."""
    marks = ["control"] * is_control + [FITTED_WITH_LABELS] * uses_labels
    return f"{name} ({', '.join(marks)})" if marks else name


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
            uses_labels=name in settings.get("labelled", ()),
        )
        for name, text in settings["arms"].items()
    }
