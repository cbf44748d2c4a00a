"""Files: weights in HDF5, by layer name."""

from narrows.storage._hdf5 import LoadReport, load_weights_hdf5, save_weights_hdf5

__all__ = ["LoadReport", "load_weights_hdf5", "save_weights_hdf5"]
