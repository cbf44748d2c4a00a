"""Candidate settings: what is tried, from lists and distributions as scikit-learn's searches."""

from collections.abc import Iterable, Mapping
from math import prod
from typing import Any

import numpy as np
from sklearn.model_selection import ParameterGrid, ParameterSampler

from narrows._checks import did_you_mean, refusal

# What another value of compiles nothing, so that candidates may differ in it side by side.
LANE_INPUTS = ("learning_rate", "weight_decay", "noise", "schedule", "label_weight")
TUNED = (*LANE_INPUTS, "encoder", "decoder", "activation", "bottleneck", "sparsity", "contraction")
DEFAULT_CANDIDATES: dict[str, list[Any]] = {
    "learning_rate": [3e-3, 1e-2],
    "weight_decay": [0.0, 0.3, 2.0],
    "noise": [0.0, 0.1, 0.3],
}


LABEL_CANDIDATES: dict[str, list[Any]] = {
    "learning_rate": [1e-2],
    "weight_decay": [0.3, 2.0],
    "noise": [0.2],
    "label_weight": [0.0, 0.03, 0.1, 0.3, 1.0, 3.0],
}
AUTO = "auto"


def space_of(owner: Any) -> Any:
    """Return what an estimator's parameters ask to be tried."""
    if owner.param_distributions is None and owner.label_weight == AUTO:
        return LABEL_CANDIDATES
    space = owner.param_distributions
    if owner.label_weight != AUTO or not isinstance(space, Mapping) or "label_weight" in space:
        return space
    return {**space, "label_weight": LABEL_CANDIDATES["label_weight"]}


def candidates_of(owner: Any, space: Any, most: int, seed: int) -> list[dict[str, Any]]:
    """Return the candidates: all of a grid, or `most` drawn at random where there are more."""
    space = DEFAULT_CANDIDATES if space is None else space
    if not isinstance(space, Mapping) or not space:
        raise refusal(
            owner, "param_distributions", "be a mapping of parameters to lists or distributions",
            repr(space),
        )  # fmt: skip
    for name, values in space.items():
        if name not in TUNED:
            raise refusal(
                owner, "param_distributions", f"have some of {', '.join(TUNED)}", repr(name),
                did_you_mean(name, TUNED),
            )  # fmt: skip
        if not _is_list(values) and not hasattr(values, "rvs"):
            raise refusal(
                owner, "param_distributions", f"have a list or a distribution for {name!r}",
                repr(values),
            )  # fmt: skip
    lists = all(_is_list(values) for values in space.values())
    if lists and prod(len(values) for values in space.values()) <= most:
        return list(ParameterGrid({name: list(values) for name, values in space.items()}))
    generator = np.random.RandomState(seed % 2**32)
    return list(ParameterSampler(dict(space), most, random_state=generator))


def _is_list(values: Any) -> bool:
    sized = isinstance(values, Iterable) and hasattr(values, "__len__")
    return sized and not isinstance(values, str | bytes) and len(values) > 0


def programs(candidates: list[dict[str, Any]]) -> list[list[int]]:
    """Group the candidates' numbers by what they compile to."""
    found: dict[str, list[int]] = {}
    for number, candidate in enumerate(candidates):
        fixed = {name: value for name, value in candidate.items() if name not in LANE_INPUTS}
        noise = candidate.get("noise")
        kind = noise[0] if isinstance(noise, tuple | list) else "gaussian"
        found.setdefault(repr((sorted(fixed.items()), kind)), []).append(number)
    return list(found.values())
