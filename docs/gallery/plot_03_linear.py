"""
A linear autoencoder is PCA
===========================

Without hidden layers and with squared errors, an autoencoder can do no better than the plane of the
first principal components (Bourlard and Kamp 1988; Baldi and Hornik 1989). The post says so in a
sentence. It makes a good check of the training: does it find that plane?
"""

import numpy as np
import pandas as pd
from plotnine import aes, facet_wrap, geom_point, ggplot, labs, theme_minimal
from scipy.linalg import subspace_angles

import narrows
from narrows import plots

# %%
# Both learn from the same raw columns.

iris = narrows.datasets.iris()
X = iris.drop(columns="Species")
pca = narrows.PCA(2).fit(X)
linear = narrows.LinearAutoencoder(2, random_state=0).fit(X)

# %%
# The plane
# ---------
# A decoder without activation is a matrix whose rows span a plane in the space of the four
# columns. The largest principal angle between that plane and PCA's, in degrees:

kernel = linear.decoder_.get_weights()[0]
angle = np.degrees(subspace_angles(kernel.T, pca.components_.T).max())
print(f"{angle:.4f} degrees")

# %%
# So nothing is left to choose between their reconstructions:


def mean_squared_error(back):
    """Return the mean over all cells, in cm²."""
    return float(np.mean((back - X.to_numpy()) ** 2))


pd.Series(
    {
        "PCA": mean_squared_error(pca.inverse_transform(pca.transform(X))),
        "linear autoencoder": mean_squared_error(linear.reconstruct(X)),
        "150-50-25 autoencoder": mean_squared_error(
            narrows.Autoencoder(2, random_state=0).fit(X).reconstruct(X)
        ),
    },
    name="mean squared error",
).round(4).to_frame()

# %%
# The axes
# --------
# Within the plane the two need not agree: squared errors are the same however the plane is turned
# or stretched, so the linear autoencoder's two numbers are mixtures of the components. What PCA
# adds is an order: first the direction with the largest variance.


def stacked(name, points):
    """Return points with their origin and species."""
    return pd.DataFrame(points, columns=["dim_1", "dim_2"]).assign(
        data_origin=name, Species=iris["Species"]
    )


frame = pd.concat(
    [stacked("PCA", pca.transform(X)), stacked("linear autoencoder", linear.transform(X))]
)
plots.embedding_facets(frame, label="Species")

# %%
# Turned by the best linear map onto PCA's scores, the points coincide:

Z, scores = linear.transform(X), pca.transform(X)
turn, *_ = np.linalg.lstsq(Z - Z.mean(axis=0), scores, rcond=None)
turned = (Z - Z.mean(axis=0)) @ turn
compared = pd.concat(
    pd.DataFrame(
        {"PCA": scores[:, i], "linear, turned": turned[:, i], "axis": f"component {i + 1}"}
    )
    for i in range(2)
)
(
    ggplot(compared, aes("PCA", "linear, turned"))
    + geom_point(alpha=0.6, color="#0072B2")
    + facet_wrap("axis", scales="free")
    + labs(x="PCA's score", y="linear autoencoder's, turned")
    + theme_minimal()
)

# %%
# References: Bourlard, H. and Kamp, Y. (1988). Auto-association by multilayer perceptrons and
# singular value decomposition. Biological Cybernetics 59, 291-294. Baldi, P. and Hornik, K. (1989).
# Neural networks and principal component analysis. Neural Networks 2, 53-58.
