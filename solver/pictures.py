"""A picture of the fields at one time."""

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from opalux.base.plots import COLOURS, LABELS
from opalux.solver.grid import Grid

NAMES = {"rho": "density", "E": "radiation energy", "F": "flux", "T": "matter temperature"}


def fields_figure(fields: Mapping[str, np.ndarray], grid: Grid, title: str) -> Any:
    """Return a figure of ρ, E, |F| and T.

    Parameters
    ----------
    fields : ``rho``, ``E``, ``F`` (for |F|) and ``T``, (ny, nx), or every few of their cells
    grid : gives the extent
    title : written above the four panels
    """
    figure, axes = plt.subplots(2, 2, figsize=(10, 8.6), layout="constrained")
    for axis, (name, words) in zip(axes.flat, NAMES.items(), strict=True):
        image = axis.imshow(
            fields[name], origin="lower", extent=(*grid.x, *grid.y), cmap=COLOURS[name]
        )
        figure.colorbar(image, ax=axis, shrink=0.9)
        axis.set(title=f"{words} {LABELS[name]}", xlabel=LABELS["x"], ylabel=LABELS["y"])
    figure.suptitle(title)
    return figure
