"""Loss and metrics over the epochs, as R keras's ``plot(history)``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from narrows.plots._levels import ROLE_COLOURS, colours_for, require_columns
from narrows.plots._theme import WIDTH, light_theme

if TYPE_CHECKING:
    import pandas as pd
    from plotnine import ggplot
    from plotnine.geoms.geom import geom

PREFIX = "val_"
SETS = ("training", "validation")


def history(frame: pd.DataFrame) -> ggplot:
    """
    Draw one or several trainings: a facet a measure, a colour for the data it was taken on.

    Parameters
    ----------
    frame : DataFrame
        One row per restart and epoch, with the column ``epoch``, perhaps ``restart``, and one
        numeric column per measure; ``val_loss`` is ``loss`` on the validation rows. Values
        that are not finite, such as those of epochs never reached, are left out.

    Returns
    -------
    ggplot
        Facets in the order of the columns, each with its own y axis.

    Raises
    ------
    ValueError
        If there is no column ``epoch``, or no finite value of any measure.
    """
    from plotnine import aes, facet_wrap, ggplot, guide_legend, guides, labs, scale_color_manual

    tidy = tidy_history(frame)
    measures = tidy["measure"].cat.categories
    several = tidy["restart"].nunique() > 1
    return (
        ggplot(tidy, aes("epoch", "value", color="data", group="curve"))
        + _curves(several=several, epochs=tidy["epoch"].nunique())
        + facet_wrap("measure", ncol=1, scales="free_y")
        + scale_color_manual(values=colours_for(SETS, ROLE_COLOURS))
        + guides(color=guide_legend(override_aes={"size": 1, "alpha": 1}))
        + labs(x="Epoch", y="")
        + light_theme(WIDTH, 1.0 + 1.9 * len(measures))
    )


def tidy_history(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the history with one row per restart, epoch, measure and data set."""
    import numpy as np
    import pandas as pd

    require_columns(frame, ["epoch"], "history")
    wide = frame if "restart" in frame.columns else frame.assign(restart=0)
    tidy = wide.melt(id_vars=["restart", "epoch"], var_name="column", value_name="value")
    tidy = tidy[np.isfinite(tidy["value"].astype(float))]
    if tidy.empty:
        raise ValueError("The frame for history has no finite value of any measure.")
    names = tidy["column"].astype(str)
    validation = names.str.startswith(PREFIX)
    measure = names.str.removeprefix(PREFIX)
    return tidy.assign(
        measure=pd.Categorical(measure, categories=list(dict.fromkeys(measure))),
        data=pd.Categorical(np.where(validation, SETS[1], SETS[0]), categories=list(SETS)),
        curve=tidy["restart"].astype(str) + names,
    ).drop(columns="column")


def _curves(*, several: bool, epochs: int) -> geom:
    from plotnine import geom_line, geom_point

    if epochs == 1:  # a line needs two points; plotnine warns about less
        return geom_point(size=2.2, alpha=0.8)
    if several:
        return geom_line(size=0.35, alpha=0.45)
    return geom_line(size=0.8)
