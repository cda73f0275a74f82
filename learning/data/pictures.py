"""Pictures of samples: the density, and one quantity along the four edges."""

from collections.abc import Sequence
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from opalux.base.axes import AT_WORDS, along
from opalux.base.plots import COLOURS, DENSITY_MAP, LABELS
from opalux.learning.data.card import Card


class Row(NamedTuple):
    """What is drawn of one sample.

    Attributes
    ----------
    title : above the density
    density : (ny, nx) [g/cm³]
    signals : (edges, n_times, n_cells) one quantity, recorded while one source was on
    """

    title: str
    density: NDArray[np.float32]
    signals: NDArray[np.float32]


def draw_rows(card: Card, times: NDArray[np.float64], quantity: str, rows: Sequence[Row]) -> Figure:
    """Draw each sample in a row: its density, then the signals of the edges against time.

    Parameters
    ----------
    card : of the data set
    times : (n_times,) [sh]
    quantity : E, F (for |F|) or T
    rows : the samples
    """
    figure, grid = plt.subplots(
        len(rows),
        1 + len(card.edges),
        figsize=(13, 2.6 * len(rows)),
        squeeze=False,
        layout="constrained",
    )
    figure.supxlabel(f"signals {AT_WORDS[card.signals_at]}", fontsize="medium")
    extents = dict(zip("xy", card.extents, strict=True))
    for axes, row in zip(grid, rows, strict=True):
        whole = (*extents["x"], *extents["y"])
        image = axes[0].imshow(row.density, origin="lower", cmap=DENSITY_MAP, extent=whole)
        figure.colorbar(image, ax=axes[0], shrink=0.75)
        axes[0].set_title(row.title, fontsize="medium")
        axes[0].set(xlabel=LABELS["x"], ylabel=LABELS["y"])
        for axis, edge, signal in zip(axes[1:], card.edges, row.signals, strict=True):
            image = axis.imshow(
                signal[:, : card.cells_on(edge)].T,
                origin="lower",
                aspect="auto",
                cmap=COLOURS[quantity],
                extent=(times[0], times[-1], *extents[along(edge)]),
            )
            figure.colorbar(image, ax=axis)
            axis.set(title=f"{quantity} at {edge}", xlabel=LABELS["t"], ylabel=LABELS[along(edge)])
    return figure
