"""Every resample's accuracy, arm by arm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from narrows.plots._levels import BLACK, BLUE, as_levels, levels_of, require_columns
from narrows.plots._theme import WIDTH, light_theme

if TYPE_CHECKING:
    import pandas as pd
    from plotnine import ggplot

GROUP = ("arm", "preprocess")
SUMMARY = ("mean", "low", "high")
# plotnine reads a seed of 0 as "no seed".
JITTER_SEED = 1


def scores(
    frame: pd.DataFrame, summary: pd.DataFrame | None = None, measure: str = "accuracy"
) -> ggplot:
    """
    Draw the scores of every resample and their mean, per arm and preprocessing.

    Parameters
    ----------
    frame : DataFrame
        Columns ``arm``, ``preprocess`` and ``measure``; one row per resample.
    summary : DataFrame, optional
        Columns ``arm``, ``preprocess``, ``mean``, ``low`` and ``high``; one row per arm and
        preprocessing. The interval is drawn as given: say in the caption what it is. Without
        it, only the means of ``frame`` are drawn.
    measure : str
        The column on the x axis, such as ``"kappa"``.

    Returns
    -------
    ggplot
        One facet per preprocessing, stacked so that all arms share one x axis.

    Raises
    ------
    ValueError
        If a column is missing.
    """
    from plotnine import (
        aes,
        facet_wrap,
        geom_jitter,
        geom_point,
        geom_segment,
        ggplot,
        labs,
        position_jitter,
        scale_y_discrete,
    )

    require_columns(frame, [*GROUP, measure], "scores")
    means = _means(frame, measure) if summary is None else summary
    require_columns(means, [*GROUP, *SUMMARY], "scores (summary)")
    arms = levels_of(frame["arm"], by_appearance=True)
    ways = levels_of(frame["preprocess"], by_appearance=True)
    points = _on_levels(frame, arms, ways).assign(score=frame[measure])
    middle = _on_levels(means, arms, ways).assign(**{name: means[name] for name in SUMMARY})
    jitter = position_jitter(width=0, height=0.18, random_state=JITTER_SEED)
    return (
        ggplot(points, aes(y="arm"))
        + geom_jitter(aes(x="score"), position=jitter, color=BLUE, alpha=0.5, size=2.3, stroke=0)
        + geom_segment(aes(x="low", xend="high", yend="arm"), data=middle, color=BLACK, size=0.9)
        + geom_point(aes(x="mean"), data=middle, color=BLACK, shape="D", size=2.4)
        + facet_wrap("preprocess", ncol=1, labeller="label_both")
        # The first arm on top, as in a table.
        + scale_y_discrete(limits=arms[::-1])
        + labs(x=measure[:1].upper() + measure[1:], y="")
        + light_theme(WIDTH, 0.8 + len(ways) * (0.4 + 0.42 * len(arms)))
    )


def _means(frame: pd.DataFrame, measure: str) -> pd.DataFrame:
    groups = frame.groupby(list(GROUP), sort=False, observed=True, dropna=False)
    means = groups[measure].mean().reset_index(name="mean")
    return means.assign(low=means["mean"], high=means["mean"])


def _on_levels(frame: pd.DataFrame, arms: list[str], ways: list[str]) -> pd.DataFrame:
    import pandas as pd

    columns = {
        "arm": as_levels(frame["arm"], arms),
        "preprocess": as_levels(frame["preprocess"], ways),
    }
    return pd.DataFrame(columns, index=frame.index)
