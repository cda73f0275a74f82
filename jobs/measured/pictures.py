"""Pictures of an inversion: the map and its spread, and how it fits the signals."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from opalux.base.plots import DENSITY_MAP, LABELS, SHARE_MAP, SPREAD_MAP
from opalux.jobs.measured.inversion import Inverted

Array = NDArray[np.float64]

BINS = 40


def map_figure(result: Inverted, extent: tuple[float, float, float, float]) -> Figure:
    """Return density, spread and informed share; ``extent``: x and y limits [cm]."""
    maps: list[tuple[str, Array, dict[str, Any]]] = [
        (LABELS["rho"], result.density, {"cmap": DENSITY_MAP})
    ]
    if result.spread is not None and result.informed is not None:
        maps.append(("spread [g/cm³]", result.spread, {"cmap": SPREAD_MAP, "vmin": 0.0}))
        shares = {"cmap": SHARE_MAP, "vmin": 0.0, "vmax": 1.0}
        maps.append(("informed by the data", result.informed, shares))
    figure = Figure(figsize=(4.3 * len(maps), 3.8), layout="constrained")
    for axes, (label, values, options) in zip(
        figure.subplots(1, len(maps), squeeze=False)[0], maps, strict=True
    ):
        image = axes.imshow(
            values, origin="lower", extent=extent, interpolation="nearest", **options
        )
        figure.colorbar(image, ax=axes, label=label)
        axes.set_xlabel(LABELS["x"])
        axes.set_ylabel(LABELS["y"])
    return figure


def fit_figure(result: Inverted) -> Figure:
    """Return signals, residuals, and χ² against time and place."""
    rows = result.rows
    residual = (rows.value - result.predicted) / rows.sigma
    figure = Figure(figsize=(11.0, 6.5), layout="constrained")
    upper, lower = figure.subplots(2, 3)
    for axes, quantity in zip(upper, _shown(result), strict=False):
        _one_detector(axes, result, quantity)
    for axes in upper[len(_shown(result)) :]:
        axes.set_axis_off()
    span = float(np.clip(np.abs(residual).max(), 4.0, 30.0))
    edges = np.linspace(-span, span, BINS + 1)
    lower[0].hist(np.clip(residual, -span, span), bins=edges, density=True, color="C0")
    lower[0].plot(edges, np.exp(-(edges**2) / 2) / np.sqrt(2 * np.pi), "k--", label="noise alone")
    lower[0].set_xlabel("residual [standard deviations]")
    lower[0].legend()
    _chi2_against(lower[1], rows.time, residual, LABELS["t"])
    if rows.inside.all():
        lower[2].set_axis_off()
    else:
        label = "position along the edge [cm]"
        _chi2_against(lower[2], rows.position[~rows.inside], residual[~rows.inside], label)
    return figure


def _shown(result: Inverted) -> list[str]:
    return sorted({str(name) for name in result.rows.quantity})[:3]


def _one_detector(axes: Any, result: Inverted, quantity: str) -> None:
    """Draw the detector of a quantity that has the largest signal, in units of its noise."""
    rows = result.rows
    where = np.flatnonzero(rows.quantity == quantity)
    deviation = np.abs(rows.value[where] - rows.value[where].mean()) / rows.sigma[where]
    first = where[int(deviation.argmax())]
    same = (
        (rows.source == rows.source[first])
        & (rows.edge == rows.edge[first])
        & (rows.quantity == quantity)
        & (rows.position == rows.position[first])
        & (rows.x == rows.x[first])
        & (rows.y == rows.y[first])
    )
    order = np.flatnonzero(same)
    order = order[np.argsort(rows.time[order])]
    axes.errorbar(
        rows.time[order], rows.value[order], rows.sigma[order], fmt=".", ms=4, label="measured"
    )
    axes.plot(rows.time[order], result.predicted[order], "-", label="predicted")
    label = "flux outwards [g/cm/sh²]" if quantity == "Fn" else LABELS[quantity]
    axes.set_ylabel(label)
    axes.set_xlabel(LABELS["t"])
    axes.set_title(
        f"source {rows.source[first]}, {rows.place(int(first))}",
        fontsize="small",
    )
    axes.legend(fontsize="small")


def _chi2_against(axes: Any, place: Array, residual: Array, label: str) -> None:
    edges = np.linspace(place.min(), place.max() * (1 + 1e-12) + 1e-300, BINS + 1)
    number = np.clip(np.searchsorted(edges, place, side="right") - 1, 0, BINS - 1)
    count = np.bincount(number, minlength=BINS)
    total = np.bincount(number, residual**2, minlength=BINS)
    filled = count > 0
    axes.plot(((edges[1:] + edges[:-1]) / 2)[filled], total[filled] / count[filled], ".-")
    axes.axhline(1.0, color="k", ls="--")
    axes.set_xlabel(label)
    axes.set_ylabel("χ²")
    axes.set_ylim(bottom=0.0)
