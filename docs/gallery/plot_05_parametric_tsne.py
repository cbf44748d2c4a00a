"""
Digits on a t-SNE map, with places for new rows
===============================================

t-SNE gives places to the rows that it was run on and to no others.
:class:`narrows.TSNEMapEncoder` learns a network beside it, so that any row has a place: train on
some, embed the rest. :doc:`/parametric-tsne` says how, and what it reaches on 60,000 images.
"""

import pandas as pd
from sklearn.datasets import load_digits

import narrows
from narrows import plots, quality

# %%
# Three quarters of scikit-learn's digits draw the map; the others are new to it.

digits = load_digits()
X, y = digits.data / 16, digits.target
train, test = narrows.partition(y, train=0.75, random_state=0)

embedder = narrows.TSNEMapEncoder(
    encoder=(256, 256), noise=0.1, map_steps=400, epochs=40, random_state=0
)
embedder.fit(X[train])

# %%
# The held-out digits. A network alone places them in one pass; ``refine=True`` adds t-SNE steps of
# each new row against its neighbours among the training rows, as openTSNE does.

placed = {
    "network alone": embedder.transform(X[test]),
    "refined": embedder.transform(X[test], refine=True),
}
frame = pd.concat(
    pd.DataFrame(Z, columns=["dim_1", "dim_2"]).assign(data_origin=name, digit=y[test].astype(str))
    for name, Z in placed.items()
)
plots.embedding_facets(frame, label="digit")

# %%
# How good are the places? ``1-NN`` is the share of held-out digits whose nearest training digit in
# the plane is of the same kind; trustworthiness asks whether neighbours in the plane are neighbours
# among the pixels. PCA is what it has to beat.

pca = narrows.PCA(2).fit(X[train])
Z_train = embedder.transform(X[train])
on_the_map = embedder.transform(X[train], refine=True)
rows = {
    "PCA": (pca.transform(X[train]), pca.transform(X[test])),
    "network alone": (Z_train, placed["network alone"]),
    "refined": (on_the_map, placed["refined"]),
}
pd.DataFrame(
    {
        name: {
            "1-NN": quality.neighbour_accuracy(seen, y[train], new, y[test]),
            "trustworthiness": quality.trustworthiness(X[test], new, 12),
        }
        for name, (seen, new) in rows.items()
    }
).T.round(3)

# %%
# The same points as the images that they stand for:

plots.embedding_thumbnails(
    placed["refined"], X[test], pd.Series(y[test], name="digit"), n=250, shape=(8, 8)
)
