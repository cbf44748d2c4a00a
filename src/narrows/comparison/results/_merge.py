"""Two comparisons as one, if they may stand side by side."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from narrows.comparison.results._fingerprint import without_jobs

if TYPE_CHECKING:
    from narrows.comparison._comparison import Comparison

_SAME = {
    "data": "the same rows and labels",
    "probes": "the same probes",
    "preprocess": "the same preprocessing",
    "refit": "the same way of refitting",
}
_BY_ARM = ("arms", "seeds", "random_states")


def joined(one: "Comparison", other: "Comparison") -> "Comparison":
    """Return a comparison with the arms of both; see `Comparison.beside`."""
    # Of another random state, probes drew other random numbers: that adds to the spread of
    # differences and favours nobody.
    if one.resamples.fingerprint != other.resamples.fingerprint:
        raise ValueError(
            "Comparisons side by side must have the same resamples. Got fingerprints "
            f"{one.resamples.fingerprint[:8]} and {other.resamples.fingerprint[:8]} instead. Pass "
            "one's 'resamples' to the other as 'resampling'."
        )
    for name, what in _SAME.items():
        if _setting(one, name) != _setting(other, name):
            raise ValueError(
                f"Comparisons side by side must have {what}. "
                f"Got {one.settings[name]!r} and {other.settings[name]!r} instead."
            )
    shared = [arm for arm in other.arms if arm in one.arms and arm not in other.controls]
    if shared:
        raise ValueError(
            "Comparisons side by side must have arms of different names. "
            f"Got {', '.join(map(repr, shared))} in both instead. Rename one of them."
        )
    other = _renamed(one, other)
    new = [arm for arm in other.arms if arm not in one.arms]

    def both(attribute: str) -> pd.DataFrame:
        first, second = getattr(one, attribute), getattr(other, attribute)
        return pd.concat([first, second[second["arm"].isin(new)]], ignore_index=True)

    return replace(
        one,
        scores=both("scores"),
        failures=both("failures"),
        points=both("points"),
        settings=one.settings | _settings(one, other, new),
        seconds={
            name: one.seconds.get(name, 0.0) + other.seconds.get(name, 0.0)
            for name in {**one.seconds, **other.seconds}
        },
    )


def _setting(comparison: "Comparison", name: str) -> object:
    """Return a setting without what changes no number."""
    value = comparison.settings[name]
    if name != "probes":
        return value
    return {probe: without_jobs(text) for probe, text in value.items()}


def _renamed(one: "Comparison", other: "Comparison") -> "Comparison":
    """Give an untrained encoder, if `one` has that of another network, the name of its arm."""
    names = {}
    for name, theirs in other.arm_records.items():
        ours = one.arm_records.get(name, theirs)
        if theirs.is_control and theirs.untrained and ours.text != theirs.text:
            names[name] = f"{name} of {theirs.untrained}"
    if not names or set(names.values()) & {*one.arms, *other.arms}:
        return other

    def called(name: str) -> str:
        return names.get(name, name)

    tables = {
        name: frame.assign(arm=frame["arm"].map(called))
        for name, frame in (
            ("scores", other.scores), ("failures", other.failures), ("points", other.points),
        )
    }  # fmt: skip
    settings = {
        name: {called(arm): of for arm, of in other.settings.get(name, {}).items()}
        for name in _BY_ARM
    } | {
        name: [called(arm) for arm in other.settings.get(name, [])]
        for name in ("controls", "labelled")
    }
    return replace(other, **tables, settings=other.settings | settings)


def _settings(one: "Comparison", other: "Comparison", new: list[str]) -> dict:
    added = {arm: other.settings["arms"][arm] for arm in new}
    # Controls stay last.
    asked = {a: t for a, t in one.settings["arms"].items() if a not in one.controls}
    asked |= {a: t for a, t in added.items() if a not in other.controls}
    rest = {a: t for a, t in {**one.settings["arms"], **added}.items() if a not in asked}
    own, theirs = one.settings["random_state"], other.arm_records
    states = {arm: theirs[arm].random_state for arm in new if theirs[arm].random_state != own}
    states = one.settings.get("random_states", {}) | states
    labelled = [arm for arm in new if theirs[arm].uses_labels]
    return {
        "arms": asked | rest,
        "controls": list(rest),
        "labelled": [*one.settings.get("labelled", []), *labelled],
        "seeds": {**{arm: other.settings["seeds"][arm] for arm in new}, **one.settings["seeds"]},
        **({"random_states": states} if states else {}),
    }
