"""Iterative Label Spreading, a clusterer that draws the hierarchy of densities as a curve.

Labels spread from one seed to the nearest unlabelled point, one at a time; the distance of each
step, R_min, in order of labelling, shows dense regions as valleys and the ways between them as
peaks.  The curve is cut at its peaks, the bottom of each valley becomes the seed of a cluster, and
labels spread once more from all of them.

References
----------
A. J. Parker, A. S. Barnard, Adv. Theory Simul. 2, 1900145 (2019), doi 10.1002/adts.201900145.
"""

import itertools
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import convolve
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils.validation import validate_data

from opalux.base.errors import InputError
from opalux.learning.siqd.clustering.spreading import spread


class IterativeLabelSpreading(ClusterMixin, BaseEstimator):
    """Cluster by Iterative Label Spreading.

    Parameters
    ----------
    p : int or float, default=0.05
        Width of the Gaussian and of the wavelet, and the least distance of a peak from either
        end of the curve: a count of points, or, below 1, a share of them.  Clusters much
        smaller than p are not seen.
    seeds : array-like of int (k,), default=None
        Rows to start from, each the seed of a cluster that bears its position as label.  None
        finds the seeds from the valleys of R_min.
    start : int, default=None
        Row from which the first run starts; None takes the point nearest to the mean.
    method : {"auto", "dense", "tree"}, default="auto"
        How nearest neighbours are found; see :func:`learning.siqd.clustering.spreading.spread`.

    Attributes
    ----------
    labels_ : (n,) int
        Cluster of each row; clusters found from R_min are numbered along the curve.
    n_clusters_ : int
        Number of clusters.
    seeds_ : (n_clusters_,) int
        Row of the seed of each cluster.
    order_ : (n,) int
        Rows in order of labelling: of the run from one point, or of the run from given seeds.
    source_ : (n,) int
        Row that order_[i] was labelled from; with one start, a minimum spanning tree.
    r_min_ : (n - number of seeds of that run,) float
        Distances of that run, in order.
    smoothed_ : (n - 1,) float
        r_min_ after the Gaussian; not with given seeds.
    peaks_ : (n_clusters_ - 1,) int
        Where r_min_ is cut; not with given seeds.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> points, _ = make_blobs(300, centers=[[0, 0], [8, 0], [0, 8]], random_state=0)
    >>> IterativeLabelSpreading(p=15).fit(points).n_clusters_
    3
    """

    def __init__(
        self,
        p: float = 0.05,
        *,
        seeds: ArrayLike | None = None,
        start: int | None = None,
        method: str = "auto",
    ) -> None:
        self.p = p
        self.seeds = seeds
        self.start = start
        self.method = method

    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Cluster the rows of X (n, d); y is ignored."""
        points = validate_data(self, X, dtype=np.float64)
        if self.seeds is not None:
            self._spread_from(points, np.asarray(self.seeds))
            return self
        width = count_of(self.p, len(points))
        start = nearest_to_mean(points) if self.start is None else self.start
        first = spread(points, np.array([start]), method=self.method)
        self.order_, self.source_, self.r_min_ = first.order, first.source, first.r_min
        self.smoothed_ = gaussian_filter1d(self.r_min_, width) if len(points) > 1 else self.r_min_
        self.peaks_ = inner_peaks(self.smoothed_, width)
        valleys = valley_bottoms(self.smoothed_, self.peaks_)
        # r_min_[i] is the distance at which order_[i + 1] was labelled.
        seeds = self.order_[valleys + 1] if len(points) > 1 else np.array([start])
        self.seeds_, self.n_clusters_ = seeds, len(seeds)
        by_row = np.argsort(seeds)
        self.labels_ = spread(points, seeds, method=self.method).labels(by_row)
        return self

    def _spread_from(self, points: NDArray[np.float64], seeds: NDArray[np.int64]) -> None:
        run = spread(points, seeds, method=self.method)
        self.order_, self.source_, self.r_min_ = run.order, run.source, run.r_min
        self.seeds_, self.n_clusters_ = seeds, len(seeds)
        self.labels_ = run.labels(np.argsort(seeds))


def count_of(p: Any, n: int) -> int:
    """The width p as a count of points: p itself, or that share of n, at least 1."""
    if isinstance(p, int | np.integer) and not isinstance(p, bool) and p >= 1:
        return int(p)
    if isinstance(p, float) and 0.0 < p < 1.0:
        return max(1, round(p * n))
    raise InputError(
        f"found p = {p!r}; expected a count of points (a whole number from 1) or a share between "
        "0 and 1; the published analysis uses 15 of 297 points"
    )


def nearest_to_mean(points: NDArray[np.float64]) -> int:
    """Row of the point nearest to the mean of all, the lowest on a tie."""
    return int(np.argmin(((points - points.mean(axis=0)) ** 2).sum(axis=1)))


def inner_peaks(curve: NDArray[np.float64], width: int) -> NDArray[np.int64]:
    """Peaks of a smooth curve that lie more than the width from either end."""
    peaks = wavelet_peaks(curve, width)
    return peaks[(peaks > width) & (peaks < len(curve) - 1 - width)]


def wavelet_peaks(curve: NDArray[np.float64], width: int) -> NDArray[np.int64]:
    """Peaks of the curve's transform by the Ricker wavelet of one width.

    The same peaks as ``scipy.signal.find_peaks_cwt(curve, [width])``: maxima of the transform at
    least as large as the noise around them, the 10 % quantile of the transform in a window of a
    twentieth of the curve.  That function works out the noise at each of the n points, which
    costs n²; here only at the maxima.  Its wavelet has an even number of points, so that two
    neighbours tie at the top of a perfectly symmetric peak, which then is none.
    """
    n = len(curve)
    if n < 3:
        return np.empty(0, dtype=np.int64)
    transform = convolve(curve, ricker(min(10 * width, n), width)[::-1], mode="same")
    middle = transform[1:-1]
    maxima = 1 + np.flatnonzero((middle > transform[:-2]) & (middle > transform[2:]))
    window = int(np.ceil(n / 20))
    half, odd = divmod(window, 2)
    noise = np.array(
        [np.percentile(transform[max(i - half, 0) : min(i + half + odd, n)], 10) for i in maxima]
    )
    return maxima[np.abs(transform[maxima]) >= np.abs(noise)]


def ricker(points: int, width: float) -> NDArray[np.float64]:
    """The Ricker ("Mexican hat") wavelet of unit norm on a number of points."""
    t = (np.arange(points) - (points - 1) / 2.0) / width
    return 2.0 / (np.sqrt(3.0 * width) * np.pi**0.25) * (1.0 - t**2) * np.exp(-(t**2) / 2.0)


def valley_bottoms(curve: NDArray[np.float64], peaks: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where the curve is lowest in each part between peaks, the first such place on a tie."""
    ends = [0, *peaks, len(curve)]
    return np.array(
        [a + int(np.argmin(curve[a:b])) for a, b in itertools.pairwise(ends) if b > a],
        dtype=np.int64,
    )
