"""Iterative Label Spreading, a clusterer that shows the density of the points as a curve.

Labels spread from one seed to the nearest unlabelled point, one point at a time. The distance of
each step, R_min, in order of labelling, has a valley for each dense region and a peak for each gap
between them. The curve is cut at its peaks. The bottom of each valley becomes the seed of a
cluster, and labels spread a second time, from all these seeds.

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
from opalux.learning.siqd.clustering.spreading import spread_labels
from opalux.learning.siqd.clustering.width import count_of


class IterativeLabelSpreading(ClusterMixin, BaseEstimator):
    """Cluster by Iterative Label Spreading.

    Parameters
    ----------
    p : int or float, default=0.05
        Width of the Gaussian and of the wavelet, and the smallest distance of a peak from the
        ends of the curve: a count of points or, below 1, a share of them. Clusters much smaller
        than p are not found.
    seeds : array-like of int (k,), default=None
        Rows to start from. Each is the seed of a cluster, whose label is the position in this
        list. None: find the seeds from the valleys of R_min.
    start : int, default=None
        Row from which the first run starts. None: the point nearest to the mean.
    method : {"auto", "dense", "tree"}, default="auto"
        How nearest neighbours are found; see `spreading.spread_labels`.

    Attributes
    ----------
    labels_ : int (n,)
        Cluster of each row. Clusters found from R_min are numbered along the curve.
    n_clusters_ : int
        Number of clusters.
    seeds_ : int (n_clusters_,)
        Row of the seed of each cluster.
    order_ : int (n,)
        Rows in order of labelling, in the run from one point or from the given seeds.
    source_ : int (n,)
        Row from which order_[i] got its label. From one start this is a minimum spanning tree.
    r_min_ : float (n - number of seeds of that run,)
        Distances of that run, in order.
    smoothed_ : float (n - 1,)
        r_min_ after the Gaussian; missing with given seeds.
    peaks_ : int (n_clusters_ - 1,)
        Positions where r_min_ is cut; missing with given seeds.

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
        """Cluster the rows of X (n, d); y is ignored.

        Raises
        ------
        InputError
            When p, the seeds, the start or the method is not valid.
        """
        points = validate_data(self, X, dtype=np.float64)
        _require_distances(points)
        if self.seeds is not None:
            self._spread_from(points, np.asarray(self.seeds))
            return self
        width = count_of(self.p, len(points))
        start = nearest_to_mean(points) if self.start is None else self.start
        first = spread_labels(points, np.array([start]), method=self.method)
        self.order_, self.source_, self.r_min_ = first.order, first.source, first.r_min
        self.smoothed_ = gaussian_filter1d(self.r_min_, width) if len(points) > 1 else self.r_min_
        self.peaks_ = inner_peaks(self.smoothed_, width)
        valleys = valley_bottoms(self.smoothed_, self.peaks_)
        # r_min_[i] is the distance at which order_[i + 1] was labelled.
        seeds = self.order_[valleys + 1] if len(points) > 1 else np.array([start])
        self.seeds_, self.n_clusters_ = seeds, len(seeds)
        by_row = np.argsort(seeds)
        self.labels_ = spread_labels(points, seeds, method=self.method).labels(by_row)
        return self

    def _spread_from(self, points: NDArray[np.float64], seeds: NDArray[np.int64]) -> None:
        run = spread_labels(points, seeds, method=self.method)
        self.order_, self.source_, self.r_min_ = run.order, run.source, run.r_min
        self.seeds_, self.n_clusters_ = seeds, len(seeds)
        self.labels_ = run.labels(np.argsort(seeds))


def _require_distances(points: NDArray[np.float64]) -> None:
    """Refuse points so far apart that the squares of their distances overflow."""
    with np.errstate(over="ignore"):
        widths = points.max(axis=0) - points.min(axis=0)
        apart = (widths**2).sum()
    if not np.isfinite(apart):
        column = int(np.argmax(widths))
        raise InputError(
            f"X: found values in column {column} that lie {widths[column]:.3g} apart, so that "
            "distances overflow; expected numbers of ordinary size. Remove rows with values that "
            "stand for missing ones"
        )


def nearest_to_mean(points: NDArray[np.float64]) -> int:
    """Return the row of the point nearest to the mean of all points; of equals, the lowest."""
    return int(np.argmin(((points - points.mean(axis=0)) ** 2).sum(axis=1)))


def inner_peaks(curve: NDArray[np.float64], width: int) -> NDArray[np.int64]:
    """Return the peaks of a smooth curve that lie further than the width from both ends."""
    peaks = wavelet_peaks(curve, width)
    return peaks[(peaks > width) & (peaks < len(curve) - 1 - width)]


def wavelet_peaks(curve: NDArray[np.float64], width: int) -> NDArray[np.int64]:
    """Return the peaks of the curve's transform by the Ricker wavelet of one width.

    They are the peaks of ``scipy.signal.find_peaks_cwt(curve, [width])``: maxima of the transform
    that are at least as large as the noise around them. The noise is the 10 % quantile of the
    transform in a window of one twentieth of the curve. SciPy computes the noise at all n points,
    in a time of n²; here it is computed at the maxima only. The wavelet has an even number of
    points. Two neighbours are therefore equal at the top of a perfectly symmetric peak, and such a
    peak is not found.
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
    """Return the Ricker ("Mexican hat") wavelet of unit norm on a number of points."""
    t = (np.arange(points) - (points - 1) / 2.0) / width
    return 2.0 / (np.sqrt(3.0 * width) * np.pi**0.25) * (1.0 - t**2) * np.exp(-(t**2) / 2.0)


def valley_bottoms(curve: NDArray[np.float64], peaks: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the position of the minimum of each part between peaks; of equals, the first."""
    ends = [0, *peaks, len(curve)]
    return np.array(
        [a + int(np.argmin(curve[a:b])) for a, b in itertools.pairwise(ends) if b > a],
        dtype=np.int64,
    )
