"""Pictures of a solution: fields at the final time, signals along the edges."""

from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.ticker import ScalarFormatter

from opalux.base.axes import AT_WORDS, QUANTITIES, along
from opalux.base.plots import CHANGE_MAP, LABELS, save
from opalux.solver.solution import Solution, edge_quantities

SHOWN_CELLS = 1024  # cells along an axis that a picture shows at most


def draw_fields(solution: Solution, path: Path) -> None:
    """Draw density, energy, flux and temperature at the final time."""
    save(solution.plot(), path)


def draw_signals(solution: Solution, path: Path) -> None:
    """Draw how E, |F| and T along the four edges change from their first values.

    Each panel has its own scale: at the far edge the signal is small beside that of the source.
    """
    edges = ("left", "right", "down", "up")
    t = solution.times
    signals = {
        edge: dict(zip(QUANTITIES, edge_quantities(solution.signals[edge]), strict=True))
        for edge in edges
    }
    figure, axes = plt.subplots(3, 4, figsize=(16, 8.6), layout="constrained", sharex=True)
    for row, name in enumerate(QUANTITIES):
        for column, edge in enumerate(edges):
            axis, place = axes[row, column], along(edge)
            extent = getattr(solution.grid, place)
            change = signals[edge][name] - signals[edge][name][:1]
            largest = float(abs(change).max()) or 1.0
            image = axis.imshow(
                change.T, origin="lower", aspect="auto", cmap=CHANGE_MAP,
                vmin=-largest, vmax=largest, extent=(t[0], max(t[-1], t[0] + 1e-12), *extent),
            )  # fmt: skip
            axis.set_ylabel(LABELS[place])
            if row == 0:
                axis.set_title(f"{edge} edge")
            if row == 2:
                axis.set_xlabel(LABELS["t"])
            small = ScalarFormatter()
            small.set_powerlimits((-2, 3))
            figure.colorbar(image, ax=axis, label=f"Δ{LABELS[name]}", pad=0.01, format=small)
    figure.suptitle(f"signals {AT_WORDS[solution.at]}, as changes from their first values")
    save(figure, path)
