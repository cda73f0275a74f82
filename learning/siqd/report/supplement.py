"""Figures S1-S12: correlations, distributions, tests of the conclusion, other clusterers."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from opalux.learning.siqd.clustering.peers import GIVEN_THE_NUMBER, METHODS, Outcome, PointSet
from opalux.learning.siqd.clustering.width import count_of
from opalux.learning.siqd.dots.columns import FEATURES
from opalux.learning.siqd.report.figures import (
    BAND_COLOURS,
    LABELS,
    SHORT,
    annotate,
    canvas,
    cluster_colours,
    draw_confusion,
)
from opalux.learning.siqd.study.bands import BANDS, bands
from opalux.learning.siqd.study.study import Study


def correlation_map(study: Study) -> Figure:
    """Draw Pearson correlations of all columns, and their skews."""
    found = study.correlations
    names = [SHORT[name] for name in found.names]
    figure = Figure(figsize=(8.6, 6.4), layout="constrained")
    axis, strip = figure.subplots(1, 2, width_ratios=(len(names), 1.3))
    image = axis.imshow(found.matrix, vmin=-1, vmax=1, cmap="RdBu_r")
    annotate(axis, found.matrix, "{:.2f}", np.abs(found.matrix) > 0.6)
    axis.set_xticks(range(len(names)), names, rotation=40, ha="right")
    axis.set_yticks(range(len(names)), names)
    axis.set_title("a  Pearson correlation")
    figure.colorbar(image, ax=axis, location="bottom", shrink=0.6, label="correlation")
    skews = found.skews[:, None]
    most = max(1.0, float(np.abs(skews).max()))
    strip.imshow(skews, vmin=-most, vmax=most, cmap="PuOr_r", aspect="auto")
    annotate(strip, skews, "{:.2f}", np.abs(skews) > 0.6 * most)
    strip.set_xticks([])
    strip.set_yticks(range(len(names)), names)
    strip.yaxis.tick_right()
    strip.set_title("b  skew")
    return figure


def distributions(study: Study, by: str) -> Figure:
    """Draw each feature and the wavelength by class; ``by`` is "bands" or "clusters"."""
    table = study.prepared.table
    if by == "bands":
        labels, names = bands(table.wavelength), list(BANDS)
        colours = list(BAND_COLOURS)
    else:
        labels = study.clustering.labels_
        names = [str(c + 1) for c in range(study.clustering.n_clusters_)]
        colours = cluster_colours(len(names))
    columns = (*FEATURES, "wavelength")
    figure, axes = canvas(12, 6, 2, 4)
    rng = np.random.default_rng(0)
    for axis, column in zip(axes.flat, columns, strict=False):
        groups = [table.columns[column][labels == c] for c in range(len(names))]
        axis.boxplot(groups, showfliers=False, widths=0.6, medianprops={"color": "black"})
        for c, group in enumerate(groups):
            shift = rng.uniform(-0.22, 0.22, len(group))
            axis.scatter(c + 1 + shift, group, s=6, color=colours[c], alpha=0.6, lw=0)
        axis.set_xticks(range(1, len(names) + 1), names, rotation=35 if by == "bands" else 0)
        axis.set(ylabel=LABELS[column], xlabel="colour band" if by == "bands" else "cluster")
    axes.flat[-1].axis("off")
    counts = np.bincount(labels, minlength=len(names))
    lines = "\n".join(f"{name}: {count}" for name, count in zip(names, counts, strict=True))
    axes.flat[-1].text(0.1, 0.9, f"dots in each class\n\n{lines}", va="top", fontsize=10)
    return figure


def cluster_colour(study: Study) -> Figure:
    """Draw the shares of the colours in each cluster and in all dots."""
    table = study.purity.table
    rows = np.vstack([table, table.sum(axis=0)])
    names = [f"cluster {c + 1}" for c in range(len(table))] + ["all dots"]
    shares = rows / rows.sum(axis=1, keepdims=True)
    figure, axes = canvas(8.5, 0.45 * len(names) + 1.6)
    axis = axes[0, 0]
    left = np.zeros(len(names))
    for band, colour in enumerate(BAND_COLOURS):
        axis.barh(names, shares[:, band], left=left, color=colour, label=BANDS[band])
        left += shares[:, band]
    for i, total in enumerate(rows.sum(axis=1)):
        axis.text(1.01, i, f"{total} dots", va="center", fontsize=8)
    axis.invert_yaxis()
    axis.set(xlim=(0, 1), xlabel="share of the dots")
    figure.suptitle(
        f"mutual information of clusters and colours {study.purity.mutual_information:.2f} "
        "(0: none, 1: the same classes)",
        fontsize=10,
    )
    figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=6)
    return figure


def robustness(study: Study) -> Figure:
    """Draw the number of clusters by p, and by the dot from which labels spread first."""
    found, chosen = study.robustness, study.clustering
    figure, axes = canvas(10, 3.8, 1, 2)
    left, right = axes[0]
    left.plot(found.p, found.n_clusters_by_p, "o-", color="#4477aa")
    width = count_of(chosen.p, len(chosen.labels_))
    left.axvline(width, color="0.6", ls="--", lw=1)
    left.set(
        xlabel="p [dots]",
        ylabel="clusters found",
        title="a  by width of the smoothing",
        ylim=(0, None),
    )
    counts = np.bincount(found.n_clusters_by_start)
    right.bar(np.arange(len(counts)), counts, color="#66ccee")
    right.bar(chosen.n_clusters_, counts[chosen.n_clusters_], color="#4477aa", label="of the study")
    right.set(
        xlabel="clusters found",
        ylabel="starts",
        title=f"b  by start, p = {chosen.p}; median agreement "
        f"{np.median(found.agreement_by_start):.2f}",
    )
    right.set_xticks(range(1, len(counts)))
    right.set_xlim(0.4, len(counts) - 0.4)
    right.legend(frameon=False, fontsize=8)
    return figure


def separability(study: Study) -> Figure:
    """Draw the accuracy of the network with moved limits, and the distances of its errors."""
    found = study.separability
    figure, axes = canvas(10, 3.8, 1, 2)
    left, right = axes[0]
    left.plot(found.shifts, found.accuracy_shifted, "o-", ms=4, color="#4477aa", label="network")
    left.axvline(0, color="0.6", lw=1, ls="--", label="colour bands")
    left.plot(
        0, found.accuracy_from_regression, "s", color="#ee6677", label="bands of the regressor"
    )
    left.set(
        xlabel="all limits moved by [nm]",
        ylabel="accuracy over folds",
        ylim=(min(0.8, found.accuracy_shifted.min() - 0.02), 1.0),
        title="a  are the limits special?",
    )
    left.legend(frameon=False, fontsize=8, loc="lower left", ncols=3)
    top = max(found.typical_distance, *found.error_distances, 1.0)
    right.hist(found.error_distances, np.linspace(0, top, 20), color="#aa3377")
    right.axvline(
        found.typical_distance, color="black", ls="--", lw=1, label="median of all the dots"
    )
    right.set(
        xlabel="distance to the nearest limit [nm]",
        ylabel="dots with a wrong band",
        title="b  distances of the errors",
    )
    right.legend(frameon=False, fontsize=8)
    return figure


def forest(study: Study) -> Figure:
    """Draw confusion matrix and feature importances of the random forest."""
    figure, axes = canvas(10, 4.4, 1, 2)
    draw_confusion(axes[0, 0], study.forest, "a  random forest: predictions of the folds")
    weights = study.forest.model.feature_importances_
    order = np.argsort(weights)
    axes[0, 1].barh([SHORT[FEATURES[i]] for i in order], weights[order], color="#228833")
    axes[0, 1].set(xlabel="importance (decrease of impurity)", title="b  features")
    return figure


def weights(study: Study, task: str) -> Figure:
    """Draw weights and biases of a network, layer by layer."""
    model = study.networks[task].model
    layers = [
        np.vstack([matrix, bias])
        for matrix, bias in zip(model.coefs_, model.intercepts_, strict=True)
    ]
    figure = Figure(figsize=(11, 3.6), layout="constrained")
    axes = figure.subplots(1, len(layers), width_ratios=[max(2, x.shape[1]) for x in layers])
    for i, (axis, layer) in enumerate(zip(np.atleast_1d(axes), layers, strict=True)):
        most = float(np.abs(layer).max())
        image = axis.imshow(layer, cmap="RdBu_r", vmin=-most, vmax=most, aspect="auto")
        below = (
            [SHORT[n] for n in FEATURES]
            if i == 0
            else [f"unit {j + 1}" for j in range(len(layer) - 1)]
        )
        axis.set_yticks(range(len(layer)), [*below, "bias"], fontsize=7)
        axis.set_xticks(range(layer.shape[1]), range(1, layer.shape[1] + 1), fontsize=7)
        last = i == len(layers) - 1
        axis.set(xlabel="output" if last else f"unit of layer {i + 1}")
        figure.colorbar(image, ax=axis, location="top", shrink=0.9)
    return figure


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
