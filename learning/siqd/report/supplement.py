"""Figures S1-S11: correlations, distributions, spreads, tests of the conclusions, weights."""

import numpy as np
from matplotlib.figure import Figure

from opalux.base.plots import CHANGE_MAP
from opalux.learning.siqd.clustering.r_min_plot import cluster_colours
from opalux.learning.siqd.clustering.width import count_of
from opalux.learning.siqd.report.figures import annotate
from opalux.learning.siqd.report.look import canvas, class_colours, label, short
from opalux.learning.siqd.study.interval import Interval
from opalux.learning.siqd.study.networks import layers_of
from opalux.learning.siqd.study.study import Study


def correlation_map(study: Study) -> Figure:
    """Draw Pearson correlations of all columns, and their skews."""
    found = study.correlations
    names = [short(study, name) for name in found.names]
    figure = Figure(figsize=(8.6, 6.4), layout="constrained")
    axis, strip = figure.subplots(1, 2, width_ratios=(len(names), 1.3))
    image = axis.imshow(found.matrix, vmin=-1, vmax=1, cmap=CHANGE_MAP)
    annotate(axis, found.matrix, "{:.2f}", np.abs(found.matrix) > 0.6)
    axis.set_xticks(range(len(names)), names, rotation=40, ha="right")
    axis.set_yticks(range(len(names)), names)
    axis.set_title("a  Pearson correlation")
    figure.colorbar(image, ax=axis, location="bottom", shrink=0.6, label="correlation")
    skews = found.skews[:, None]
    most = max(1.0, float(np.abs(skews).max()))
    strip.imshow(skews, vmin=-most, vmax=most, cmap=CHANGE_MAP, aspect="auto")
    annotate(strip, skews, "{:.2f}", np.abs(skews) > 0.6 * most)
    strip.set_xticks([])
    strip.set_yticks(range(len(names)), names)
    strip.yaxis.tick_right()
    strip.set_title("b  skew")
    return figure


def distributions(study: Study, by: str) -> Figure:
    """Draw each feature and the property by class; ``by`` is "classes" or "clusters"."""
    table, subject = study.prepared.table, study.prepared.subject
    if by == "classes":
        labels, names = study.prepared.labels, list(study.prepared.classes.names)
        colours = class_colours(study)
    else:
        labels = study.clustering.labels_
        names = [str(c + 1) for c in range(study.clustering.n_clusters_)]
        colours = cluster_colours(len(names))
    columns = (*subject.features, subject.property)
    rows = -(-(len(columns) + 1) // 4)
    figure, axes = canvas(12, 3 * rows, rows, 4)
    rng = np.random.default_rng(0)
    for axis, column in zip(axes.flat, columns, strict=False):
        groups = [table.columns[column][labels == c] for c in range(len(names))]
        axis.boxplot(groups, showfliers=False, widths=0.6, medianprops={"color": "black"})
        for c, group in enumerate(groups):
            shift = rng.uniform(-0.22, 0.22, len(group))
            axis.scatter(c + 1 + shift, group, s=6, color=colours[c], alpha=0.6, lw=0)
        axis.set_xticks(range(1, len(names) + 1), names, rotation=35 if by == "classes" else 0)
        axis.set(ylabel=label(study, column), xlabel="class" if by == "classes" else "cluster")
    for axis in axes.flat[len(columns) :]:
        axis.axis("off")
    counts = np.bincount(labels, minlength=len(names))
    lines = "\n".join(f"{name}: {count}" for name, count in zip(names, counts, strict=True))
    title = f"{subject.rows} in each class\n\n{lines}"
    axes.flat[-1].text(0.1, 0.9, title, va="top", fontsize=10)
    return figure


def cluster_classes(study: Study) -> Figure:
    """Draw the shares of the property's classes in each structure class and in all rows."""
    table, subject = study.purity.table, study.prepared.subject
    rows = np.vstack([table, table.sum(axis=0)])
    names = [f"cluster {c + 1}" for c in range(len(table))] + [f"all {subject.rows}"]
    shares = rows / rows.sum(axis=1, keepdims=True)
    figure, axes = canvas(8.5, 0.45 * len(names) + 1.6)
    axis = axes[0, 0]
    left = np.zeros(len(names))
    classes = study.prepared.classes.names
    for i, colour in enumerate(class_colours(study)):
        axis.barh(names, shares[:, i], left=left, color=colour, label=classes[i])
        left += shares[:, i]
    for i, total in enumerate(rows.sum(axis=1)):
        axis.text(1.01, i, f"{total}", va="center", fontsize=8)
    axis.invert_yaxis()
    axis.set(xlim=(0, 1), xlabel=f"share of the {subject.rows}")
    figure.suptitle(
        f"mutual information of clusters and classes {study.purity.mutual_information} "
        "(0: none, 1: the same classes)",
        fontsize=10,
    )
    figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=6)
    return figure


def robustness(study: Study) -> Figure:
    """Draw the number of clusters by p, and by the row from which labels spread first."""
    starts, chosen = study.starts, study.clustering
    figure, axes = canvas(10, 3.8, 1, 2)
    left, right = axes[0]
    left.plot(study.p, study.n_clusters_by_p, "o-", color="#4477aa")
    width = count_of(chosen.p, len(chosen.labels_))
    left.axvline(width, color="0.6", ls="--", lw=1)
    left.set(
        xlabel=f"p [{study.prepared.subject.rows}]",
        ylabel="clusters found",
        title="a  by p",
        ylim=(0, None),
    )
    most = max(int(starts.n_clusters.max()), chosen.n_clusters_)
    counts = np.bincount(starts.n_clusters, minlength=most + 1)
    right.bar(np.arange(len(counts)), counts, color="#66ccee")
    right.bar(chosen.n_clusters_, counts[chosen.n_clusters_], color="#4477aa", label="of the study")
    right.set(
        xlabel="clusters found",
        ylabel="starts",
        title=f"b  by start, p = {chosen.p}; agreement {Interval.of(starts.agreement)}",
    )
    right.set_xticks(range(1, len(counts)))
    right.set_xlim(0.4, len(counts) - 0.4)
    right.legend(frameon=False, fontsize=8)
    return figure


def spreads(study: Study) -> Figure:
    """Draw the test scores over splits and seeds, with the property shuffled, and importances."""
    roles = list(study.tasks)
    figure, axes = canvas(4.3 * len(roles), 7.0, 2, len(roles))
    for column, role in enumerate(roles):
        repeated, task = study.repeated[role], study.tasks[role]
        score, importance = axes[:, column]
        # R² of shuffled data may be far below 0.
        low = max(-1.0, min(float(repeated.test.min()), float(repeated.null.min())))
        bins = np.linspace(low, 1.0, 41)
        score.hist(repeated.null.clip(low), bins, color="0.7", label="shuffled")
        score.hist(repeated.train, bins, histtype="step", color="#4477aa", label="training")
        score.hist(repeated.test.clip(low), bins, color="#ee6677", alpha=0.8, label="test")
        score.set(xlabel="R²" if role == "property" else "accuracy", ylabel="splits")
        score.set_title(task.name)
        score.legend(frameon=False, fontsize=8, loc="upper left")
        order = np.argsort(repeated.importance.mean(axis=0))
        names = [
            ", ".join(short(study, name) for name in repeated.groups[i].split(", ")) for i in order
        ]
        importance.boxplot(
            repeated.importance[:, order], orientation="horizontal", showfliers=False, whis=(5, 95)
        )
        importance.set_yticks(range(1, len(names) + 1), [name[:40] for name in names], fontsize=7)
        importance.axvline(0, color="0.6", lw=1)
        importance.set(xlabel="loss of the test score when permuted")
    return figure


def moved_limits(study: Study) -> Figure:
    """Draw the accuracy of the network with moved limits, and the distances of its errors."""
    found, unit = study.limits, study.prepared.subject.unit
    figure, axes = canvas(10, 3.8, 1, 2)
    left, right = axes[0]
    left.plot(found.shifts, found.accuracy_shifted, "o-", ms=4, color="#4477aa", label="network")
    left.axvline(0, color="0.6", lw=1, ls="--", label="the limits")
    left.plot(
        0, found.accuracy_from_regression, "s", color="#ee6677", label="classes of the regressor"
    )
    left.set(
        xlabel=f"all limits moved by [{unit}]" if unit else "all limits moved by",
        ylabel="accuracy over folds",
        title="a  are the limits special?",
    )
    left.legend(frameon=False, fontsize=8, loc="lower left", ncols=3)
    top = max(found.typical_distance, *found.error_distances, 1e-12)
    right.hist(found.error_distances, np.linspace(0, top, 20), color="#aa3377")
    right.axvline(found.typical_distance, color="black", ls="--", lw=1, label="median of all")
    right.set(
        xlabel=f"distance to the nearest limit [{unit}]" if unit else "distance to a limit",
        ylabel=f"{study.prepared.subject.rows} with a wrong class",
        title="b  distances of the errors",
    )
    right.legend(frameon=False, fontsize=8)
    return figure


def weights(study: Study, role: str) -> Figure:
    """Draw weights and biases of a network, layer by layer."""
    layers = [np.vstack([matrix, bias]) for matrix, bias in layers_of(study.networks[role].model)]
    figure = Figure(figsize=(11, 3.6), layout="constrained")
    axes = figure.subplots(1, len(layers), width_ratios=[max(2, x.shape[1]) for x in layers])
    for i, (axis, layer) in enumerate(zip(np.atleast_1d(axes), layers, strict=True)):
        most = float(np.abs(layer).max())
        image = axis.imshow(layer, cmap=CHANGE_MAP, vmin=-most, vmax=most, aspect="auto")
        below = (
            [short(study, name) for name in study.prepared.subject.features]
            if i == 0
            else [f"unit {j + 1}" for j in range(len(layer) - 1)]
        )
        axis.set_yticks(range(len(layer)), [*below, "bias"], fontsize=7)
        axis.set_xticks(range(layer.shape[1]), range(1, layer.shape[1] + 1), fontsize=7)
        last = i == len(layers) - 1
        axis.set(xlabel="output" if last else f"unit of layer {i + 1}")
        figure.colorbar(image, ax=axis, location="top", shrink=0.9)
    return figure
