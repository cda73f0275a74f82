"""Pictures of reconstructions: common scales, labelled axes, units and colour bars."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from opalux.base.plots import CHANGE_MAP, COUNT_MAP, DENSITY_MAP, SPREAD_MAP
from opalux.jobs.inversion.comparison import Compared
from opalux.jobs.inversion.metrics import error_by_depth, rel_l2_each

Array = NDArray[np.floating]
Extent = tuple[float, float, float, float]


def maps(
    titles: Sequence[str], truth: Array, predicted: Array, extent: Extent = (0.0, 1.0, 0.0, 1.0)
) -> Figure:
    """Return truth, reconstruction and error of several maps, one a row.

    Parameters
    ----------
    titles : one per row
    truth, predicted : (n, ny, nx) [g/cm³], row 0 = bottom
    extent : x and y limits of the domain [cm]
    """
    rows = len(truth)
    figure = Figure(figsize=(9.0, 1.5 + 2.75 * rows), layout="constrained")
    axes = figure.subplots(rows, 3, squeeze=False, sharex=True, sharey=True)
    low, high = float(truth.min()), float(truth.max())
    error = predicted - truth
    largest = float(np.abs(error).max()) or 1.0
    shared: dict[str, Any] = {"origin": "lower", "extent": extent, "interpolation": "nearest"}
    for row, title in enumerate(titles):
        for column, field in enumerate((truth[row], predicted[row])):
            density = axes[row, column].imshow(
                field, vmin=low, vmax=high, cmap=DENSITY_MAP, **shared
            )
        difference = axes[row, 2].imshow(
            error[row], vmin=-largest, vmax=largest, cmap=CHANGE_MAP, **shared
        )
        axes[row, 0].set_ylabel(f"{title}\n\ny [cm]")
    for column, name in enumerate(("truth", "reconstruction", "reconstruction − truth")):
        axes[0, column].set_title(name)
        axes[-1, column].set_xlabel("x [cm]")
        axes[-1, column].set_xticks([extent[0], 0.5 * (extent[0] + extent[1]), extent[1]])
    below: dict[str, Any] = {"location": "bottom", "shrink": 0.8, "pad": 0.02}
    figure.colorbar(density, ax=axes[:, :2], label="density [g/cm³]", **below)
    figure.colorbar(difference, ax=axes[:, 2], label="error [g/cm³]", **below)
    return figure


def error_against_depth(curves: Mapping[str, Array], cell: float) -> Figure:
    """Return the error against the distance from the nearest edge.

    Parameters
    ----------
    curves : root mean square error (depths,) [g/cm³] of each set of maps
    cell : side of a cell [cm]
    """
    figure = Figure(figsize=(5.6, 3.6), layout="constrained")
    axes = figure.subplots()
    for name, curve in curves.items():
        axes.plot((np.arange(len(curve)) + 0.5) * cell, curve, marker="o", ms=3, label=name)
    # From hundredths at the edge to several g/cm³ on maps of a kind that was never seen.
    axes.set_yscale("log")
    axes.set(xlabel="distance from the nearest edge [cm]", ylabel="RMS error [g/cm³]")
    axes.grid(alpha=0.3, which="both")
    axes.legend(fontsize="small")
    return figure


def coverage_against_depth(shares: Mapping[str, Mapping[str, Sequence[float]]]) -> Figure:
    """Return the shares of cells within one and two spreads against the distance from the edge.

    Parameters
    ----------
    shares : ``within_1`` and ``within_2`` (depths,) by name of the set
    """
    figure = Figure(figsize=(5.6, 3.6), layout="constrained")
    axes = figure.subplots()
    for number, (name, share) in enumerate(shares.items()):
        for key, style in (("within_1", "-"), ("within_2", "--")):
            cells = np.arange(len(share[key])) + 0.5
            axes.plot(cells, share[key], style, color=f"C{number}", marker="o", ms=3,
                      label=name if key == "within_1" else None)  # fmt: skip
    for gaussian in (0.683, 0.954):
        axes.axhline(gaussian, color="0.6", lw=0.8, zorder=0)
    axes.set(xlabel="distance from the nearest edge [cells]", ylim=(0, 1),
             ylabel="cells within 1 (—) and 2 (- -) spreads")  # fmt: skip
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    return figure


def found_against_true(truth: Array, predicted: Array) -> Figure:
    """Return the two-dimensional histogram of all cells' true and reconstructed densities."""
    figure = Figure(figsize=(4.8, 3.9), layout="constrained")
    axes = figure.subplots()
    low = float(min(truth.min(), predicted.min()))
    high = float(max(truth.max(), predicted.max()))
    edges = np.linspace(low, high, 81)
    counts, _, _ = np.histogram2d(truth.ravel(), predicted.ravel(), bins=(edges, edges))
    image = axes.pcolormesh(edges, edges, np.log10(np.maximum(counts.T, 0.5)), cmap=COUNT_MAP)
    axes.plot([low, high], [low, high], color="w", lw=0.8, ls="--")
    axes.set(xlabel="true density [g/cm³]", ylabel="reconstructed density [g/cm³]", aspect="equal")
    figure.colorbar(image, ax=axes, label="log₁₀ number of cells")
    return figure


def training_curves(lines: Sequence[Mapping[str, Any]], scores: Mapping[str, str]) -> Figure:
    """Return loss and scores against the epoch.

    Parameters
    ----------
    lines : of metrics.jsonl
    scores : keys of the scores in the lines, and how they are called
    """
    figure = Figure(figsize=(9.6, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    trained = [line for line in lines if line["kind"] == "train"]
    judged = [line for line in lines if line["kind"] == "validation"]
    left.semilogy([x["epoch"] for x in trained], [x["loss"] for x in trained], label="training")
    left.semilogy([x["epoch"] for x in judged], [x["loss"] for x in judged], label="validation")
    left.set(xlabel="epoch", ylabel="loss [network units]")
    for key, name in scores.items():
        right.plot([x["epoch"] for x in judged], [x[key] for x in judged], label=name)
    lowest = min((x[key] for x in judged for key in scores), default=0.0)
    right.set(xlabel="epoch", ylabel="on the validation split", ylim=(max(-0.1, lowest), 1.0))
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.legend()
    return figure


def scores_by_steps(
    logs: Mapping[str, Sequence[Mapping[str, Any]]], score: tuple[str, str]
) -> Figure:
    """Return a score on the validation split against the steps of several trainings.

    Parameters
    ----------
    logs : lines of metrics.jsonl by name of the run
    score : key of the score in the lines, and how it is called
    """
    figure = Figure(figsize=(5.6, 3.6), layout="constrained")
    axes = figure.subplots()
    key, name = score
    for run, lines in logs.items():
        judged = [line for line in lines if line["kind"] == "validation"]
        steps = [line["step"] for line in judged]
        axes.semilogx(steps, [line[key] for line in judged], marker="o", ms=3, label=run)
    axes.set(xlabel="steps", ylabel=f"{name} on the validation split")
    axes.grid(alpha=0.3, which="both")
    axes.legend(fontsize="x-small")
    return figure


def scores_by_maps(points: Sequence[Mapping[str, Any]], scores: Mapping[str, str]) -> Figure:
    """Return scores on held-out maps against the number of training maps.

    Parameters
    ----------
    points : with ``training_maps`` and the scores, in ascending order
    scores : keys of the scores, and how they are called
    """
    figure = Figure(figsize=(5.6, 3.6), layout="constrained")
    axes = figure.subplots()
    maps = [point["training_maps"] for point in points]
    for key, name in scores.items():
        axes.semilogx(maps, [point[key] for point in points], marker="o", label=name)
    axes.set(xlabel="training maps", ylabel="score on held-out maps")
    axes.grid(alpha=0.3, which="both")
    axes.legend(fontsize="small")
    return figure


def learning_curve(points: Sequence[Mapping[str, Any]]) -> Figure:
    """Return the quality on held-out maps against the number of training maps.

    Parameters
    ----------
    points : with ``training_maps``, ``r2_pooled`` and ``mae`` [g/cm³], in ascending order
    """
    figure = Figure(figsize=(9.6, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    maps = [point["training_maps"] for point in points]
    # The share that is not explained shows in what powers of the number it falls.
    left.loglog(maps, [1 - point["r2_pooled"] for point in points], marker="o")
    left.set(xlabel="training maps", ylabel="1 − pooled R² on held-out maps")
    right.loglog(maps, [point["mae"] for point in points], marker="o")
    right.set(xlabel="training maps", ylabel="mean absolute error [g/cm³]")
    for axes in (left, right):
        axes.grid(alpha=0.3, which="both")
    return figure


def reconstruction(
    density: Array,
    uncertainty: Array | None,
    extent: Extent = (0.0, 1.0, 0.0, 1.0),
    warning: str = "",
) -> Figure:
    """Return a reconstructed density and, where it is known, its uncertainty.

    Parameters
    ----------
    density, uncertainty : (ny, nx) [g/cm³]
    extent : x and y limits of the domain [cm]
    warning : is shown above
    """
    panels = [("density [g/cm³]", density, DENSITY_MAP)]
    if uncertainty is not None:
        panels.append(("spread [g/cm³]", uncertainty, SPREAD_MAP))
    figure = Figure(figsize=(4.8 * len(panels), 4.0), layout="constrained")
    row = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, (label, field, colours) in zip(row, panels, strict=True):
        image = axes.imshow(
            field, origin="lower", extent=extent, interpolation="nearest", cmap=colours
        )
        axes.set(xlabel="x [cm]", ylabel="y [cm]")
        figure.colorbar(image, ax=axes, label=label)
    if warning:
        figure.suptitle(textwrap.fill(warning, 60 * len(panels)), color="firebrick", fontsize=9)
    return figure


def ways(compared: Compared) -> Figure:
    """Return truth and the maps of several ways, and their errors by depth.

    Three maps are shown: those on which the first way, the network, is best, median and worst.
    """
    first = next(iter(compared.ways.values()))
    order = np.argsort(rel_l2_each(compared.truth, first.maps))
    rows = sorted(
        {int(order[0]), int(order[len(order) // 2]), int(order[-1])}, key=order.tolist().index
    )
    columns = {"truth": compared.truth} | {name: way.maps for name, way in compared.ways.items()}
    figure = Figure(figsize=(2.4 * len(columns) + 4.2, 2.3 * len(rows) + 0.6), layout="constrained")
    left, right = figure.subfigures(1, 2, squeeze=False, width_ratios=(2.4 * len(columns), 4.2))[0]
    axes = left.subplots(len(rows), len(columns), squeeze=False, sharex=True, sharey=True)
    for line, row in zip(axes, rows, strict=True):
        low, high = float(compared.truth[row].min()), float(compared.truth[row].max())
        for place, (name, fields) in zip(line, columns.items(), strict=True):
            image = place.imshow(fields[row], origin="lower", vmin=low, vmax=high, cmap=DENSITY_MAP)
            place.set(xticks=[], yticks=[])
            if name != "truth":
                error = rel_l2_each(compared.truth[row], fields[row])
                chi2 = compared.ways[name].chi2[row]
                place.set_xlabel(f"rel. L2 {error:.3f}, χ² {chi2:.2g}", fontsize="x-small")
        line[0].set_ylabel(compared.families[row], fontsize="small")
        left.colorbar(image, ax=line, label="[g/cm³]")
    for place, name in zip(axes[0], columns, strict=True):
        place.set_title(name, fontsize="small")
    depth = right.subplots()
    for name, way in compared.ways.items():
        curve = error_by_depth(compared.truth, way.maps)
        depth.plot(np.arange(len(curve)) + 0.5, curve, marker="o", ms=3, label=name)
    depth.set_yscale("log")
    depth.set(xlabel="distance from the nearest edge [cells]", ylabel="RMS error [g/cm³]")
    depth.grid(alpha=0.3, which="both")
    depth.legend(fontsize="small")
    return figure
