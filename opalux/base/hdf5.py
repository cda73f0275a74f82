"""How the data sets of our HDF5 files say what they hold: units, and names of their axes.

The names of the axes are dimension scales, the way that netCDF and xarray find them:
``xarray.open_dataset(path, group="fields", engine="h5netcdf")`` has named dimensions.
"""

from collections.abc import Sequence
from typing import Any

import h5py


def describe(
    dataset: h5py.Dataset, units: str | None = None, axes: Sequence[Any] = (), name: str = ""
) -> None:
    """Give a data set its attributes ``units`` and ``axes``, and its dimension scales.

    Parameters
    ----------
    dataset : the data set
    units : unit of its values, e.g. ``g/cm3``; left out for numbers without a unit
    axes : one entry for each axis: its name, or the data set that holds its coordinates. The
        latter becomes a dimension scale, and the axis takes the name of that data set; coordinates
        are their own axis
    name : makes the data set itself a dimension scale of this name

    Notes
    -----
    Only attributes are written: the data keep their place in the file.
    """
    if units is not None:
        dataset.attrs["units"] = units
    if name:
        dataset.make_scale(name)
    if not axes:
        return
    names = [axis if isinstance(axis, str) else axis.name.rsplit("/", 1)[-1] for axis in axes]
    if len(names) != dataset.ndim:
        raise ValueError(f"{dataset.name}: found {len(names)} axes, expected {dataset.ndim}")
    dataset.attrs["axes"] = names
    for number, (axis, label) in enumerate(zip(axes, names, strict=True)):
        dataset.dims[number].label = label
        if isinstance(axis, str):
            continue
        if not h5py.h5ds.is_scale(axis.id):
            axis.make_scale(label)
        if axis != dataset:
            dataset.dims[number].attach_scale(axis)
