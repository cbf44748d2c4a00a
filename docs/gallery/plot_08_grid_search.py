"""
In a pipeline, with a grid search
=================================

An :class:`narrows.Autoencoder` is a scikit-learn transformer: it clones, pipes and searches like
any other. Here a grid search asks how wide the bottleneck should be for a classifier behind it, and
whether columns should be standardized before it.
"""

import pandas as pd
from plotnine import (
    aes,
    geom_line,
    geom_pointrange,
    ggplot,
    labs,
    position_dodge,
    scale_color_manual,
    theme_minimal,
)
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

import narrows

# %%
# Everything that learns is a step of the pipeline, so every fold refits it on its own rows.

pipeline = Pipeline(
    [
        ("scale", StandardScaler()),
        ("embed", narrows.Autoencoder(encoder=(32,), epochs=60, random_state=0)),
        ("classify", LogisticRegression(max_iter=1000)),
    ]
)
grid = {"scale": ["passthrough", StandardScaler()], "embed__bottleneck": [1, 2, 4, 8]}

X, y = load_wine(return_X_y=True, as_frame=True)
search = GridSearchCV(pipeline, grid, cv=5).fit(X, y)
print("best:", search.best_params_, f"accuracy {search.best_score_:.3f}")

# %%
# Accuracy in five folds, with one standard deviation over folds to either side:

results = pd.DataFrame(search.cv_results_)
frame = pd.DataFrame(
    {
        "bottleneck": results["param_embed__bottleneck"].astype(int),
        "columns": results["param_scale"].astype(str).str.replace(r"\(.*", "", regex=True),
        "accuracy": results["mean_test_score"],
        "low": results["mean_test_score"] - results["std_test_score"],
        "high": results["mean_test_score"] + results["std_test_score"],
    }
).replace({"columns": {"passthrough": "as they are", "StandardScaler": "standardized"}})
beside = position_dodge(width=0.25)
(
    ggplot(frame, aes("bottleneck", "accuracy", color="columns"))
    + geom_line(position=beside)
    + geom_pointrange(aes(ymin="low", ymax="high"), position=beside)
    + labs(x="width of the bottleneck", y="accuracy in held-out folds", color="columns")
    + scale_color_manual(["#D55E00", "#0072B2"])
    + theme_minimal()
)

# %%
# Columns as they are teach the network little but proline, the one with the largest numbers:
# squared errors follow the units.

X.std().nlargest(3).round(1).to_frame("standard deviation")

# %%
# The best score of a search is a little too good, because it was picked for being the best. To
# claim anything about the embedding, put the chosen pipeline into :func:`narrows.compare` as an
# arm.
