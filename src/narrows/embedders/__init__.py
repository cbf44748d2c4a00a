"""The scikit-learn face: transformers that learn an embedding."""

from narrows.embedders._autoencoder import Autoencoder
from narrows.embedders._pca import PCA
from narrows.embedders._restarts import Restarts

__all__ = ["PCA", "Autoencoder", "Restarts"]
