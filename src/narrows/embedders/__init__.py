"""The scikit-learn face: transformers that learn an embedding.

Names are loaded when they are first used, as those of `narrows`, which has the embedders too.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from narrows.embedders._autoencoder import Autoencoder
    from narrows.embedders._base import NetworkEmbedder
    from narrows.embedders._capabilities import Capabilities, capabilities_of
    from narrows.embedders._diagram import layer_widths, network_svg
    from narrows.embedders._linear import LinearAutoencoder
    from narrows.embedders._pca import PCA
    from narrows.embedders._pickling import timeless
    from narrows.embedders._restarts import Restarts
    from narrows.embedders._variational import VariationalAutoencoder
    from narrows.embedders.tsne._map_encoder import TSNEMapEncoder
    from narrows.embedders.tsne._parametric import ParametricTSNE
    from narrows.embedders.tuning._candidates import DEFAULT_CANDIDATES, LABEL_CANDIDATES
    from narrows.embedders.tuning._estimator import AutoencoderCV
    from narrows.embedders.tuning._widths import spanned

    EMBEDDERS: tuple[type[NetworkEmbedder] | type[PCA], ...]

# The embedders, and the file that each is in: the one list of them.
HOMES = {
    "Autoencoder": "_autoencoder",
    "AutoencoderCV": "tuning._estimator",
    "LinearAutoencoder": "_linear",
    "ParametricTSNE": "tsne._parametric",
    "TSNEMapEncoder": "tsne._map_encoder",
    "VariationalAutoencoder": "_variational",
    "PCA": "_pca",
}
# What the house's other packages need besides.
_OTHERS = {
    "Capabilities": "_capabilities",
    "DEFAULT_CANDIDATES": "tuning._candidates",
    "LABEL_CANDIDATES": "tuning._candidates",
    "Restarts": "_restarts",
    "capabilities_of": "_capabilities",
    "layer_widths": "_diagram",
    "network_svg": "_diagram",
    "spanned": "tuning._widths",
    "timeless": "_pickling",
}

__all__ = [
    "PCA",
    "Autoencoder",
    "AutoencoderCV",
    "LinearAutoencoder",
    "ParametricTSNE",
    "Restarts",
    "TSNEMapEncoder",
    "VariationalAutoencoder",
]


def __getattr__(name: str) -> Any:
    value: Any
    if name == "EMBEDDERS":
        value = tuple(_loaded(embedder, home) for embedder, home in HOMES.items())
    elif home := (HOMES | _OTHERS).get(name):
        value = _loaded(name, home)
    else:
        raise AttributeError(f"module 'narrows.embedders' has no attribute {name!r}")
    globals()[name] = value
    return value


def _loaded(name: str, home: str) -> Any:
    return getattr(import_module(f"narrows.embedders.{home}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
