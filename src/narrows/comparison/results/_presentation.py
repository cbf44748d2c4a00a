"""The one presentation of a comparison: rows that text, terminal, page and figure only format."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from narrows.comparison.probes._measures import Measure
from narrows.comparison.results._arm_records import marked
from narrows.comparison.statistics._tables import judged_by

if TYPE_CHECKING:
    from narrows.comparison._comparison import Comparison

BETTER = "better than the reference"
_NUMBERS = (
    "difference", "low", "high", "p_better", "p_equivalent", "p_worse", "p_holm", "rope",
    "resamples", "verdict",
)  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """What a comparison says of one arm under one preprocessing, by one probe and measure.

    Attributes
    ----------
    question : {"better than the reference"}
        What is answered.
    arm : str
    is_control : bool
    uses_labels : bool
        Whether the arm is fitted with the training rows' labels.
    reference : str
        The arm to compare with; it has an answer itself, whose verdict is ``"reference"``.
    reference_uses_labels : bool
    preprocess, probe : str
    measure : Measure
        Knows title, unit and direction.
    refit : bool
        Whether everything was refitted in every resample.
    mean : float or None
        Mean score; None where there is no score.
    sd_splits, sd_seeds : float
        Spreads of the score, as of `Comparison.summary`.
    difference, low, high : float
        From the reference, and the interval's ends, in the measure's own scale; NaN where
        there is none.
    p_better, p_equivalent, p_worse, p_holm : float
        As of `Comparison.verdicts`.
    rope : float
        Half-width of the region of practical equivalence.
    resamples : int
        How many differences there are.
    verdict : str
        As of `Comparison.verdicts`.
    """

    question: str
    arm: str
    is_control: bool
    reference: str
    preprocess: str
    probe: str
    measure: Measure
    refit: bool = True
    mean: float | None = None
    sd_splits: float = np.nan
    sd_seeds: float = np.nan
    difference: float = np.nan
    low: float = np.nan
    high: float = np.nan
    p_better: float = np.nan
    p_equivalent: float = np.nan
    p_worse: float = np.nan
    p_holm: float = np.nan
    rope: float = np.nan
    resamples: int = 0
    verdict: str = "reference"
    uses_labels: bool = False
    reference_uses_labels: bool = False

    @property
    def label(self) -> str:
        """The arm's name, and whether it is a control or fitted with labels."""
        return marked(self.arm, is_control=self.is_control, uses_labels=self.uses_labels)

    @property
    def reference_label(self) -> str:
        """The reference's name, and whether it is fitted with labels."""
        return marked(self.reference, uses_labels=self.reference_uses_labels)

    @property
    def unit(self) -> str:
        """What the difference is told in."""
        return self.measure.unit

    @property
    def has_difference(self) -> bool:
        """Whether there is a difference."""
        return bool(np.isfinite(self.difference))

    @property
    def has_interval(self) -> bool:
        """Whether the difference has an interval: not from one resample, nor if all are equal."""
        return bool(np.isfinite(self.low))


def answers(
    comparison: "Comparison",
    probe: str | None = None,
    measure: str | None = None,
    *,
    reference: str | None = None,
    rope: float | None = None,
    confidence: float = 0.95,
) -> list[Answer]:
    """Return what a comparison says, a row for each arm, the reference included.

    Parameters
    ----------
    comparison : Comparison
    probe, measure, reference, rope, confidence
        As for `Comparison.verdicts`.

    Returns
    -------
    list of Answer
        Probe by probe, preprocessing by preprocessing, arms in the comparison's order.

    Raises
    ------
    ValueError
        If `probe`, `measure` or `reference` is not in the comparison.

    Examples
    --------
    >>> import narrows
    >>> from narrows.comparison import answers
    >>> iris = narrows.datasets.iris()
    >>> found = narrows.compare(
    ...     {"pca": narrows.PCA(2), "one": narrows.PCA(1)}, iris.drop(columns="Species"),
    ...     iris["Species"], preprocess="none", probes="neighbours", resampling="5x1", controls=(),
    ... )
    >>> [(answer.arm, answer.unit) for answer in answers(found)]
    [('pca', 'points of accuracy'), ('one', 'points of accuracy')]
    """
    place = ["probe", "measure", "preprocess", "arm"]
    verdicts = comparison.verdicts(
        probe, measure, reference=reference, rope=rope, confidence=confidence
    )
    compared = verdicts.set_index(place)[list(_NUMBERS)].to_dict("index")
    scored = comparison.summary().set_index(place)[["mean", "sd_splits", "sd_seeds"]]
    means = scored.to_dict("index")
    records, other = comparison.arm_records, reference or comparison.reference
    rows = []
    for name, about in judged_by(comparison, probe, measure):
        for choice in comparison.settings["preprocess"]:
            for arm, record in records.items():
                key = (name, about.name, choice, arm)
                numbers = means.get(key, {}) | compared.get(key, {})
                numbers |= {
                    "uses_labels": record.uses_labels,
                    "reference_uses_labels": records[other].uses_labels,
                }
                who = BETTER, arm, record.is_control, other
                refit = comparison.settings["refit"]
                rows.append(Answer(*who, choice, name, about, refit, **numbers))
    return rows
