"""Iterative Label Spreading beside the clusterers that its users compare it with."""

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

SHARE = 0.05  # smallest cluster to be seen, of all points: the one setting of the density methods

METHODS = ("ILS", "HDBSCAN", "OPTICS", "DBSCAN", "single linkage", "k-means")
TOLD_THE_NUMBER = ("single linkage", "k-means")


@dataclasses.dataclass(frozen=True, kw_only=True)
class TestSet:
    """Points and the clusters they were made in.

    Attributes
    ----------
    name : of the set
    points : (n, 2), of unit variance
    truth : (n,)
    """

    name: str
    points: NDArray[np.float64]
    truth: NDArray[np.int64]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one method made of one set.

    Attributes
    ----------
    method, test_set : names
    labels : (n,); -1 is noise
    adjusted_rand : agreement with the truth, 1 complete, 0 by chance
    n_clusters : found, noise not counted
    seconds : of the fit
    """

    method: str
    test_set: str
    labels: NDArray[np.int64]
    adjusted_rand: float
    n_clusters: int
    seconds: float


def usual_sets(n: int, seed: int = 0) -> list[TestSet]:
    """The usual sets: moons, circles, blobs round, stretched and uneven, a chain, and nothing.

    The truth of the null set, points spread evenly, is one cluster.
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
        TestSet(name=name, points=StandardScaler().fit_transform(points), truth=truth)
        for name, (points, truth) in made.items()
    ]


def compare(sets: list[TestSet]) -> Iterator[Outcome]:
    """Run every method on every set, each once before the clock starts."""
    for test_set in sets:
        for method in METHODS:
            cluster(method, test_set)
            start = time.perf_counter()
            labels = cluster(method, test_set)
            seconds = time.perf_counter() - start
            yield Outcome(
                method=method,
                test_set=test_set.name,
                labels=labels,
                adjusted_rand=float(adjusted_rand_score(test_set.truth, labels)),
                n_clusters=len(set(labels.tolist()) - {-1}),
                seconds=seconds,
            )


def sweep(sets: list[TestSet], shares: tuple[float, ...]) -> dict[str, NDArray[np.float64]]:
    """Adjusted Rand index of Iterative Label Spreading for each p, by name of the set."""
    return {
        test_set.name: np.array(
            [
                adjusted_rand_score(
                    test_set.truth, IterativeLabelSpreading(p=p).fit_predict(test_set.points)
                )
                for p in shares
            ]
        )
        for test_set in sets
    }


def cluster(method: str, test_set: TestSet) -> NDArray[np.int64]:
    """Labels by one of ``METHODS``; the rule for its parameters is the same on every set."""
    points = test_set.points
    least = max(2, round(SHARE * len(points)))
    n_clusters = len(np.unique(test_set.truth))
    if method == "DBSCAN":
        # The usual rule: neighbourhoods that hold enough points about nearly every point.
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
