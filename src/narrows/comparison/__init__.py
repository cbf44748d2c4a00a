"""Was the embedding worth it: resamples, the forest that judges, scores and intervals."""

from narrows.comparison._caret import CaretForest, caret_forest
from narrows.comparison._forest import Forest
from narrows.comparison._honest import HonestArms, honest_arms
from narrows.comparison._intervals import Interval, corrected_interval
from narrows.comparison._measures import accuracy, kappa
from narrows.comparison._resamples import Resamples, bootstrap

__all__ = [
    "CaretForest",
    "Forest",
    "HonestArms",
    "Interval",
    "Resamples",
    "accuracy",
    "bootstrap",
    "caret_forest",
    "corrected_interval",
    "honest_arms",
    "kappa",
]
