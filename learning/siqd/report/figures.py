"""Figures 1-5: the dots, their clusters, and the three networks."""

import itertools

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from opalux.learning.siqd.dots.columns import FEATURES, FRACTIONS
from opalux.learning.siqd.study.bands import BAND_LIMITS, BANDS, bands
from opalux.learning.siqd.study.classify import Assessment, Curve
from opalux.learning.siqd.study.study import Study

BAND_COLOURS = ("#7b3fa0", "#2f6fd0", "#3a9d4e", "#d9b800", "#e8821e", "#c8322b")
_TAB = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#bbbbbb", "#000000")
LABELS = {
    "diameter": "diameter D [nm]",
    "hsi_ratio": "H/Si ratio",
    "f111": "share of {111}",
    "f110": "share of {110}",
    "f100": "share of {100}",
    "f113": "share of {113}",
    "n_coord": "coordination",
    "silicon": "Si amount",
    "hydrogen": "H amount",
    "wavelength": "wavelength λ [nm]",
}
SHORT = {name: label.split(" [")[0] for name, label in LABELS.items()}


def cluster_colours(count: int) -> list[str]:
    """Return a colour for each cluster."""
    return [to_hex(_TAB[i % len(_TAB)]) for i in range(count)]


def canvas(width: float, height: float, rows: int = 1, columns: int = 1) -> tuple[Figure, NDArray]:
    """Return a figure of the given size [inch] and its axes (rows, columns)."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False)


def dots(study: Study) -> Figure:
    """Draw wavelength against diameter, and the number of dots by wavelength."""
    figure, axes = canvas(10, 4.2, 1, 2)
    left, right = axes[0]
    kept, out = study.prepared.table, study.prepared.left_out
    markers = dict(zip(FRACTIONS, "^sDo", strict=True))
    main = np.argmax(np.column_stack([kept.columns[name] for name in FRACTIONS]), axis=1)
    colours = np.array(BAND_COLOURS)[bands(kept.wavelength)]
    for i, (name, marker) in enumerate(markers.items()):
        here = main == i
        left.scatter(
            kept.columns["diameter"][here],
            kept.wavelength[here],
            c=colours[here],
            marker=marker,
            s=22,
            linewidths=0.3,
            edgecolors="white",
        )
        left.scatter([], [], c="0.4", marker=marker, label=f"most area {{{name[1:]}}}")
    left.scatter(
        out.columns["diameter"], out.wavelength, c="0.7", marker="x", s=22, label="left out"
    )
    left.set(xlabel=LABELS["diameter"], ylabel=LABELS["wavelength"], title="a  every dot")
    left.legend(frameon=False, fontsize=8)
    step = 10.0
    edges = np.arange(BAND_LIMITS[0], BAND_LIMITS[-1] + step, step)
    for band, (low, high) in enumerate(itertools.pairwise(BAND_LIMITS)):
        inside = kept.wavelength[bands(kept.wavelength) == band]
        right.axvspan(low, high, color=BAND_COLOURS[band], alpha=0.12, lw=0)
        right.hist(inside, edges, color=BAND_COLOURS[band], label=f"{BANDS[band]} ({len(inside)})")
    right.set(
        xlim=(BAND_LIMITS[0], max(kept.wavelength.max() + 2 * step, 680.0)),
        xlabel=LABELS["wavelength"],
        ylabel=f"dots in {step:g} nm",
        title="b  colour bands",
    )
    right.legend(frameon=False, fontsize=8, loc="upper left")
    return figure


def clusters(study: Study) -> Figure:
    """Draw R_min in order of labelling with its cuts, and the clusters in two projections."""
    model, features = study.clustering, study.prepared.features
    colours = np.array(cluster_colours(model.n_clusters_))
    figure = Figure(figsize=(10, 7.2), layout="constrained")
    grid = figure.add_gridspec(2, 2, height_ratios=(1.0, 1.1))
    curve = figure.add_subplot(grid[0, :])
    steps = np.arange(1, len(model.r_min_) + 1)
    curve.bar(steps, model.r_min_, width=1.0, color=colours[model.labels_[model.order_[1:]]])
    curve.plot(steps, model.smoothed_, color="black", lw=1.6, label=f"smoothed, p = {model.p}")
    for i, peak in enumerate(model.peaks_):
        label = "cut at a peak" if i == 0 else None
        curve.axvline(peak + 1, color="black", ls="--", lw=1.0, label=label)
    curve.set(
        xlim=(0, len(steps) + 1),
        xlabel="order of labelling",
        ylabel="$R_{min}$ [scaled units]",
        title="a  Iterative Label Spreading; colour: final cluster",
    )
    curve.legend(frameon=False, fontsize=8, loc="upper center")
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
    image = right.imshow(profile, vmin=0, vmax=1, cmap="cividis", aspect="auto")
    annotate(right, profile, "{:.2f}", profile < 0.55)
    right.set_xticks(range(len(FEATURES)), [SHORT[n] for n in FEATURES], rotation=35, ha="right")
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


def regression(assessment: Assessment, curve: Curve) -> Figure:
    """Draw predicted against true wavelength, errors, and learning curve of the regressor."""
    figure, axes = canvas(13, 4.2, 1, 3)
    truth, guess = assessment.task.target, assessment.fold_predictions
    colours = np.array(BAND_COLOURS)[bands(truth)]
    parity, error = axes[0, :2]
    ends = [truth.min() - 5, truth.max() + 5]
    parity.plot(ends, ends, color="0.6", lw=1)
    parity.scatter(truth, guess, c=colours, s=14)
    parity.set(
        xlabel="wavelength of the table [nm]",
        ylabel="wavelength of the network [nm]",
        title=f"a  predictions of the folds, R² = {assessment.fold_scores.mean():.3f}",
        xlim=ends,
        ylim=ends,
    )
    error.axhline(0, color="0.6", lw=1)
    error.scatter(truth, guess - truth, c=colours, s=14)
    rms = float(np.sqrt(np.mean((guess - truth) ** 2)))
    error.set(
        xlabel="wavelength of the table [nm]",
        ylabel="error [nm]",
        title=f"b  errors, rms {rms:.1f} nm",
    )
    _draw_curve(axes[0, 2], curve, "R²", "c  learning curve")
    return figure


def draw_confusion(axis: Axes, assessment: Assessment, title: str) -> None:
    """Draw counts of true (rows) and predicted classes; colour: share of the row."""
    counts = assessment.confusion
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axis.imshow(shares, vmin=0, vmax=1, cmap="Blues")
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
        xlabel="dots trained on",
        ylabel=f"{score}, mean and deviation of 5 folds",
        title=title,
        ylim=(max(0.0, 2.0 * float(np.min(curve.validation.mean(axis=1))) - 1.05), 1.01),
    )
    axis.legend(frameon=False, fontsize=8, loc="lower right")
