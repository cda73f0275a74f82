"""Reading every few values of a large data set, for pictures."""

import h5py
import numpy as np


def thinned(dataset: h5py.Dataset, at_most: int | None) -> np.ndarray:
    """Read a data set; of a large one only every few rows and columns.

    Parameters
    ----------
    dataset : (n,), (ny, nx) or (ny, nx, components)
    at_most : values along each of the first two axes that are enough; None: all
    """
    if at_most is None:
        values: np.ndarray = dataset[()]
        return values
    steps = [-(-length // at_most) for length in dataset.shape[:2]]
    values = dataset[tuple(slice(None, None, step) for step in steps)]
    return values
