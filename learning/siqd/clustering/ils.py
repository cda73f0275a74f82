"""Iterative Label Spreading, a clusterer that shows the density of the points as a curve.

Labels spread from one seed to the nearest unlabelled point, one point at a time. The distance of
each step, R_min, in order of labelling, has a valley for each dense region and a peak for each gap
between them. The curve is cut at its peaks. The bottom of each valley becomes the seed of a
cluster, and labels spread a second time, from all these seeds.

References
----------
A. J. Parker, A. S. Barnard, Adv. Theory Simul. 2, 1900145 (2019), doi 10.1002/adts.201900145.
"""

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.spatial import KDTree
from scipy.spatial.distance import cdist
from sklearn.base import BaseEstimator, ClusterMixin, clone
from sklearn.utils.validation import check_is_fitted, validate_data

from opalux.base.errors import InputError
from opalux.learning.siqd.clustering.chance import chance_score
from opalux.learning.siqd.clustering.jumps import (
    Cut,
    find_cuts,
    logarithm,
    seeds_between,
    valley_floor,
)
from opalux.learning.siqd.clustering.published_rule import inner_peaks, valley_bottoms
from opalux.learning.siqd.clustering.spanning_tree import forest_labels, walk
from opalux.learning.siqd.clustering.spreading import Spreading, spread_labels
from opalux.learning.siqd.clustering.width import count_of

METHODS = ("jumps", "published")


class IterativeLabelSpreading(ClusterMixin, BaseEstimator):
    """Cluster by Iterative Label Spreading.

    Parameters
    ----------
    p : int or float, default=0.05
        Smallest size of a cluster: a count of points or, below 1, a share of them. With the
        method "published" it is the width of the Gaussian and of the wavelet, and the smallest
        distance of a peak from the ends of the curve.
    method : {"jumps", "published"}, default="jumps"
        How the curve is cut. "jumps": where it stands out from the valleys on both sides
        (`jumps.find_cuts`), and by more than chance gives in points without clusters
        (`chance.chance_score`; with the metric "euclidean"); no cluster is smaller than p.
        "published": as in the paper, at the
        peaks of a wavelet transform; a class may then be as small as one point.
    least : int or float, default=None
        Clusters smaller than this are merged with a neighbour on the curve, across the lower
        one of the two peaks beside them: a count or a share. None: p for "jumps", no merging for
        "published".
    seeds : array-like of int (k,), default=None
        Rows to start from. Each is the seed of a cluster, whose label is the position in this
        list. None: find the seeds from the valleys of R_min.
    start : int, default=None
        Row from which the first run starts. None: the point nearest to the mean; of a matrix of
        distances, the point with the smallest sum of them.
    metric : str, default="euclidean"
        Any metric that ``scipy.spatial.distance.cdist`` knows by name, or "precomputed": X then
        holds the distances (n, n). Other metrics than "euclidean" take O(n²) time.
    algorithm : {"auto", "dense", "tree"}, default="auto"
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
        What the curve is judged by: r_min_ after the Gaussian ("published"), or the geometric
        mean of r_min_ over a window ("jumps"); missing with given seeds.
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
        method: str = "jumps",
        least: float | None = None,
        seeds: ArrayLike | None = None,
        start: int | None = None,
        metric: str = "euclidean",
        algorithm: str = "auto",
    ) -> None:
        self.p = p
        self.method = method
        self.least = least
        self.seeds = seeds
        self.start = start
        self.metric = metric
        self.algorithm = algorithm

    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Cluster the rows of X (n, d); y is ignored.

        Raises
        ------
        InputError
            When p, the seeds, the start, a method or the metric is not valid, or distances
            overflow.
        """
        points = validate_data(self, X, dtype=np.float64)
        self._check(points)
        self._points = points
        self._chance: float | None = None
        if self.seeds is not None:
            seeds = np.asarray(self.seeds)
            run = self._spread(points, seeds)
            self._keep(run.order, run.source, run.r_min)
            self._label(seeds, run.labels(np.argsort(seeds)))
            return self
        run = self._spread(points, np.array([self._first_row(points)]))
        self._keep(run.order, run.source, run.r_min)
        if self.method == "published":
            # A second run, as in the reference, and not along the tree: ties may matter.
            self._cut_published(lambda seeds: self._spread(points, seeds).labels(np.argsort(seeds)))
        else:
            self._cut_at_jumps()
        return self

    def from_start(self, start: int) -> Self:
        """Return the clustering that spreads first from another row.

        It is found along the spanning tree of this one, in O(n log n) time. It equals a new fit
        with this ``start``, except that the order of equal distances may differ.
        """
        check_is_fitted(self, "labels_")
        other = clone(self).set_params(start=start, seeds=None)
        other._points, other.n_features_in_ = self._points, self.n_features_in_
        other._chance = self._chance
        other._keep(*walk(self.order_[1:], self.source_[1:], self.r_min_, start))
        if self.method == "published":
            other._cut_published(other._along_the_tree())
        else:
            other._cut_at_jumps()
        return other

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """Return the label (m,) of the nearest fitted point for each row of X (m, d).

        With the metric "precomputed", X holds the distances (m, n) to the fitted points.
        """
        check_is_fitted(self, "labels_")
        points = validate_data(self, X, dtype=np.float64, reset=False)
        if self.metric == "euclidean":
            nearest = KDTree(self._points).query(points)[1]
        elif self.metric == "precomputed":
            nearest = points.argmin(axis=1)
        else:
            blocks = np.array_split(points, 1 + len(points) // 1000)
            nearest = np.concatenate(
                [cdist(block, self._points, self.metric).argmin(axis=1) for block in blocks]
            )
        return self.labels_[nearest]

    def plot(self, axes: Any = None) -> Any:
        """Draw R_min in order of labelling, coloured by cluster, with the cuts; return the axes.

        Parameters
        ----------
        axes : of matplotlib, to draw into; left out: new ones
        """
        from opalux.learning.siqd.clustering.r_min_plot import draw_r_min

        check_is_fitted(self, "labels_")
        return draw_r_min(self, axes)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = self.metric == "precomputed"
        return tags

    def _check(self, points: NDArray[np.float64]) -> None:
        if self.method not in METHODS:
            raise InputError(
                f"found method {self.method!r}; expected one of {', '.join(METHODS)}; how "
                "neighbours are found is the parameter `algorithm`"
            )
        count_of(self.p, len(points))
        if self.metric == "precomputed":
            _require_square(points)
        else:
            _require_distances(points)

    def _first_row(self, points: NDArray[np.float64]) -> int:
        if self.start is not None:
            return self.start
        if self.metric == "precomputed":
            return int(np.argmin(points.sum(axis=1)))
        return nearest_to_mean(points)

    def _spread(self, points: NDArray[np.float64], seeds: NDArray) -> Spreading:
        return spread_labels(points, seeds, algorithm=self.algorithm, metric=self.metric)

    def _keep(
        self, order: NDArray[np.int64], source: NDArray[np.int64], r_min: NDArray[np.float64]
    ) -> None:
        self.order_, self.source_, self.r_min_ = order, source, r_min

    def _label(self, seeds: NDArray[np.int64], labels: NDArray[np.int64]) -> None:
        self.seeds_, self.n_clusters_, self.labels_ = seeds, len(seeds), labels

    def _along_the_tree(self) -> Callable[[NDArray[np.int64]], NDArray[np.int64]]:
        """Return a function that spreads labels from seeds along the walk, a spanning tree."""
        shortest = np.argsort(self.r_min_, kind="stable")
        a, b = self.order_[1:][shortest], self.source_[1:][shortest]
        return lambda seeds: forest_labels(a, b, seeds)

    def _cut_published(self, spread: Callable[[NDArray[np.int64]], NDArray[np.int64]]) -> None:
        n = len(self.order_)
        width = count_of(self.p, n)
        self.smoothed_ = gaussian_filter1d(self.r_min_, width) if n > 1 else self.r_min_
        self.peaks_ = inner_peaks(self.smoothed_, width)
        least = 1 if self.least is None else count_of(self.least, n)
        while True:
            valleys = valley_bottoms(self.smoothed_, self.peaks_)
            # r_min_[i] is the distance at which order_[i + 1] was labelled.
            seeds = self.order_[valleys + 1] if n > 1 else self.order_
            self._label(seeds, spread(seeds))
            small = _smallest(self.labels_, len(seeds), least)
            if small is None:
                return
            heights = self.smoothed_[self.peaks_]
            self.peaks_ = np.delete(self.peaks_, _lower_beside(small, heights))

    def _cut_at_jumps(self) -> None:
        n = len(self.order_)
        width = count_of(self.p, n)
        least = width if self.least is None else count_of(self.least, n)
        curve = logarithm(self.r_min_)
        floor = valley_floor(curve, width) if n > 1 else curve
        self.smoothed_ = np.exp(floor)
        cuts: list[Cut] = find_cuts(self.r_min_, width)
        if cuts and self.metric == "euclidean":
            if self._chance is None:
                self._chance = max(1.0, chance_score(self._points, width))
            cuts = find_cuts(self.r_min_, width, self._chance)
        spread = self._along_the_tree()
        while True:
            bottoms = seeds_between(floor, cuts, width) if n > 1 else np.empty(0, dtype=np.int64)
            seeds = self.order_[bottoms + 1] if n > 1 else self.order_
            self._label(seeds, spread(seeds))
            small = _smallest(self.labels_, len(seeds), least)
            if small is None:
                break
            cuts.pop(_lower_beside(small, np.array([cut.score for cut in cuts])))
        self.peaks_ = np.array([cut.position for cut in cuts], dtype=np.int64)


def _smallest(labels: NDArray[np.int64], count: int, least: int) -> int | None:
    """Return the smallest cluster, or None when it has the least size or is the only one."""
    sizes = np.bincount(labels, minlength=count)
    small = int(np.argmin(sizes))
    return None if count < 2 or sizes[small] >= least else small


def _lower_beside(part: int, heights: NDArray[np.float64]) -> int:
    """Return the position of the lower one of the cuts before and after a part of the curve."""
    beside = [i for i in (part - 1, part) if 0 <= i < len(heights)]
    return min(beside, key=lambda i: heights[i])


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


def _require_square(distances: NDArray[np.float64]) -> None:
    shape = distances.shape
    if shape[0] != shape[1] or (distances < 0).any() or not np.array_equal(distances, distances.T):
        raise InputError(
            f"X: found an array {shape} that is no matrix of distances; with metric "
            "'precomputed', give a symmetric matrix (n, n) without negative numbers"
        )


def nearest_to_mean(points: NDArray[np.float64]) -> int:
    """Return the row of the point nearest to the mean of all points; of equals, the lowest."""
    return int(np.argmin(((points - points.mean(axis=0)) ** 2).sum(axis=1)))
