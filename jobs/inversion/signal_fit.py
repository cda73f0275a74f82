"""The picture of what a reconstruction explains: its signals beside those of its density."""

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from opalux.base.plots import CHANGE_MAP, LABELS
from opalux.jobs.inversion.metrics import data_misfit
from opalux.jobs.inversion.misfit import Fit

Array = NDArray[np.float32]
FAR = {"up": "down", "down": "up", "left": "right", "right": "left"}
MOST = 4
"""Sources that are shown at most."""


def signal_fit(fit: Fit) -> Figure:
    """Return a figure with a row for each source, at the edge on its far side.

    The signals are changes from their first values, all three panels on one scale; beside them
    stands the misfit ‖F(ρ̂)−d‖/‖d‖ at each edge.
    """
    sources = [row for row in range(len(fit.given)) if np.isfinite(fit.given[row]).any()][:MOST]
    figure = Figure(figsize=(13.0, 2.7 * len(sources) + 0.3), layout="constrained")
    rows = figure.subplots(len(sources), 4, squeeze=False)
    quantity = fit.layout.quantities[0]
    for axes, source in zip(rows, sources, strict=True):
        edge = _shown_edge(fit, source)
        given, again = fit.given[source, edge, 0], fit.again[source, edge, 0]
        begin = np.where(np.isfinite(given), given, np.nan)[:1]
        panels = {"given": given - begin, "of the map": again - begin, "difference": again - given}
        known = [np.abs(values[np.isfinite(values)]) for values in panels.values()]
        most = max((float(values.max()) for values in known if values.size), default=0.0) or 1.0
        for axis, (title, values) in zip(axes, panels.items(), strict=False):
            image = axis.imshow(
                values.T,
                origin="lower",
                aspect="auto",
                cmap=CHANGE_MAP,
                vmin=-most,
                vmax=most,
                extent=(fit.times[0], fit.times[-1], 0, values.shape[1]),
            )
            axis.set_title(title, fontsize="medium")
            axis.set_xlabel(LABELS["t"])
        axes[0].set_ylabel(
            f"source {fit.layout.sources[source]}\n{fit.layout.edges[edge]} edge [cell]"
        )
        figure.colorbar(image, ax=list(axes[:3]), label=f"Δ{LABELS[quantity]}")
        shares = [_misfit(fit, source, number) for number in range(len(fit.layout.edges))]
        axes[3].bar(fit.layout.edges, [100 * share for share in shares], color="C0")
        axes[3].set_ylabel("misfit [%]")
        axes[3].set_title("all quantities", fontsize="medium")
    return figure


def _shown_edge(fit: Fit, source: int) -> int:
    """Return the edge on the far side of a source, where its signals are known; else another."""
    edges = fit.layout.edges
    known = [bool(np.isfinite(values).any()) for values in fit.given[source, :, 0]]
    far = FAR.get(fit.layout.sources[source])
    if far in edges and known[edges.index(far)]:
        return edges.index(far)
    return known.index(True) if any(known) else 0


def _misfit(fit: Fit, source: int, edge: int) -> float:
    given, again = fit.given[source, edge], fit.again[source, edge]
    known = np.isfinite(given)
    return data_misfit(again[known], given[known]) if known.any() else float("nan")
