"""The colour bands of the visible spectrum."""

import numpy as np
from numpy.typing import NDArray

BANDS = ("violet", "blue", "green", "yellow", "orange", "red")
BAND_LIMITS = (400.0, 450.0, 495.0, 570.0, 590.0, 620.0, 750.0)
"""Limits of the bands [nm]; a limit belongs to the band that begins there."""


def bands(wavelength: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the colour band of each wavelength [nm], as a position in ``BANDS``."""
    return np.searchsorted(BAND_LIMITS[1:-1], wavelength, side="right").astype(np.int64)
