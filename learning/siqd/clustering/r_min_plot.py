"""The picture of a clustering by Iterative Label Spreading: R_min in order of labelling."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np

COLOURS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#bbbbbb", "#000000")


def cluster_colours(count: int) -> list[str]:
    """Return a colour for each cluster."""
    return [COLOURS[i % len(COLOURS)] for i in range(count)]


def draw_r_min(model: Any, axes: Any = None) -> Any:
    """Draw R_min, coloured by the final cluster, the curve that judges it, and the cuts.

    Parameters
    ----------
    model : a fitted ``IterativeLabelSpreading``
    axes : of matplotlib, to draw into; left out: those of a new figure

    Returns
    -------
    axes : the axes
    """
    if axes is None:
        axes = plt.subplots(figsize=(8, 3.2), layout="constrained")[1]
    colours = np.array(cluster_colours(model.n_clusters_))
    first = len(model.order_) - len(model.r_min_)
    steps = np.arange(first, len(model.order_))
    # One polygon for each cluster: a bar for each of many points takes minutes.
    labels = model.labels_[model.order_[first:]]
    for cluster, colour in enumerate(colours):
        height = np.where(labels == cluster, model.r_min_, 0.0)
        axes.fill_between(steps, height, step="mid", color=colour, lw=0)
    if hasattr(model, "smoothed_"):
        axes.plot(steps, model.smoothed_, color="black", lw=1.6, label=f"smoothed, p = {model.p}")
        for i, peak in enumerate(model.peaks_):
            label = "cut at a peak" if i == 0 else None
            axes.axvline(peak + 1, color="black", ls="--", lw=1.0, label=label)
        axes.legend(frameon=False, fontsize=8, loc="upper center")
    axes.set(xlim=(0, len(model.order_)), ylim=(0, None), xlabel="order of labelling")
    axes.set_ylabel("$R_{min}$")
    return axes
