"""How much the clusters of Iterative Label Spreading depend on where labels start to spread."""

import dataclasses

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score

from opalux.learning.siqd.clustering.ils import IterativeLabelSpreading

MOST_STARTS = 50


@dataclasses.dataclass(frozen=True, kw_only=True)
class Stability:
    """Clusterings of the same points from several starts.

    Attributes
    ----------
    starts : rows (m,)
    labels : cluster of each point from each start (m, n)
    n_clusters : number of clusters from each start (m,)
    smallest : size of the smallest cluster from each start (m,)
    agreement : adjusted Rand index of these clusters and those of the model (m,)
    """

    starts: NDArray[np.int64]
    labels: NDArray[np.int64]
    n_clusters: NDArray[np.int64]
    smallest: NDArray[np.int64]
    agreement: NDArray[np.float64]


def stability(
    model: IterativeLabelSpreading, *, most_starts: int = MOST_STARTS, seed: int = 0
) -> Stability:
    """Cluster again from sampled starts, without replacement, along the model's spanning tree.

    Parameters
    ----------
    model : fitted without given seeds
    most_starts : at most so many starts
    seed : of the sample
    """
    n = len(model.labels_)
    rng = np.random.default_rng(seed)
    starts = np.sort(rng.choice(n, size=min(n, most_starts), replace=False))
    models = [model.from_start(int(start)) for start in starts]
    return Stability(
        starts=starts,
        labels=np.array([found.labels_ for found in models]),
        n_clusters=np.array([found.n_clusters_ for found in models]),
        smallest=np.array([np.bincount(found.labels_).min() for found in models]),
        agreement=np.array([adjusted_rand_score(model.labels_, m.labels_) for m in models]),
    )
