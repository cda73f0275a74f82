"""What all pictures share: a back end without a screen, colours, labels, and how they are saved."""

import io
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from opalux.base.files import atomic

DENSITY_MAP, ENERGY_MAP, FLUX_MAP, HEAT_MAP = "cividis", "magma", "viridis", "inferno"
SPREAD_MAP, SHARE_MAP = "BuPu", "YlGn"
"""Of standard deviations, and of the share that data tell."""
COUNT_MAP = "Blues"
CHANGE_MAP = "RdBu_r"
"""Of differences and of signed numbers, with white at 0."""
COLOURS = {"rho": DENSITY_MAP, "E": ENERGY_MAP, "F": FLUX_MAP, "T": HEAT_MAP}
"""Colour map of each field and quantity."""
LABELS = {
    "rho": "ρ [g/cm³]",
    "E": "E [g/cm/sh²]",
    "F": "|F| [g/cm/sh²]",
    "T": "T [keV]",
    "x": "x [cm]",
    "y": "y [cm]",
    "t": "t [sh]",
}
"""Label of an axis or a colour bar, with its unit."""
DPI = 110


def save(figure: Any, path: Path, dpi: int = DPI) -> None:
    """Save a figure as PNG, atomically, and close it."""
    with atomic(path) as temporary:
        figure.savefig(temporary, dpi=dpi, format="png")
    plt.close(figure)


def png(figure: Any, dpi: int = DPI) -> bytes:
    """Return a figure as the content of a PNG file, and close it."""
    content = io.BytesIO()
    figure.savefig(content, dpi=dpi, format="png")
    plt.close(figure)
    return content.getvalue()
