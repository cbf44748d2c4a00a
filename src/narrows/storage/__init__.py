"""Files: whole models in ``.narrows``, weights in HDF5 by layer name."""

from narrows.storage._archive import read_manifest
from narrows.storage._hdf5 import LoadReport, load_weights_hdf5, save_weights_hdf5
from narrows.storage._narrows import load, save

__all__ = [
    "LoadReport",
    "load",
    "load_weights_hdf5",
    "read_manifest",
    "save",
    "save_weights_hdf5",
]
