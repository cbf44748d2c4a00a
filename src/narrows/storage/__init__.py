"""Files: whole models in ``.narrows``, weights in HDF5 by layer name, networks in ``.keras``."""

from narrows.storage._archive import read_manifest
from narrows.storage._keras_files import load_keras, save_keras
from narrows.storage._messages import printable
from narrows.storage._narrows import load, read_arrays, save
from narrows.storage.hdf5._weights import LoadReport, load_weights_hdf5, save_weights_hdf5

# The public names; what else is imported above is for the house's other packages.
__all__ = [
    "LoadReport",
    "load",
    "load_keras",
    "load_weights_hdf5",
    "read_manifest",
    "save",
    "save_keras",
    "save_weights_hdf5",
]
