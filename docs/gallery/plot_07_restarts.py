"""
Restarts and early stopping
===========================

A network's training depends on where it starts. narrows compiles a whole training into one program
and runs many restarts in it at once, so that each costs a fraction of one alone
(:doc:`/benchmarks/restarts`): the best is used, and the others show how much of a result is luck.
"""

import pandas as pd
from plotnine import (
    aes,
    geom_point,
    ggplot,
    labs,
    scale_color_manual,
    scale_y_log10,
    theme_minimal,
)

import narrows
from narrows import plots

# %%
# Twenty restarts, a fifth of the rows held out. A restart stops when ten epochs have brought no
# lower validation loss, and goes back to the weights of its best epoch.

iris = narrows.datasets.iris()
X = iris.drop(columns="Species")
embedder = narrows.Autoencoder(
    bottleneck=2,
    epochs=150,
    patience=10,
    validation_fraction=0.2,
    restarts=20,
    random_state=0,
)
embedder.fit(X)

# %%
# A row for each restart; ``in_use`` marks the one whose weights the embedder has.

restarts = embedder.restarts_.frame()
restarts.sort_values("best_loss").head(6).round(4)

# %%
# Some had to be stopped late, some found a poor valley early:

(
    ggplot(restarts, aes("best_epoch", "best_loss", color="in_use"))
    + geom_point(size=3)
    + scale_color_manual(["#8A8A8A", "#D55E00"])
    + scale_y_log10()
    + labs(x="best epoch", y="validation loss there, log scale", color="in use")
    + theme_minimal()
)

# %%
# The course of all trainings:

plots.history(embedder.history_)

# %%
# Restart number k is the same however many there are, so that a result can be repeated without the
# others. The first of twenty, and the only one of one:

alone = embedder.set_params(restarts=1).fit(X)
pd.DataFrame(
    {
        "first of twenty": restarts.set_index("restart").loc[0, ["best_epoch", "best_loss"]],
        "alone": alone.restarts_.frame().set_index("restart").loc[0, ["best_epoch", "best_loss"]],
    }
)
