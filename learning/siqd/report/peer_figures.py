"""Figures S12 and S13: clusterers on the usual sets of points."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from opalux.learning.siqd.clustering.peers import GIVEN_THE_NUMBER, METHODS, Outcome, PointSet
from opalux.learning.siqd.clustering.r_min_plot import cluster_colours
from opalux.learning.siqd.report.look import canvas


def peers(sets: Sequence[PointSet], outcomes: Sequence[Outcome]) -> Figure:
    """Draw the labels of every method on every set, with adjusted Rand index and time."""
    found = {(o.method, o.point_set): o for o in outcomes}
    figure, axes = canvas(1.75 * len(METHODS), 1.75 * len(sets), len(sets), len(METHODS))
    palette = np.array([*cluster_colours(8)[:6], "#999933", "#882255"])
    for i, point_set in enumerate(sets):
        for j, method in enumerate(METHODS):
            axis, outcome = axes[i, j], found[method, point_set.name]
            colours = palette[outcome.labels % len(palette)]
            colours[outcome.labels < 0] = "#d0d0d0"
            axis.scatter(*point_set.points.T, s=3, c=colours, lw=0)
            axis.set_xticks([])
            axis.set_yticks([])
            axis.set_xlabel(
                f"{round(outcome.adjusted_rand, 2) + 0.0:.2f} | {1e3 * outcome.seconds:.0f} ms",
                fontsize=8,
            )
            if i == 0:
                star = "*" if method in GIVEN_THE_NUMBER else ""
                axis.set_title(method + star, fontsize=10)
            if j == 0:
                axis.set_ylabel(point_set.name, fontsize=10)
    figure.suptitle(
        "adjusted Rand index | time;  grey: noise;  * given the number of clusters", fontsize=10
    )
    return figure


def peers_by_p(agreement: dict[str, NDArray[np.float64]], shares: Sequence[float]) -> Figure:
    """Draw the adjusted Rand index of Iterative Label Spreading by p."""
    figure, axes = canvas(6.5, 4)
    axis = axes[0, 0]
    for (name, values), colour in zip(agreement.items(), cluster_colours(8), strict=False):
        axis.plot(shares, values, "o-", ms=4, color=colour, label=name)
    axis.set(xlabel="p [share of the points]", ylabel="adjusted Rand index", ylim=(-0.05, 1.05))
    axis.legend(frameon=False, fontsize=8, ncols=2)
    return figure
