"""Pictures of a solution: fields at the final time, signals along the edges."""

from pathlib import Path

import matplotlib.pyplot as plt

from opalux.base.axes import AT_WORDS, QUANTITIES, along
from opalux.base.plots import COLOURS, LABELS, save
from opalux.solver.solution import Solution, edge_quantities

SHOWN_CELLS = 1024  # cells along an axis that a picture shows at most


def draw_fields(solution: Solution, path: Path) -> None:
    """Draw density, energy, flux and temperature at the final time."""
    save(solution.plot(), path)


def draw_signals(solution: Solution, path: Path) -> None:
    """Draw E, |F| and T along the four edges against time."""
    edges = ("left", "right", "down", "up")
    t = solution.times
    signals = {
        edge: dict(zip(QUANTITIES, edge_quantities(solution.signals[edge]), strict=True))
        for edge in edges
    }
    figure, axes = plt.subplots(3, 4, figsize=(14, 8.6), layout="constrained", sharex=True)
    for row, name in enumerate(QUANTITIES):
        low = min(float(signals[edge][name].min()) for edge in edges)
        high = max(float(signals[edge][name].max()) for edge in edges)
        for column, edge in enumerate(edges):
            axis, place = axes[row, column], along(edge)
            extent = getattr(solution.grid, place)
            image = axis.imshow(
                signals[edge][name].T, origin="lower", aspect="auto", cmap=COLOURS[name],
                vmin=low, vmax=high, extent=(t[0], max(t[-1], t[0] + 1e-12), *extent),
            )  # fmt: skip
            axis.set_ylabel(LABELS[place])
            if row == 0:
                axis.set_title(f"{edge} edge")
            if row == 2:
                axis.set_xlabel(LABELS["t"])
        figure.colorbar(image, ax=axes[row], label=LABELS[name], aspect=12, pad=0.01)
    figure.suptitle(f"signals {AT_WORDS[solution.at]}")
    save(figure, path)
