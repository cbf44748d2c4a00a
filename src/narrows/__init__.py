"""Learn a small embedding of your data, and find out whether it was worth it.

Names below are loaded when they are first used: ``import narrows`` itself imports neither Keras,
scikit-learn nor a plotting library, and changes nothing in the session. If Keras is imported later
and nobody has chosen its backend, it starts on JAX.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from narrows._backend import choose_at_import_of_keras
from narrows._version import __version__
from narrows.embedders import HOMES as _EMBEDDERS

choose_at_import_of_keras()

if TYPE_CHECKING:
    from narrows import (
        comparison,
        data,
        datasets,
        embedders,
        export,
        networks,
        objectives,
        plots,
        quality,
        report,
        scale,
        storage,
        training,
    )
    from narrows.comparison import Comparison, compare, out_of_fold
    from narrows.data import TablePreprocessor, partition, read_table
    from narrows.embedders import *  # noqa: F403
    from narrows.export import export_onnx
    from narrows.storage import load, load_weights_hdf5, save, save_weights_hdf5

# Where each public name lives; None for a module.
_HOMES: dict[str, str | None] = {
    **dict.fromkeys(_EMBEDDERS, "embedders"),
    "Comparison": "comparison",
    "TablePreprocessor": "data",
    "compare": "comparison",
    "comparison": None,
    "data": None,
    "datasets": None,
    "embedders": None,
    "export": None,
    "export_onnx": "export",
    "load": "storage",
    "load_weights_hdf5": "storage",
    "networks": None,
    "objectives": None,
    "out_of_fold": "comparison",
    "partition": "data",
    "plots": None,
    "quality": None,
    "read_table": "data",
    "report": None,
    "save": "storage",
    "save_weights_hdf5": "storage",
    "scale": None,
    "storage": None,
    "training": None,
}

__all__ = [
    "Comparison",
    "TablePreprocessor",
    "__version__",
    "compare",
    "comparison",
    "data",
    "datasets",
    "embedders",
    "export",
    "export_onnx",
    "load",
    "load_weights_hdf5",
    "networks",
    "objectives",
    "out_of_fold",
    "partition",
    "plots",
    "quality",
    "read_table",
    "report",
    "save",
    "save_weights_hdf5",
    "scale",
    "storage",
    "training",
    *_EMBEDDERS,
]


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module 'narrows' has no attribute {name!r}")
    home = _HOMES[name]
    value = import_module(f"narrows.{home or name}")
    if home is not None:
        value = getattr(value, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
