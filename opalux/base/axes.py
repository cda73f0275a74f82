"""The names along the axes of our arrays: edges, fields and recorded quantities, and their units.

Units everywhere: lengths in cm, times in sh (1e-8 s), masses in g, temperatures in keV.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Edge = Literal["up", "down", "left", "right"]
Quantity = Literal["E", "F", "T"]

EDGES = ("up", "down", "left", "right")
"""The edges of the domain, in the order of every array that has an axis of edges."""
FIELDS = ("E", "Fx", "Fy", "T")
"""The fields of the solver's state, in the order of every array that has an axis of fields."""
QUANTITIES: tuple[Quantity, ...] = ("E", "F", "T")
"""What is recorded along the edges: E, F (which stands for |F|) and T."""

At = Literal["cell", "edge"]
AT_WORDS: dict[At, str] = {
    "cell": "in the cells along the edges",
    "edge": "on the edges themselves",
}
"""Where signals are: files that do not say it hold those in the cells."""

UNITS = {
    "rho": "g/cm3",
    "density": "g/cm3",
    "E": "g/cm/sh2",
    "F": "g/cm/sh2",
    "Fx": "g/cm/sh2",
    "Fy": "g/cm/sh2",
    "T": "keV",
    "t": "sh",
    "time": "sh",
    "x": "cm",
    "y": "cm",
}
"""Unit of each field, quantity and coordinate, as it is written into files."""


def along(edge: str) -> Literal["x", "y"]:
    """Return the coordinate that varies along an edge."""
    return "x" if edge in ("up", "down") else "y"


def flux_magnitude(F: np.ndarray, axis: int = -1) -> np.ndarray:
    """Return |F| = √(Fx² + Fy²), in the unit of F.

    Parameters
    ----------
    F : array whose ``axis`` has length 2: Fx, Fy
    axis : the axis of the components, which the result does not have
    """
    Fx, Fy = np.moveaxis(F, axis, 0)
    magnitude: np.ndarray = np.sqrt(Fx * Fx + Fy * Fy)
    return magnitude


def depths(shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Return how many cells are between each cell of a map (ny, nx) and the nearest edge."""
    ny, nx = shape
    y, x = np.arange(ny)[:, None], np.arange(nx)[None, :]
    return np.asarray(np.minimum(np.minimum(y, ny - 1 - y), np.minimum(x, nx - 1 - x)))
