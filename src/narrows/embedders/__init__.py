"""The scikit-learn face: transformers that learn an embedding."""

from narrows.embedders._autoencoder import Autoencoder
from narrows.embedders._diagram import layer_widths, network_svg
from narrows.embedders._linear import LinearAutoencoder
from narrows.embedders._pca import PCA
from narrows.embedders._pickling import timeless
from narrows.embedders._restarts import Restarts
from narrows.embedders._variational import VariationalAutoencoder
from narrows.embedders.tsne._estimator import ParametricTSNE

# The public names; what else is imported above is for the house's other packages.
__all__ = [
    "PCA",
    "Autoencoder",
    "LinearAutoencoder",
    "ParametricTSNE",
    "Restarts",
    "VariationalAutoencoder",
]
