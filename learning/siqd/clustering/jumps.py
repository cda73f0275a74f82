"""Where the curve R_min is cut: jumps that stand out from the valleys on both sides.

From one start, the curve is Prim's walk on a minimum spanning tree. A cluster is a run of short
edges, and a gap between two clusters is a long edge, or a plateau of long edges where a chain of
points bridges the gap. Both are judged on log R_min, such that units and density do not matter:

1. The curve is divided at its largest inner value, and each part again, as long as both parts hold
   the least size of a cluster. This gives at most n / least candidates.
2. The *excess* of a candidate is its height over the higher one of the two valley floors beside it.
   A floor is the smallest mean over a window of half the least size.
3. A candidate is a cut when its excess is larger than ``threshold`` times the scatter of the curve
   (its score is the ratio), and its score larger than chance gives in points like these (`chance`).

Steps 1 and 2 are done for the curve itself and for running means of 4, 16 and 64 edges, which find
plateaus. A Gaussian of width p, as in the published rule, erases a jump of a single edge when p is
a share of many points; here the width of a mean has a bound and the curve itself is always tried.

In points without clusters the excess in units of the scatter falls with the least size, because the
mean over a window is then less uncertain. The constants of `threshold` come from uniform and normal
points in 1, 2, 3, 6 and 10 dimensions.
"""

import dataclasses
import itertools

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

SCALES = (1, 4, 16, 64)
"""Lengths of the running means [edges]."""
LEAST_WINDOW = 5


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cut:
    """A place where the curve is cut.

    Attributes
    ----------
    position : index into the curve; the edge there joins two clusters
    score : excess over the threshold; a cut has more than 1
    """

    position: int
    score: float


def threshold(least: int) -> float:
    """Return the smallest excess of a cut, in units of the scatter of the curve."""
    return 1.9 + 4.7 / np.sqrt(least)


def logarithm(r_min: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return log R_min (m,); the distance 0 of duplicates counts as the smallest other one."""
    positive = r_min[r_min > 0]
    return np.log(np.maximum(r_min, positive.min() if len(positive) else 1.0))


def scatter(curve: NDArray[np.float64], least: int) -> float:
    """Return half the distance of the quantiles 16 % and 84 % of the curve about a running mean."""
    rest = curve - uniform_filter1d(curve, max(LEAST_WINDOW, 4 * least), mode="nearest")
    low, high = np.quantile(rest, (0.16, 0.84))
    return float(high - low) / 2.0


def valley_floor(curve: NDArray[np.float64], least: int) -> NDArray[np.float64]:
    """Return the mean of the curve over half the least size about each position (m,)."""
    return uniform_filter1d(curve, _window(least), mode="nearest")


def _window(least: int) -> int:
    return max(LEAST_WINDOW, least // 2)


def find_cuts(r_min: NDArray[np.float64], least: int, lowest: float = 1.0) -> list[Cut]:
    """Return the cuts of a curve R_min (m,), by position; two lie at least ``least`` apart.

    Parameters
    ----------
    r_min : distances in order of labelling, from one start
    least : smallest size of a cluster, a count of points from 1
    lowest : score that a cut has to exceed
    """
    found = {place: score for place, score in scores(r_min, least).items() if score > lowest}
    kept: list[Cut] = []
    for position in sorted(found, key=lambda place: (-found[place], place)):
        if all(abs(position - cut.position) >= least for cut in kept):
            kept.append(Cut(position=position, score=found[position]))
    return sorted(kept, key=lambda cut: cut.position)


def scores(r_min: NDArray[np.float64], least: int) -> dict[int, float]:
    """Return the score of each candidate by its position: its excess over the threshold."""
    if len(r_min) <= 2 * least:
        return {}
    curve = logarithm(r_min)
    unit = threshold(least) * scatter(curve, least)
    floor = valley_floor(curve, least)
    found: dict[int, float] = {}
    for scale in SCALES:
        if scale > max(1, least // 2):
            break
        heights = uniform_filter1d(curve, scale, mode="nearest") if scale > 1 else curve
        # Means of many edges vary less, but slowly: neighbours in the walk are correlated.
        weaker = min(1.0, (scale / 4.0) ** -0.18)
        for position, excess in candidates(heights, floor, least):
            if excess > 0:
                score = excess / (unit * weaker) if unit > 0 else np.inf
                found[position] = max(score, found.get(position, 0.0))
    return found


def candidates(
    heights: NDArray[np.float64], floor: NDArray[np.float64], least: int
) -> list[tuple[int, float]]:
    """Return position and excess of each place where the curve is divided.

    Parameters
    ----------
    heights : the curve or a running mean of it (m,)
    floor : of `valley_floor` (m,)
    least : smallest length of a part
    """
    half = _window(least) // 2
    found = []
    parts = [(0, len(heights))]
    while parts:
        start, end = parts.pop()
        if end - start <= 2 * least:
            continue
        inner = slice(start + least, end - least)
        position = inner.start + int(np.argmax(heights[inner]))
        # Windows that reach over the division hold edges of both sides.
        left = floor[start + half : max(position - half, start + half + 1)]
        right = floor[position + half + 1 : end - half]
        if len(left) and len(right):
            excess = float(heights[position] - max(left.min(), right.min()))
            found.append((position, excess))
        parts += [(start, position), (position + 1, end)]
    return found


def seeds_between(floor: NDArray[np.float64], cuts: list[Cut], least: int) -> NDArray[np.int64]:
    """Return the position of the lowest floor of each part between cuts (k,)."""
    half = _window(least) // 2
    ends = [-1, *(cut.position for cut in cuts), len(floor)]
    bottoms = []
    for start, end in itertools.pairwise(ends):
        low, high = start + 1 + half, end - half
        if high <= low:
            low, high = start + 1, max(end, start + 2)
        bottoms.append(low + int(np.argmin(floor[low:high])))
    return np.array(bottoms, dtype=np.int64)
