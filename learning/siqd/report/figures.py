"""Figures 1-5: the property, the structure classes, and the three networks."""

import itertools

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from opalux.base.plots import COUNT_MAP
from opalux.learning.siqd.clustering.r_min_plot import cluster_colours, draw_r_min
from opalux.learning.siqd.report.look import canvas, class_colours, label, short
from opalux.learning.siqd.study.classify import Assessment, Curve
from opalux.learning.siqd.study.study import Study

MARKERS = "^sDovP*X"


def property_by_leader(study: Study) -> Figure:
    """Draw the property against its most important feature, and how often each value occurs."""
    figure, axes = canvas(10, 4.2, 1, 2)
    left, right = axes[0]
    kept, out, classes = study.prepared.table, study.prepared.left_out, study.prepared.classes
    subject, palette = study.prepared.subject, class_colours(study)
    leader = leading_feature(study)
    colours = np.array(palette)[study.prepared.labels]
    parts = subject.parts[0] if subject.parts else ()
    if parts:
        main = np.argmax(kept.side_by_side(parts), axis=1)
        for i, name in enumerate(parts):
            here = main == i
            left.scatter(
                kept.columns[leader][here],
                study.prepared.values[here],
                c=colours[here],
                marker=MARKERS[i % len(MARKERS)],
                s=22,
                linewidths=0.3,
                edgecolors="white",
            )
            mark = MARKERS[i % len(MARKERS)]
            left.scatter([], [], c="0.4", marker=mark, label=f"largest: {short(study, name)}")
    else:
        left.scatter(kept.columns[leader], study.prepared.values, c=colours, s=16, lw=0)
    if len(out):
        left.scatter(
            out.columns[leader],
            out.columns[subject.property],
            c="0.7",
            marker="x",
            s=22,
            label="left out",
        )
    left.set(xlabel=label(study, leader), ylabel=label(study, subject.property))
    left.set_title(f"a  every one of the {subject.rows}")
    if parts or len(out):
        left.legend(frameon=False, fontsize=8)
    edges = np.linspace(study.prepared.values.min(), study.prepared.values.max(), 36)
    for i, (low, high) in enumerate(itertools.pairwise(classes.limits)):
        inside = study.prepared.values[study.prepared.labels == i]
        right.axvspan(low, high, color=palette[i], alpha=0.12, lw=0)
        right.hist(inside, edges, color=palette[i], label=f"{classes.names[i]} ({len(inside)})")
    step = edges[1] - edges[0]
    right.set(
        xlim=(edges[0] - step, edges[-1] + step),
        xlabel=label(study, subject.property),
        ylabel=f"{subject.rows} in {step:.3g} {subject.unit}",
        title=f"b  classes of {subject.property}",
    )
    right.legend(frameon=False, fontsize=8, loc="upper left")
    return figure


def leading_feature(study: Study) -> str:
    """Return the feature of the largest importance for the property; of parts, the first."""
    return study.repeated["property"].leading[0].split(", ")[0]


def clusters(study: Study) -> Figure:
    """Draw R_min in order of labelling with its cuts, and the clusters in two projections."""
    model, features = study.clustering, study.prepared.features
    colours = np.array(cluster_colours(model.n_clusters_))
    figure = Figure(figsize=(10, 7.2), layout="constrained")
    grid = figure.add_gridspec(2, 2, height_ratios=(1.0, 1.1))
    curve = draw_r_min(model, figure.add_subplot(grid[0, :]))
    curve.set(
        ylabel="$R_{min}$ [scaled units]",
        title="a  Iterative Label Spreading; colour: final cluster",
    )
    pca = PCA(2).fit(features)
    shares = pca.explained_variance_ratio_
    places = pca.transform(features)
    left = figure.add_subplot(grid[1, 0])
    right = figure.add_subplot(grid[1, 1])
    for cluster, colour in enumerate(colours):
        here = model.labels_ == cluster
        name = f"cluster {cluster + 1} ({here.sum()})"
        left.scatter(places[here, 0], places[here, 1], s=18, color=colour, label=name)
    left.set(
        xlabel=f"first principal component ({shares[0]:.0%} of variance)",
        ylabel=f"second ({shares[1]:.0%})",
        title="b  clusters in the space of features",
    )
    left.legend(frameon=False, fontsize=8)
    profile = np.array([features[model.labels_ == c].mean(axis=0) for c in range(len(colours))])
    image = right.imshow(profile, vmin=0, vmax=1, cmap=COUNT_MAP, aspect="auto")
    annotate(right, profile, "{:.2f}", profile > 0.55)
    names = [short(study, name) for name in study.prepared.subject.features]
    right.set_xticks(range(len(names)), names, rotation=35, ha="right")
    right.set_yticks(range(len(colours)), [f"cluster {c + 1}" for c in range(len(colours))])
    right.set_title("c  mean scaled features")
    figure.colorbar(image, ax=right, label="scaled feature, 0 to 1")
    return figure


def classified(assessment: Assessment, curve: Curve, title: str) -> Figure:
    """Draw confusion matrix over the folds and learning curve of a classifier."""
    figure, axes = canvas(10, 4.4, 1, 2)
    draw_confusion(axes[0, 0], assessment, f"a  {title}: predictions of the folds")
    _draw_curve(axes[0, 1], curve, "accuracy", "b  learning curve")
    return figure


def regression(study: Study) -> Figure:
    """Draw predicted against true property, errors, and learning curve of the regressor."""
    assessment, name = study.networks["property"], label(study, study.prepared.subject.property)
    figure, axes = canvas(13, 4.2, 1, 3)
    truth, guess = assessment.task.target, assessment.fold_predictions
    colours = np.array(class_colours(study))[study.prepared.labels]
    parity, error = axes[0, :2]
    margin = 0.02 * float(np.ptp(truth))
    ends = [truth.min() - margin, truth.max() + margin]
    parity.plot(ends, ends, color="0.6", lw=1)
    parity.scatter(truth, guess, c=colours, s=14)
    parity.set(
        xlabel=f"{name}, table",
        ylabel=f"{name}, network",
        title=f"a  predictions of the folds, R² = {assessment.fold_scores.mean():.3f}",
        xlim=ends,
        ylim=ends,
    )
    error.axhline(0, color="0.6", lw=1)
    error.scatter(truth, guess - truth, c=colours, s=14)
    rms = float(np.sqrt(np.mean((guess - truth) ** 2)))
    unit = study.prepared.subject.unit
    error.set(
        xlabel=f"{name}, table",
        ylabel=f"error [{unit}]" if unit else "error",
        title=f"b  errors, rms {rms:.3g} {unit}",
    )
    _draw_curve(axes[0, 2], study.curves["property"], "R²", "c  learning curve")
    return figure


def draw_confusion(axis: Axes, assessment: Assessment, title: str) -> None:
    """Draw counts of true (rows) and predicted classes; colour: share of the row."""
    counts = assessment.confusion
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axis.imshow(shares, vmin=0, vmax=1, cmap=COUNT_MAP)
    annotate(axis, counts, "{:d}", shares > 0.55)
    names = assessment.task.classes
    axis.set_xticks(range(len(names)), names, rotation=35, ha="right")
    axis.set_yticks(range(len(names)), names)
    axis.set(xlabel="predicted class", ylabel="true class", title=title)


def annotate(axis: Axes, values: NDArray, form: str, light: NDArray[np.bool_]) -> None:
    """Write each value into its cell, in white where ``light`` is true."""
    for (i, j), value in np.ndenumerate(values):
        colour = "white" if light[i, j] else "black"
        axis.text(j, i, form.format(value), ha="center", va="center", fontsize=8, color=colour)


def _draw_curve(axis: Axes, curve: Curve, score: str, title: str) -> None:
    for values, name, colour in (
        (curve.train, "training", "#4477aa"),
        (curve.validation, "validation", "#ee6677"),
    ):
        mean, deviation = values.mean(axis=1), values.std(axis=1)
        axis.plot(curve.sizes, mean, "o-", color=colour, label=name, ms=4)
        axis.fill_between(
            curve.sizes, mean - deviation, mean + deviation, color=colour, alpha=0.2, lw=0
        )
    axis.set(
        xlabel="rows trained on",
        ylabel=f"{score}, mean and deviation of 5 folds",
        title=title,
        ylim=(max(0.0, 2.0 * float(np.min(curve.validation.mean(axis=1))) - 1.05), 1.01),
    )
    axis.legend(frameon=False, fontsize=8, loc="lower right")
