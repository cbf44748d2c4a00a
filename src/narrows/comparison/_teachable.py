"""Whether training rows can teach what test rows are asked, in at least one resample."""

import numpy as np

from narrows._checks import refusal
from narrows.comparison.resampling._resamples import Resamples
from narrows.data import REGRESSION, Labels


def check_teachable(labels: Labels, resamples: Resamples, caller: str) -> None:
    """Raise ValueError if no training part has anything to teach: every score would be chance."""
    y = labels.values
    if any((y[train] != y[train[0]]).any() for train, _ in resamples):
        shared = any(np.isin(y[test], y[train]).any() for train, test in resamples)
        if labels.task == REGRESSION or shared:
            return
        raise refusal(
            caller,
            "y",
            "have classes that are in training and test rows both",
            f"none in {len(resamples)} {_resamples(resamples)}",
            "Draw the rows otherwise, or name another label, if each class is a group of rows.",
        )
    raise refusal(
        caller,
        "y",
        "have different labels among training rows",
        f"one and the same in each of {len(resamples)} {_resamples(resamples)}",
        "Shuffle the rows that are drawn.",
    )


def _resamples(resamples: Resamples) -> str:
    return "resamples" if len(resamples) > 1 else "resample"
