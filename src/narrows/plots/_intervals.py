"""Each arm's difference from the reference, with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from narrows.plots._levels import BLUE, MISSING_COLOUR, PALE, VERMILLION
from narrows.plots._theme import QUIET, light_theme

if TYPE_CHECKING:
    import pandas as pd
    from plotnine import ggplot

    from narrows.comparison import Answer

# Told apart by shape as well; blue and vermillion are safe for the colour-blind.
COLOURS = {
    "better": BLUE, "equivalent": "#000000", "worse": VERMILLION, "undecided": MISSING_COLOUR,
}  # fmt: skip
SHAPES = {"better": "^", "equivalent": "s", "worse": "v", "undecided": "o"}


def intervals(answers: Sequence[Answer]) -> ggplot:
    """
    Draw the difference of every arm from the reference and its interval.

    Parameters
    ----------
    answers : sequence of Answer
        As `narrows.comparison.answers` returns them, of one measure. Those without an interval
        (one resample, or all differences equal) are drawn as points, those without a difference
        are left out. Controls stand below the others and are marked; the region of practical
        equivalence is shaded.

    Returns
    -------
    ggplot
        One facet for each preprocessing, beside each other for several probes.

    Raises
    ------
    ValueError
        If no answer has a difference.
    """
    from plotnine import (
        aes,
        facet_wrap,
        geom_point,
        geom_segment,
        geom_vline,
        ggplot,
        labs,
        scale_color_manual,
        scale_shape_manual,
        scale_y_discrete,
    )

    drawn = [answer for answer in answers if answer.has_difference]
    if not drawn:
        raise ValueError(
            "The answers for intervals must have one with a difference. Got none: compare more "
            "than the reference, and look at the failures."
        )
    points = _points(drawn)
    arms, shown = points["arm"].cat.categories, list(points["verdict"].cat.categories)
    n_ways, n_probes = (len(points[by].cat.categories) for by in ("preprocess", "probe"))
    by = ["preprocess", "probe"] if n_probes > 1 else ["preprocess"]
    height = 1.15 + n_ways * (0.22 + 0.2 * len(by) + 0.32 * len(arms))
    return (
        ggplot(points, aes(y="arm", color="verdict"))
        + _regions(points)
        + geom_vline(xintercept=0, color=QUIET, linetype="dashed", size=0.6)
        + geom_segment(aes(x="low", xend="high", yend="arm"), size=1.0, na_rm=True)
        + geom_point(aes(x="difference", shape="verdict"), size=3.0)
        + facet_wrap(by, ncol=n_probes, labeller="label_both")
        + scale_y_discrete(limits=list(arms)[::-1])
        + scale_color_manual(values=COLOURS, name="verdict", breaks=shown)
        + scale_shape_manual(values=SHAPES, name="verdict", breaks=shown)
        + labs(x=f"difference from {drawn[0].reference_label}, {drawn[0].unit}", y="")
        + light_theme(9.5 if n_probes > 1 else 7.0, height)
    )


def _points(drawn: list[Answer]) -> pd.DataFrame:
    """Return a row for each answer: texts as categories in their order, numbers in its unit."""
    import pandas as pd

    controls_last = sorted(drawn, key=lambda answer: answer.is_control)
    known = {answer.verdict for answer in drawn}
    levels = {
        "label": list(dict.fromkeys(answer.label for answer in controls_last)),
        "preprocess": list(dict.fromkeys(answer.preprocess for answer in drawn)),
        "probe": list(dict.fromkeys(answer.probe for answer in drawn)),
        "verdict": [name for name in COLOURS if name in known],
    }
    columns: dict[str, Any] = {
        name: pd.Categorical([getattr(answer, name) for answer in drawn], categories)
        for name, categories in levels.items()
    }
    columns |= {
        name: [answer.measure.factor * getattr(answer, name) for answer in drawn]
        for name in ("difference", "low", "high", "rope")
    }
    return pd.DataFrame(columns).rename(columns={"label": "arm"})


def _regions(points: pd.DataFrame) -> list[Any]:
    """Return a layer with the region of practical equivalence of each facet, if there is one."""
    from plotnine import aes, geom_rect

    if not (points["rope"] > 0).any():
        return []
    bands = points[["preprocess", "probe", "rope"]].drop_duplicates()
    bands = bands.assign(low=-bands["rope"], bottom=-float("inf"), top=float("inf"))
    edges = aes(xmin="low", xmax="rope", ymin="bottom", ymax="top")
    return [geom_rect(edges, bands, inherit_aes=False, fill=PALE, alpha=0.35)]
