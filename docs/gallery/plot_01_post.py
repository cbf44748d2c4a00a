"""
The post's network on iris
==========================

The post "Let's play with autoencoders (Keras, R)" embeds the four measurements of 150 irises in a
plane. This is its network, its training and its figures; :doc:`/post` puts every line of R beside
these lines.
"""

import pandas as pd

import narrows
from narrows import plots
from narrows.networks import post_decoder, post_encoder

# %%
# Split and train
# ---------------
# 80 % of each species, as caret's ``createDataPartition`` draws them. The network is given as two
# functions of a Keras tensor, because it has batch normalization and dropout between its layers;
# where plain layers are enough, ``encoder=(150, 50, 25)`` does, started at PCA.

iris = narrows.datasets.iris()
columns = iris.drop(columns="Species")
train, test = narrows.partition(iris["Species"], train=0.8, random_state=1)

autoencoder = narrows.Autoencoder(
    bottleneck=2,
    encoder=post_encoder,
    decoder=post_decoder,
    metrics=("accuracy",),
    epochs=100,
    batch_size=32,
    random_state=1,
)
autoencoder.fit(columns.iloc[train], validation_data=columns.iloc[test])
print(autoencoder.summary())

# %%
# The history has a row for each epoch. Validation losses are lower than training losses here
# because dropout is at work in training only. "Accuracy" is what Keras makes of the word for
# four outputs: whether the largest of them stands where the largest measurement stands.

plots.history(autoencoder.history_)

# %%
# What comes back
# ---------------
# Two numbers are left of four, and the decoder makes four of them again.

rows = columns.iloc[train].reset_index(drop=True)
rebuilt = pd.DataFrame(autoencoder.reconstruct(rows), columns=rows.columns)
plots.reconstruction(rows, rebuilt, x="Petal.Length", y="Sepal.Width")

# %%
# Which column loses most? Mean squared errors on the 30 rows that were not trained on, in cm²,
# beside the columns' variances:

held_out = columns.iloc[test]
pd.DataFrame(
    {
        "error": autoencoder.reconstruction_error(held_out, by="column"),
        "variance": held_out.var(),
    }
).round(3)

# %%
# Beside PCA
# ----------
# The post's PCA is caret's: centred, and divided by the standard deviation.

pca = narrows.PCA(n_components=2, standardize=True).fit(rows)
species = iris["Species"].iloc[train].to_numpy()


def stacked(name, points):
    """Return the points as the post stacks them, a row each."""
    return pd.DataFrame(points, columns=["dim_1", "dim_2"]).assign(
        data_origin=name, Species=species
    )


both = pd.concat(
    [stacked("pca", pca.transform(rows)), stacked("autoencoder", autoencoder.transform(rows))]
)
plots.embedding_overlay(both)

# %%
plots.embedding_facets(both, label="Species")

# %%
# The autoencoder's classes look better apart, and the post stops about here. But PCA saw
# standardized columns and the autoencoder raw ones, and both have seen every row that they are
# judged on: :ref:`sphx_glr_auto_gallery_plot_02_compare.py` asks the question again.
