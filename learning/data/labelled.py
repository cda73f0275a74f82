"""A data set as xarray shows it: named axes, coordinates, units."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from opalux.base.optional import import_xarray
from opalux.learning.data.card import UNITS, Card
from opalux.learning.data.description import DETECTOR_PLACES

AXES = {
    "density": ("sample", "y", "x"),
    "signals": ("sample", "source", "edge", "quantity", "time", "cell"),
    "detectors": ("sample", "source", "quantity", "time", "detector"),
    "family": ("sample",),
    "status": ("sample",),
    "sources": ("sample", "source", "end"),
}
"""The arrays, and the names of their axes."""


def labelled(
    card: Card,
    positions: NDArray[np.int64],
    times: NDArray[np.float64],
    arrays: dict[str, NDArray[Any]],
) -> Any:
    """Return samples as an ``xarray.Dataset``.

    Parameters
    ----------
    card : of the data set
    positions : (n,) of the samples
    times : (n_times,) [sh]
    arrays : those of `AXES`, (n, ...) each; detectors where there are some;
        signals beyond the end of a shorter edge become NaN

    Raises
    ------
    InputError
        When xarray is not installed.
    """
    xarray = import_xarray()
    signal_units = "E: {E}, F: {F}, T: {T}".format(**UNITS)
    units = {
        "density": UNITS["density"],
        "signals": signal_units,
        "detectors": signal_units,
        "sources": UNITS["sources"],
    }
    coordinates: dict[str, Any] = {
        "sample": ("sample", positions),
        **{name: (name, list(labels)) for name, labels in card.labels.items()},
        "time": ("time", times, {"units": UNITS["times"]}),
        "y": ("y", card.y, {"units": "cm"}),
        "x": ("x", card.x, {"units": "cm"}),
        "end": ("end", ["start", "stop"]),
    }
    for name, values in zip(DETECTOR_PLACES, zip(*card.detectors, strict=True), strict=False):
        coordinates[name] = ("detector", list(values), {"units": "cm"})
    beyond = ~card.layout().on_edges
    arrays["signals"] = np.where(beyond, np.float32(np.nan), arrays["signals"])
    variables = {
        name: (axes, arrays[name], {"units": units[name]} if name in units else {})
        for name, axes in AXES.items()
        if name in arrays
    }
    return xarray.Dataset(variables, coordinates, {"name": card.name, "origin": card.origin})
