"""The HDF5 files of a run."""
