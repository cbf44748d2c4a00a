"""Each arm's difference from the reference, with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from narrows.plots._levels import (
    BLUE,
    MISSING_COLOUR,
    PALE,
    VERMILLION,
    as_levels,
    levels_of,
    require_columns,
)
from narrows.plots._theme import QUIET, light_theme

if TYPE_CHECKING:
    import pandas as pd
    from plotnine import ggplot

NEEDED = (
    "arm", "reference", "preprocess", "probe", "measure", "difference", "low", "high", "verdict",
)  # fmt: skip
# Told apart by shape as well; blue and vermillion are safe for the colour-blind.
COLOURS = {
    "better": BLUE, "equivalent": "#000000", "worse": VERMILLION, "undecided": MISSING_COLOUR,
}  # fmt: skip
SHAPES = {"better": "^", "equivalent": "s", "worse": "v", "undecided": "o"}


def intervals(
    verdicts: pd.DataFrame,
    rope: float | None = None,
    controls: Sequence[str] = (),
    title: str = "",
) -> ggplot:
    """
    Draw the difference of every arm from the reference and its interval.

    Parameters
    ----------
    verdicts : DataFrame
        As `Comparison.verdicts` returns it, of one measure. Rows without an interval (one
        resample, or all differences equal) are drawn as points, rows without a difference are
        left out.
    rope : float, optional
        Half-width of the region of practical equivalence, shaded; in the measure's units. By
        default each facet's own, from the column ``rope`` if there is one.
    controls : sequence of str
        Arms that are controls; they stand below the others and are marked.
    title : str
        What the x axis calls the measure; by default its name. Accuracy is drawn in points.

    Returns
    -------
    ggplot
        One facet for each preprocessing, beside each other for several probes.

    Raises
    ------
    ValueError
        If a column is missing, or no row has a difference.
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

    require_columns(verdicts, NEEDED, "intervals")
    drawn = _in_points(verdicts.dropna(subset=["difference"]))
    if not len(drawn):
        raise ValueError(
            "The frame for intervals must have a row with a difference. Got none: compare more "
            "than the reference, and look at the failures."
        )
    names = _names(drawn, controls)
    ways = levels_of(drawn["preprocess"], by_appearance=True)
    probes = levels_of(drawn["probe"], by_appearance=True)
    shown = [name for name in COLOURS if name in set(drawn["verdict"])]
    points = drawn.assign(
        arm=as_levels(drawn["arm"].map(names), list(names.values())),
        preprocess=as_levels(drawn["preprocess"], ways),
        probe=as_levels(drawn["probe"], probes),
        verdict=as_levels(drawn["verdict"], shown),
    )
    several = len(probes) > 1
    by = ["preprocess", "probe"] if several else ["preprocess"]
    facets = facet_wrap(by, ncol=len(probes), labeller="label_both")
    height = 1.15 + len(ways) * (0.22 + 0.2 * len(by) + 0.32 * len(names))
    return (
        ggplot(points, aes(y="arm", color="verdict"))
        + _regions(points, rope)
        + geom_vline(xintercept=0, color=QUIET, linetype="dashed", size=0.6)
        + geom_segment(aes(x="low", xend="high", yend="arm"), size=1.0, na_rm=True)
        + geom_point(aes(x="difference", shape="verdict"), size=3.0)
        + facets
        + scale_y_discrete(limits=list(names.values())[::-1])
        + scale_color_manual(values=COLOURS, name="verdict", breaks=shown)
        + scale_shape_manual(values=SHAPES, name="verdict", breaks=shown)
        + labs(x=_axis(drawn, title), y="")
        + light_theme(9.5 if several else 7.0, height)
    )


def _regions(points: pd.DataFrame, rope: float | None) -> list[Any]:
    """Return a layer with the region of practical equivalence of each facet, if there is one."""
    from plotnine import aes, geom_rect

    if rope is not None:
        factor = 100 if points["measure"].iloc[0] == "accuracy" else 1
        points = points.assign(rope=factor * rope)
    if "rope" not in points or not (points["rope"] > 0).any():
        return []
    bands = points[["preprocess", "probe", "rope"]].drop_duplicates()
    bands = bands.assign(low=-bands["rope"], bottom=-float("inf"), top=float("inf"))
    edges = aes(xmin="low", xmax="rope", ymin="bottom", ymax="top")
    return [geom_rect(edges, bands, inherit_aes=False, fill=PALE, alpha=0.35)]


def _in_points(frame: pd.DataFrame) -> pd.DataFrame:
    """Return accuracies in points (percent), others as they are."""
    factor = frame["measure"].eq("accuracy").map({True: 100.0, False: 1.0})
    units = [name for name in ("difference", "low", "high", "rope") if name in frame]
    return frame.assign(**{name: frame[name] * factor for name in units})


def _names(frame: pd.DataFrame, controls: Sequence[str]) -> dict[str, str]:
    """Return each arm's label, controls marked and last."""
    arms = levels_of(frame["arm"], by_appearance=True)
    ordered = [arm for arm in arms if arm not in controls] + [a for a in arms if a in controls]
    return {arm: f"{arm} (control)" if arm in controls else arm for arm in ordered}


def _axis(frame: pd.DataFrame, title: str) -> str:
    measure, reference = frame["measure"].iloc[0], frame["reference"].iloc[0]
    unit = "points of accuracy" if measure == "accuracy" else (title or measure)
    return f"difference from {reference}, {unit}"
