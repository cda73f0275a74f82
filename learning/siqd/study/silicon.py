"""The preset of the paper: silicon quantum dots, their features, and the colours of the light.

Nothing here imports a scientific library, so that a command line can be checked at once.
"""

import bisect
import math

from opalux.learning.siqd.dots.columns import FEATURES, FRACTIONS, OPTIONAL
from opalux.learning.siqd.study.subject import Subject

BANDS = ("violet", "blue", "green", "yellow", "orange", "red")
BAND_LIMITS = (400.0, 450.0, 495.0, 570.0, 590.0, 620.0, 750.0)
"""Limits of the bands [nm]; a limit belongs to the band that begins there."""
COLOURS = {
    "ultraviolet": "#8888a0",
    "violet": "#7b3fa0",
    "blue": "#2f6fd0",
    "green": "#3a9d4e",
    "yellow": "#d9b800",
    "orange": "#e8821e",
    "red": "#c8322b",
    "infrared": "#6b3a2a",
}
LABELS = {
    "diameter": "diameter D [nm]",
    "hsi_ratio": "H/Si ratio",
    "f111": "share of {111}",
    "f110": "share of {110}",
    "f100": "share of {100}",
    "f113": "share of {113}",
    "n_coord": "coordination",
    "silicon": "Si amount",
    "hydrogen": "H amount",
    "wavelength": "wavelength λ [nm]",
}


def dots(shortest: float, longest: float) -> Subject:
    """Return the dots as a subject, with the colours from a shortest to a longest wavelength [nm].

    What is kept below 400 nm is called ultraviolet, and from 750 nm on infrared.
    """
    edges = {float(limit) for limit in BAND_LIMITS if shortest < limit < longest}
    limits = sorted(edges | {shortest, longest})
    names = ("ultraviolet", *BANDS, "infrared")
    beginnings = (-math.inf, *BAND_LIMITS)
    return Subject(
        rows="dots",
        features=FEATURES,
        property="wavelength",
        unit="nm",
        limits=tuple(limits),
        classes=tuple(names[bisect.bisect_right(beginnings, low) - 1] for low in limits[:-1]),
        parts=(FRACTIONS,),
        dropped=OPTIONAL,
        name="name",
    )
