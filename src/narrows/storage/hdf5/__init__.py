"""HDF5 weights, by layer name."""
