"""What cross-validation of an autoencoder found: its curve, its candidates, its widths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from narrows.plots._levels import (
    BLACK,
    BLUE,
    CLASS_COLOURS,
    PALE,
    VERMILLION,
    colours_for,
    require_columns,
)
from narrows.plots._theme import QUIET, WIDTH, light_theme

if TYPE_CHECKING:
    import pandas as pd
    from plotnine import ggplot

    from narrows.quality import IntrinsicDimension

MOST_CANDIDATES = 30
# More than so many times between the errors of two widths: small ones could not be told apart.
_LINEAR = 15.0
ROLES = ("autoencoder", "PCA")
PANELS = ("held-out error", "of unseen cells: what the choice goes by")


def held_out_curve(frame: pd.DataFrame, start: str = "PCA", loss: str = "") -> ggplot:
    """
    Draw the held-out error by optimiser step, as a difference from where training starts.

    Parameters
    ----------
    frame : DataFrame
        As ``curve_`` of `narrows.AutoencoderCV`: columns ``step``, ``error``, the mean over folds,
        ``standard_error`` of its mean difference from the first row, and ``chosen``, True at the
        steps in use. The first row is the start.
    start : str, default="PCA"
        What the start is called.
    loss : str, default=""
        What the error is, such as ``"mse"``.

    Returns
    -------
    ggplot
        The difference in percent of the start's error, or in the error's own unit if that is not
        positive; the band is one standard error to either side. What is below 0 beats the start.

    Raises
    ------
    ValueError
        If a column is missing, or there is no row.
    """
    from plotnine import aes, geom_hline, geom_line, geom_point, geom_ribbon, ggplot, labs

    require_columns(frame, ["step", "error", "standard_error", "chosen"], "held_out_curve")
    if not len(frame):
        raise ValueError("The frame for held_out_curve must have a row for the start. Got none.")
    first = float(frame["error"].iloc[0])
    factor, unit = (100 / first, "%") if first > 0 else (1.0, loss)
    drawn = frame[["step", "chosen"]].assign(
        away=factor * (frame["error"] - first), spread=factor * frame["standard_error"]
    )
    drawn = drawn.assign(low=drawn["away"] - drawn["spread"], high=drawn["away"] + drawn["spread"])
    chosen = drawn[drawn["chosen"].astype(bool)]
    one = chosen.iloc[0] if len(chosen) else None
    said = "" if one is None else _chosen_words(float(one["step"]), float(one["away"]), start, unit)
    return (
        ggplot(drawn, aes("step", "away"))
        + geom_hline(yintercept=0, color=QUIET, linetype="dashed", size=0.6)
        + geom_ribbon(aes(ymin="low", ymax="high"), fill=BLUE, alpha=0.2)
        + geom_line(color=BLUE, size=0.9)
        + geom_point(data=chosen, color=VERMILLION, shape="D", size=3.4)
        + labs(
            x="optimiser steps",
            y=_with(f"held-out error minus that of {start}", unit),
            caption=f"dashed: {start}, {_with(f'{first:.3g}', loss, ' ')}; band: one standard "
            f"error of the difference{said}",
        )
        + light_theme()
    )


def _chosen_words(step: float, away: float, start: str, unit: str) -> str:
    """Return what the mark stands for."""
    if step == 0:
        return f"; diamond: chosen, no step, which is {start}"
    return f"; diamond: chosen, {step:.0f} steps, {away:+.3g} {unit}"


def _with(text: str, unit: str, between: str = ", ") -> str:
    return f"{text}{between}{unit}" if unit else text


def candidates(
    results: Mapping[str, Any] | pd.DataFrame,
    chosen: Mapping[str, Any] | None = None,
    loss: str = "",
) -> ggplot:
    """
    Draw the held-out errors of every candidate, the best on top.

    Parameters
    ----------
    results : mapping or DataFrame
        As ``cv_results_`` of `narrows.AutoencoderCV`: ``params``, ``mean_test_score``,
        ``steps`` and ``split0_test_score`` and so on, of scores that are negative errors.
    chosen : mapping, default=None
        The candidate to mark, as ``best_params_``.
    loss : str, default=""
        What the error is, such as ``"mse"``.

    Returns
    -------
    ggplot
        A row for each of the best thirty candidates: a dot for each fold, a diamond for the mean,
        a line of one standard deviation over the folds to either side. The candidate that was
        chosen has another colour and a star. Candidates that diverged are left out.

    Raises
    ------
    ValueError
        If a column is missing, or no candidate has a finite error.
    """
    import numpy as np
    import pandas as pd
    from plotnine import (
        aes,
        geom_point,
        geom_segment,
        ggplot,
        labs,
        scale_color_manual,
        scale_y_discrete,
    )

    frame = pd.DataFrame(dict(results))
    require_columns(frame, ["params", "mean_test_score", "steps"], "candidates")
    folds = [name for name in frame.columns if str(name).startswith("split")]
    errors = -frame[folds].to_numpy(float)
    means = -frame["mean_test_score"].to_numpy(float)
    order = [place for place in np.argsort(means, kind="stable") if np.isfinite(means[place])]
    if not order:
        raise ValueError("The results for candidates must have a finite error. Got none.")
    shown = order[:MOST_CANDIDATES]
    names = _names_of(frame, shown, chosen)
    kind = ["chosen" if names[place].endswith("★") else "other" for place in shown]
    label = [names[place] for place in shown]
    spread = errors[shown].std(axis=1) if folds else np.zeros(len(shown))
    middle = pd.DataFrame(
        {
            "candidate": label, "kind": kind, "error": means[shown],
            "low": means[shown] - spread, "high": means[shown] + spread,
        }
    )  # fmt: skip
    points = pd.DataFrame(
        {
            "candidate": np.repeat(label, len(folds)), "kind": np.repeat(kind, len(folds)),
            "error": errors[shown].ravel(),
        }
    )  # fmt: skip
    widths = {one["bottleneck"] for one in frame["params"] if "bottleneck" in one}
    of_width = f" at width {widths.pop()}" if len(widths) == 1 else ""
    rest = f"; the best {len(shown)} of {len(frame)}" if len(shown) < len(frame) else ""
    wide = 3.6 + 0.075 * max(map(len, label))
    return (
        ggplot(middle, aes(y="candidate", color="kind"))
        + geom_point(aes(x="error"), data=points, color=PALE, size=1.8, stroke=0)
        + geom_segment(aes(x="low", xend="high", yend="candidate"), size=0.9)
        + geom_point(aes(x="error"), shape="D", size=2.4)
        + scale_color_manual(values={"chosen": VERMILLION, "other": BLACK}, guide=None)
        + scale_y_discrete(limits=label[::-1])
        + labs(
            x=_with(f"held-out error{of_width}", loss),
            y="",
            caption="dots: folds; diamond and line: their mean and standard deviation"
            f"{'; ★: chosen' if 'chosen' in kind else ''}{rest}",
        )
        + light_theme(max(WIDTH, wide), 1.2 + 0.27 * len(shown))
    )


def front(
    results: Mapping[str, Any] | pd.DataFrame, chosen: Mapping[str, Any] | None = None,
    loss: str = "",
) -> ggplot:  # fmt: skip
    """
    Draw what candidates give back against what a model predicts from them.

    Parameters
    ----------
    results : mapping or DataFrame
        As ``cv_results_`` of a `narrows.AutoencoderCV` that used labels: ``params``,
        ``mean_test_score`` (negative errors) and ``mean_test_label``.
    chosen : mapping, default=None
        The candidate to mark, as ``best_params_``.
    loss : str, default=""
        What the error is, such as ``"mse"``.

    Returns
    -------
    ggplot
        A dot for each candidate: its mean held-out error, and the mean score of held-out labels;
        the colour is the weight of the labels. The best is on the upper left. The dashed line is
        at 1.2 times the least error. Candidates that diverged are left out.

    Raises
    ------
    ValueError
        If a column is missing, or no candidate has a finite error and score.
    """
    import numpy as np
    import pandas as pd
    from plotnine import aes, geom_point, geom_vline, ggplot, labs, scale_color_manual

    frame = pd.DataFrame(dict(results))
    require_columns(frame, ["params", "mean_test_score", "mean_test_label"], "front")
    drawn = pd.DataFrame(
        {
            "error": -frame["mean_test_score"].astype(float),
            "score": frame["mean_test_label"].astype(float),
            "weight": [f"{one.get('label_weight', 0):g}" for one in frame["params"]],
            "chosen": [chosen is not None and one == dict(chosen) for one in frame["params"]],
        }
    )
    drawn = drawn[np.isfinite(drawn["error"]) & np.isfinite(drawn["score"])]
    if not len(drawn):
        raise ValueError("The results for front must have a finite error and score. Got none.")
    weights = sorted(set(drawn["weight"]), key=float)
    drawn["weight"] = pd.Categorical(drawn["weight"], weights)
    colours = colours_for(weights, CLASS_COLOURS)
    return (
        ggplot(drawn, aes("error", "score", color="weight"))
        + geom_vline(
            xintercept=1.2 * drawn["error"].min(), color=QUIET, linetype="dashed", size=0.6
        )
        + geom_point(size=2.4)
        + geom_point(data=drawn[drawn["chosen"]], color=VERMILLION, shape="D", size=4, fill="none")
        + scale_color_manual(values=colours)
        + labs(
            x=_with("held-out error of the rows", loss), y="held-out score of the labels",
            color="labels' weight",
            caption="a dot: a candidate; diamond: chosen; dashed: 1.2 times the least error",
        )
        + light_theme()
    )  # fmt: skip


def _names_of(
    frame: pd.DataFrame, shown: list[int], chosen: Mapping[str, Any] | None
) -> dict[int, str]:
    """Return what candidates are called: the settings in which they differ, and how long."""
    params = [dict(one) for one in frame["params"]]
    varied = [
        name for name in params[0] if len({repr(one.get(name)) for one in params}) > 1
    ] or list(params[0])
    found = {}
    for place in shown:
        parts = [f"{name} {_value(params[place].get(name))}" for name in varied]
        star = " ★" if chosen is not None and params[place] == dict(chosen) else ""
        found[place] = ", ".join([*parts, f"{int(frame['steps'].iloc[place])} steps"]) + star
    return found


def _value(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def widths(
    frame: pd.DataFrame, dimension: IntrinsicDimension | None = None, loss: str = ""
) -> ggplot:
    """
    Draw the held-out error of every width beside PCA's, and the width that was chosen.

    Parameters
    ----------
    frame : DataFrame
        As ``widths_`` of `narrows.AutoencoderCV`: columns ``bottleneck``, ``error``, ``low``,
        ``high``, ``pca_error``, ``pca_low``, ``pca_high``, ``cell_error`` and ``chosen``. Errors
        that are not finite are left out.
    dimension : IntrinsicDimension, default=None
        What `narrows.quality.intrinsic_dimension` found: a line with its interval as a band.
    loss : str, default=""
        What the error is, such as ``"mse"``.

    Returns
    -------
    ggplot
        Error against width: above as it is, below of unseen cells, which the choice goes by. The
        axis is logarithmic where errors differ fifteenfold; intervals are cut at half of the
        least error then. The dotted line is the chosen width.

    Raises
    ------
    ValueError
        If a column is missing, or no error is finite.
    """
    import numpy as np
    from plotnine import (
        aes,
        coord_cartesian,
        facet_wrap,
        geom_line,
        geom_point,
        geom_segment,
        geom_vline,
        ggplot,
        labs,
        scale_color_manual,
        scale_linetype_manual,
        scale_shape_manual,
        scale_x_continuous,
        scale_y_log10,
    )

    tidy = tidy_widths(frame)
    panels = tidy["panel"].cat.categories
    by_panel = tidy.groupby("panel", observed=True)["error"]
    least = by_panel.transform("min")
    logarithmic = bool((least > 0).all() and (by_panel.max() > _LINEAR * by_panel.min()).any())
    if logarithmic:
        tidy["low"] = tidy["low"].where(tidy["low"] > least / 2, least / 2)
    chosen = frame.loc[frame["chosen"].astype(bool), "bottleneck"].astype(float).tolist()
    ends = [float(frame["bottleneck"].min()) - 0.4, float(frame["bottleneck"].max()) + 0.4]
    if dimension is not None:
        ends = [min(ends[0], dimension.low - 0.1), max(ends[1], dimension.high + 0.1)]
    bottoms = by_panel.min() / 2 if logarithmic else by_panel.min() * 0 - np.inf
    layers, words = _dimension_layers(dimension, bottoms)
    below = 0 if dimension is not None else 0.05  # the band ends where the panel does
    mark = f"dotted: the chosen width, {chosen[0]:.0f}; " if chosen else ""
    breaks = list(range(max(1, round(ends[0])), round(ends[1]) + 1))
    return (
        ggplot(tidy, aes("place", "error", color="of", shape="of", linetype="of"))
        + layers
        + [geom_vline(xintercept=one, color=BLACK, linetype="dotted", size=0.8) for one in chosen]
        + geom_line(size=0.7)
        + geom_segment(aes(y="low", yend="high", xend="place"), linetype="solid", size=0.9)
        + geom_point(size=2.8)
        + (facet_wrap("panel", ncol=1, scales="free_y") if len(panels) > 1 else [])
        + scale_color_manual(values=dict(zip(ROLES, (VERMILLION, BLUE), strict=True)))
        + scale_shape_manual(values=dict(zip(ROLES, ("D", "o"), strict=True)))
        + scale_linetype_manual(values=dict(zip(ROLES, ("solid", "dashed"), strict=True)))
        + scale_x_continuous(breaks=breaks[:: -(-len(breaks) // 16)], minor_breaks=[])
        + ([scale_y_log10(expand=(below, 0, 0.05, 0))] if logarithmic else [])
        + coord_cartesian(xlim=(ends[0], ends[1]))
        + labs(
            x="width of the bottleneck",
            y=_with("error", loss),
            color="of",
            shape="of",
            linetype="of",
            caption=f"{mark}bars: 95 % intervals over folds{words}",
        )
        + light_theme(WIDTH, 2.0 + 2.4 * len(panels))
    )


def tidy_widths(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each width, of autoencoder and PCA, in each of the two panels."""
    import numpy as np
    import pandas as pd

    wanted = ["bottleneck", "error", "low", "high", "pca_error", "pca_low", "pca_high"]
    require_columns(frame, [*wanted, "cell_error", "chosen"], "widths")
    factor = frame["cell_error"] / frame["error"]
    parts = []
    for panel, times in zip(PANELS, (1.0, factor), strict=True):
        for role, names in zip(ROLES, (wanted[1:4], wanted[4:]), strict=True):
            values = {new: times * frame[old] for new, old in zip(wanted[1:4], names, strict=True)}
            widths = frame["bottleneck"].astype(float)
            # Side by side, so that no interval hides another.
            place = widths + {"autoencoder": -0.06, "PCA": 0.06}[role]
            parts.append(pd.DataFrame({"place": place, **values, "of": role, "panel": panel}))
    tidy = pd.concat(parts, ignore_index=True)
    tidy = tidy[np.isfinite(tidy["error"].astype(float))]
    if not len(tidy):
        raise ValueError("The frame for widths must have a finite error. Got none.")
    known = [panel for panel in PANELS if (tidy["panel"] == panel).any()]
    return tidy.assign(
        of=pd.Categorical(tidy["of"], list(ROLES)), panel=pd.Categorical(tidy["panel"], known)
    )


def _dimension_layers(
    dimension: IntrinsicDimension | None, bottoms: pd.Series
) -> tuple[list[Any], str]:
    """Return a band and a line for an intrinsic dimension, and what they are; none of None.

    Shapes: `bottoms` (panels,), with the panels' names.
    """
    from plotnine import aes, geom_rect, geom_vline

    if dimension is None:
        return [], ""
    band = bottoms.rename("bottom").reset_index()
    band = band.assign(low=dimension.low, high=dimension.high, top=float("inf"))
    edges = aes(xmin="low", xmax="high", ymin="bottom", ymax="top")
    return [
        geom_rect(edges, band, inherit_aes=False, fill=PALE, alpha=0.3),
        geom_vline(xintercept=dimension.dimension, color=QUIET, size=0.8),
    ], f"\ngrey: intrinsic dimension of the rows, {dimension.dimension:.1f}, with its interval"
