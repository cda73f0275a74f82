"""How high a cut scores by chance: in normal and uniform points, which have no clusters.

The scores of `jumps` depend on the number of points, on their dimension and on how many of the
dimensions matter. So the same curve is drawn for points without clusters that have the variances of
the data along its principal axes. A cut has to score more than all but 5 % of these.
"""

import numpy as np
from numpy.typing import NDArray

from opalux.learning.siqd.clustering.jumps import scores
from opalux.learning.siqd.clustering.spreading import spread_labels

DRAWS = 20
"""Sets of each kind."""
POINTS, ON_A_LINE = 1000, 5000
"""Points of such a set at most, in several dimensions and in one. In several, chance scores higher
in fewer points, so this is on the safe side; on a line it is the other way round."""
RARE = 0.95
FLAT = 1e-6
"""Axes along which points vary by less than this share of the largest one do not count."""


def chance_score(points: NDArray[np.float64], least: int) -> float:
    """Return the score that cuts of clusterless points exceed in one set of twenty.

    Parameters
    ----------
    points : (n, d)
    least : smallest size of a cluster
    """
    widths = np.linalg.svd(points - points.mean(axis=0), compute_uv=False) / np.sqrt(len(points))
    widths = widths[widths > FLAT * widths[0]] if len(widths) and widths[0] > 0 else np.ones(1)
    count = min(len(points), POINTS if len(widths) > 1 else ON_A_LINE)
    fewer = max(1, round(least * count / len(points)))
    found = []
    for kind in ("normal", "uniform"):
        tops = []
        for seed in range(DRAWS):
            draw = np.random.default_rng(seed)
            shape = (count, len(widths))
            drawn = draw.normal(size=shape) if kind == "normal" else draw.uniform(-1, 1, size=shape)
            drawn *= widths
            start = np.array([int(np.argmin(((drawn - drawn.mean(axis=0)) ** 2).sum(axis=1)))])
            tops.append(max(scores(spread_labels(drawn, start).r_min, fewer).values(), default=0.0))
        found.append(float(np.quantile(tops, RARE)))
    return max(found)
