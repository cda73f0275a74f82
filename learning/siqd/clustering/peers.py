"""Compare Iterative Label Spreading with other clusterers on the usual sets of points."""

import dataclasses
import time
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree
from sklearn.cluster import DBSCAN, HDBSCAN, OPTICS, AgglomerativeClustering, KMeans
from sklearn.datasets import make_blobs, make_circles, make_moons
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler

from opalux.learning.siqd.clustering.ils import IterativeLabelSpreading

SHARE = 0.05
"""Smallest cluster to find, as a share of all points; the one setting of the density methods."""

METHODS = ("ILS", "HDBSCAN", "OPTICS", "DBSCAN", "single linkage", "k-means")
GIVEN_THE_NUMBER = ("single linkage", "k-means")


@dataclasses.dataclass(frozen=True, kw_only=True)
class PointSet:
    """Points, and the cluster in which each was made.

    Attributes
    ----------
    name : of the set
    points : of unit variance (n, 2)
    truth : true cluster of each point (n,)
    """

    name: str
    points: NDArray[np.float64]
    truth: NDArray[np.int64]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """The result of one method on one set.

    Attributes
    ----------
    method, point_set : names
    labels : (n,); -1 is noise
    adjusted_rand : agreement with the truth: 1 complete, 0 by chance
    n_clusters : number of clusters found, without noise
    seconds : of the fit
    """

    method: str
    point_set: str
    labels: NDArray[np.int64]
    adjusted_rand: float
    n_clusters: int
    seconds: float


def usual_sets(n: int, seed: int = 0) -> list[PointSet]:
    """Return the usual sets, of n points each.

    They are moons, circles, three sets of blobs (round, stretched, of uneven size), a chain
    between two blobs, and the null set: uniformly random points, whose truth is one cluster.
    """
    rng = np.random.default_rng(seed)
    centres = [[-6.0, -6.0], [0.0, 5.0], [6.0, -4.0]]
    blobs, blob = make_blobs(n, centers=centres, cluster_std=1.0, random_state=seed)
    varied, vary = make_blobs(n, centers=centres, cluster_std=[1.0, 2.5, 0.5], random_state=seed)
    moons, moon = make_moons(n, noise=0.05, random_state=seed)
    circles, circle = make_circles(n, factor=0.5, noise=0.04, random_state=seed)
    ends, end = make_blobs(n - n // 20, centers=[[-5.0, 0.0], [5.0, 0.0]], random_state=seed)
    link = np.column_stack([np.linspace(-5.0, 5.0, n // 20), 0.1 * rng.standard_normal(n // 20)])
    made = {
        "moons": (moons, moon),
        "circles": (circles, circle),
        "blobs": (blobs, blob),
        "anisotropic": (blobs @ np.array([[0.6, -0.6], [-0.4, 0.8]]), blob),
        "varied": (varied, vary),
        "chain": (np.vstack([ends, link]), np.concatenate([end, (link[:, 0] > 0).astype(int)])),
        "null": (rng.random((n, 2)), np.zeros(n, dtype=int)),
    }
    return [
        PointSet(name=name, points=StandardScaler().fit_transform(points), truth=truth)
        for name, (points, truth) in made.items()
    ]


def compare(sets: list[PointSet]) -> Iterator[Outcome]:
    """Yield the outcome of every method on every set; each runs once before it is timed."""
    for point_set in sets:
        for method in METHODS:
            cluster(method, point_set)
            start = time.perf_counter()
            labels = cluster(method, point_set)
            seconds = time.perf_counter() - start
            yield Outcome(
                method=method,
                point_set=point_set.name,
                labels=labels,
                adjusted_rand=float(adjusted_rand_score(point_set.truth, labels)),
                n_clusters=len(set(labels.tolist()) - {-1}),
                seconds=seconds,
            )


def sweep(sets: list[PointSet], shares: tuple[float, ...]) -> dict[str, NDArray[np.float64]]:
    """Return the adjusted Rand index of Iterative Label Spreading for each p, by set."""
    return {
        point_set.name: np.array(
            [
                adjusted_rand_score(
                    point_set.truth, IterativeLabelSpreading(p=p).fit_predict(point_set.points)
                )
                for p in shares
            ]
        )
        for point_set in sets
    }


def cluster(method: str, point_set: PointSet) -> NDArray[np.int64]:
    """Return the labels (n,) by one of ``METHODS``; every set has the same rule for parameters."""
    points = point_set.points
    least = max(2, round(SHARE * len(points)))
    n_clusters = len(np.unique(point_set.truth))
    if method == "DBSCAN":
        # The usual rule: nearly every point has enough points in its neighbourhood.
        radii = KDTree(points).query(points, k=[10])[0]
        return DBSCAN(eps=float(np.quantile(radii, 0.95)), min_samples=10).fit_predict(points)
    model = {
        "ILS": IterativeLabelSpreading(p=SHARE),
        "HDBSCAN": HDBSCAN(min_cluster_size=least, copy=True),
        "OPTICS": OPTICS(min_samples=10, min_cluster_size=least),
        "single linkage": AgglomerativeClustering(n_clusters, linkage="single"),
        "k-means": KMeans(n_clusters, n_init=10, random_state=0),
    }[method]
    return model.fit_predict(points)
