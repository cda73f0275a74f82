"""Pictures of P1 beside transport, all on the same scales."""

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt

from opalux.base.plots import COLOURS, LABELS
from opalux.solver.solution import Solution

EDGES = ("left", "right", "down", "up")
NORMAL = {"left": 1, "right": 1, "down": 2, "up": 2}
"""The component of (E, Fx, Fy, T) through each edge."""


def fields_figure(solutions: Mapping[str, Solution]) -> Any:
    """Return a figure of E and T at the final time, a column a solution."""
    figure, axes = plt.subplots(
        2, len(solutions), figsize=(3.3 * len(solutions) + 1, 6.6), layout="constrained",
        squeeze=False,
    )  # fmt: skip
    for row, (name, n) in zip(axes, (("E", 0), ("T", 3)), strict=True):
        low = min(float(solution.fields[n].min()) for solution in solutions.values())
        high = max(float(solution.fields[n].max()) for solution in solutions.values())
        for axis, (title, solution) in zip(row, solutions.items(), strict=True):
            grid = solution.grid
            image = axis.imshow(
                solution.fields[n], origin="lower", extent=(*grid.x, *grid.y), aspect="auto",
                vmin=low, vmax=high, cmap=COLOURS[name],
            )  # fmt: skip
            axis.set(title=title, xlabel=LABELS["x"], ylabel=LABELS["y"])
        figure.colorbar(image, ax=row, label=LABELS[name], aspect=12, pad=0.01)
    return figure


def signals_figure(solutions: Mapping[str, Solution]) -> Any:
    """Return a figure of E and the normal flux against time, means along each edge."""
    figure, axes = plt.subplots(
        2, 4, figsize=(14, 6.6), layout="constrained", sharex=True, sharey="row"
    )
    for column, edge in enumerate(EDGES):
        axes[0, column].set_title(f"{edge} edge")
        axes[1, column].set_xlabel(LABELS["t"])
        for row, n in enumerate((0, NORMAL[edge])):
            for number, (name, solution) in enumerate(solutions.items()):
                style = {"color": "k", "linewidth": 2} if number == 0 else {"linewidth": 1}
                mean = solution.signals[edge][:, n].mean(axis=1)
                axes[row, column].plot(solution.times, mean, label=name, **style)
            axes[row, column].grid(alpha=0.3)
    axes[0, 0].set_ylabel(f"mean {LABELS['E']}")
    axes[1, 0].set_ylabel("mean Fx or Fy, through it [g/cm/sh²]")
    axes[0, 0].legend(fontsize=8)
    return figure
