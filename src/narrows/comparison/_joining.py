"""Two comparisons as one, if they may stand side by side."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from narrows.comparison._comparison import Comparison

_SAME = {
    "data": "the same rows and labels",
    "probes": "the same probes",
    "preprocess": "the same preprocessing",
    "refit": "the same way of refitting",
}


def joined(one: "Comparison", other: "Comparison") -> "Comparison":
    """Return a comparison with the arms of both.

    Parameters
    ----------
    one, other : Comparison

    Returns
    -------
    Comparison
        With the reference of `one`. Controls of `other` that `one` has are left out.

    Raises
    ------
    ValueError
        If they do not belong together.
    """
    if one.resamples.fingerprint != other.resamples.fingerprint:
        raise ValueError(
            "Comparisons side by side must have the same resamples. Got fingerprints "
            f"{one.resamples.fingerprint[:8]} and {other.resamples.fingerprint[:8]} instead. Pass "
            "one's 'resamples' to the other as 'resampling'."
        )
    for name, what in _SAME.items():
        if one.settings[name] != other.settings[name]:
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


def _settings(one: "Comparison", other: "Comparison", new: list[str]) -> dict:
    added = {arm: other.settings["arms"][arm] for arm in new}
    # Controls stay last.
    asked = {a: t for a, t in one.settings["arms"].items() if a not in one.controls}
    asked |= {a: t for a, t in added.items() if a not in other.controls}
    rest = {a: t for a, t in {**one.settings["arms"], **added}.items() if a not in asked}
    return {
        "arms": asked | rest,
        "controls": list(rest),
        "seeds": {**{arm: other.settings["seeds"][arm] for arm in new}, **one.settings["seeds"]},
    }
