"""
Labels that are noise, and how to tell
======================================

Any embedding that was taught labels shows them apart on the rows that it was taught with, labels
that are noise too. Out of fold, each row is placed by a fit that did not see its label.
"""

import numpy as np
import pandas as pd
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

import narrows
from narrows import plots

# %%
# Twenty columns of noise for 120 rows, and a label drawn by lot.

rng = np.random.default_rng(1)
X = rng.normal(size=(120, 20))
noise = rng.choice(["heads", "tails"], size=120)

embedder = narrows.Autoencoder(2, label_weight=3.0, learning_rate=0.01, random_state=0)
fitted = embedder.fit(X, noise).transform(X)
unseen = narrows.out_of_fold(embedder, X, noise, cv=5, random_state=0)

# %%
# The same embedder, once on the rows that taught it and once on rows whose labels it has not seen:


def stacked(name, Z, labels):
    """Return points with their origin and label."""
    return pd.DataFrame(Z, columns=["dim_1", "dim_2"]).assign(data_origin=name, label=labels)


def both(fitted, unseen, labels):
    """Return a figure of both."""
    frames = [stacked("fitted", fitted, labels), stacked("out of fold", unseen, labels)]
    return plots.embedding_facets(pd.concat(frames), label="label")


both(fitted, unseen, noise)

# %%
# A model that looks at the first believes it; at the second, it guesses. The share of rows whose
# label the nearest neighbours name, each row left out of its own neighbours:


def named(Z, labels):
    """Return the share of labels that nine neighbours name."""
    near = KNeighborsClassifier(10).fit(Z, labels).kneighbors(Z, return_distance=False)[:, 1:]
    is_tails = (labels == "tails")[near].mean(axis=1) > 0.5
    return float((is_tails == (labels == "tails")).mean())


print(f"fitted {named(fitted, noise):.2f}, out of fold {named(unseen, noise):.2f}")

# %%
# Labels that the columns know
# ----------------------------
# Of iris without the setosas, both pictures tell the same story.

iris = narrows.datasets.iris().query("Species != 'setosa'")
X = StandardScaler().fit_transform(iris.drop(columns="Species"))
species = iris["Species"].astype(str).to_numpy()
embedder = narrows.Autoencoder(2, label_weight=0.3, random_state=0)
both(
    embedder.fit(X, species).transform(X),
    narrows.out_of_fold(embedder, X, species, cv=5, random_state=0),
    species,
)
