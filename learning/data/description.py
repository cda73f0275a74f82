"""What the arrays of a part say of themselves: units, axes and coordinates."""

import h5py
import numpy as np

from opalux.base.hdf5 import describe
from opalux.learning.data.card import UNITS, Card

DETECTOR_PLACES = ("detector_x", "detector_y", "detector_width")
"""Arrays (detectors,) of a part whose campaign has detectors [cm]."""

_SIGNAL_UNITS = "E: {E}, |F|: {F}, T: {T}".format(**UNITS)

_DESCRIPTIONS: dict[str, tuple[str | None, tuple[str, ...]]] = {
    "density": (UNITS["density"], ("sample_id", "y", "x")),
    "signals": (
        _SIGNAL_UNITS,
        ("sample_id", "source", "edge", "quantity", "times", "cell"),
    ),
    "detectors": (_SIGNAL_UNITS, ("sample_id", "source", "quantity", "times", "detector")),
    "family": (None, ("sample_id",)),
    "seed": (None, ("sample_id",)),
    "status": (None, ("sample_id",)),
    "sources": (UNITS["sources"], ("sample_id", "source", "end")),
    "drawn": (None, ("sample_id",)),
    "reason": (None, ("sample_id",)),
    "checksum": (None, ("sample_id",)),
    "signal_moments": (
        f"mean: {_SIGNAL_UNITS}; sum of squares: their squares",
        ("sample_id", "source", "edge", "quantity", "moment"),
    ),
    "density_moments": (
        f"mean: {UNITS['density']}; sum of squares: its square",
        ("sample_id", "moment"),
    ),
    "density_range": (UNITS["density"], ("sample_id", "end")),
}
"""Units and axes of each array; an axis that is also an array of the file has coordinates."""


def describe_arrays(file: h5py.File, card: Card) -> None:
    """Write units, names of axes and dimension scales of a part, or of the view of all parts.

    Adds the coordinates ``x`` and ``y`` [cm] of the cells' centres, the names of ``source``,
    ``edge`` and ``quantity``, and the places of the detectors (``detector_x``, …) where there are
    some.
    """
    file["x"], file["y"] = card.x, card.y
    for name, labels in card.labels.items():
        file.create_dataset(name, data=list(labels), dtype=h5py.string_dtype())
    if "signals" in file:
        file["signals"].attrs["at"] = card.signals_at
    units = {"x": "cm", "y": "cm", "times": UNITS["times"]}
    for name in ("x", "y", "times", "sample_id", *card.labels):
        describe(file[name], units.get(name), [file[name]])
    if card.detectors:
        for name, values in zip(DETECTOR_PLACES, zip(*card.detectors, strict=True), strict=True):
            file[name] = np.array(values)
            describe(file[name], "cm", ["detector"])
    for name, (unit, axes) in _DESCRIPTIONS.items():
        if name in file:
            describe(file[name], unit, [file.get(axis, axis) for axis in axes])
