"""Other clusterers on the features of a study, with the same least size of a class."""

import dataclasses

import numpy as np
from sklearn.cluster import HDBSCAN, KMeans
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score, silhouette_score

from opalux.learning.siqd.clustering.ils import METHODS, IterativeLabelSpreading
from opalux.learning.siqd.clustering.width import count_of
from opalux.learning.siqd.study.preparation import Prepared
from opalux.learning.siqd.study.separation import MOST_ROWS, sample_rows
from opalux.learning.siqd.study.settings import StudySettings


@dataclasses.dataclass(frozen=True, kw_only=True)
class Clustered:
    """The classes of another clusterer.

    Attributes
    ----------
    name : of the clusterer
    n_clusters, smallest : number of classes, and size of the smallest; without noise
    noise : number of rows in no class
    silhouette : mean over the rows; None with fewer than two classes
    agreement : adjusted Rand index with the structure classes of the study
    mutual_information : with the property's classes, adjusted for chance
    """

    name: str
    n_clusters: int
    smallest: int
    noise: int
    silhouette: float | None
    agreement: float
    mutual_information: float


def other_clusterings(
    prepared: Prepared, chosen: IterativeLabelSpreading, settings: StudySettings
) -> list[Clustered]:
    """Cluster the same features by other rules, and compare."""
    rows = sample_rows(
        len(prepared.features), np.random.default_rng([settings.seed, 6]), 3 * MOST_ROWS
    )
    features, own = prepared.features[rows], chosen.labels_[rows]
    least = max(2, round(count_of(settings.width, len(prepared.features)) * len(rows) / len(own)))
    made = []
    for name in settings.compared:
        if name in METHODS:
            labels = IterativeLabelSpreading(p=least, method=name).fit(features).labels_
        elif name == "HDBSCAN":
            labels = HDBSCAN(min_cluster_size=least, copy=True).fit_predict(features)
        else:
            count = max(2, chosen.n_clusters_)
            labels = KMeans(count, n_init=10, random_state=settings.seed).fit_predict(features)
        sizes = np.bincount(labels[labels >= 0])
        sizes = sizes[sizes > 0]
        inside = labels >= 0
        made.append(
            Clustered(
                name=f"ILS, {name}" if name in METHODS else name,
                n_clusters=len(sizes),
                smallest=int(sizes.min()) if len(sizes) else 0,
                noise=int((~inside).sum()),
                silhouette=float(silhouette_score(features[inside], labels[inside]))
                if 2 <= len(sizes) < inside.sum()
                else None,
                agreement=float(adjusted_rand_score(own, labels)),
                mutual_information=float(adjusted_mutual_info_score(labels, prepared.labels[rows])),
            )
        )
    return made
