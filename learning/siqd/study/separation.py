"""Whether classes are separate in the space of features, and whether two kinds of classes agree.

Each number comes with an interval over resampled rows and with a null: what it would be where the
labels, or the features, have nothing to do with each other.
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import adjusted_mutual_info_score, pairwise_distances, silhouette_samples

from opalux.learning.siqd.clustering.ils import IterativeLabelSpreading
from opalux.learning.siqd.study.interval import Interval

MOST_ROWS = 1500
"""Rows of a sample, where all pairs of a larger table would take too long."""
BOOTSTRAPS = 200
NULLS = 39
"""With so many, the largest of the null is the limit of significance at 2.5 %."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Separation:
    """The silhouette of classes: 1 where each is far from the others, 0 or less where they mix.

    Attributes
    ----------
    silhouette : mean over the rows, with its interval over resampled rows
    null : the same where there are no classes (k,)
    """

    silhouette: Interval
    null: NDArray[np.float64]

    @property
    def by_chance(self) -> float:
        """Largest silhouette of the null."""
        return float(self.null.max())


@dataclasses.dataclass(frozen=True, kw_only=True)
class Purity:
    """How much the structure class of a row says about the class of its property.

    Attributes
    ----------
    table : number of rows by structure class (rows) and class of the property (columns)
    overall : share of rows in the most frequent property class of their structure class
    by_chance : the same for random structure classes of these sizes
    mutual_information : adjusted for chance: 0 none, 1 the same classes; its interval over
        resampled rows and over starts of the clustering
    null : of random structure classes of these sizes (k,)
    """

    table: NDArray[np.int64]
    overall: float
    by_chance: float
    mutual_information: Interval
    null: NDArray[np.float64]


def sample_rows(n: int, rng: np.random.Generator, most: int = MOST_ROWS) -> NDArray[np.int64]:
    """Return all rows, or a sorted sample of a larger table."""
    return np.arange(n) if n <= most else np.sort(rng.choice(n, most, replace=False))


def separation_of_labels(
    features: NDArray[np.float64], labels: NDArray[np.int64], seed: int = 0
) -> Separation | None:
    """Return the separation of given classes (n,); the null shuffles them over the rows.

    None: fewer than two classes.
    """
    rng = np.random.default_rng([seed, 2])
    rows = sample_rows(len(labels), rng)
    labels = labels[rows]
    if not _two_classes(labels):
        return None
    distances = pairwise_distances(features[rows])
    null = [_silhouettes(distances, rng.permutation(labels)).mean() for _ in range(NULLS)]
    return Separation(
        silhouette=_bootstrap(_silhouettes(distances, labels), rng), null=np.array(null)
    )


def separation_of_clusters(
    features: NDArray[np.float64],
    model: IterativeLabelSpreading,
    groups: dict[str, list[int]],
    share: float,
    seed: int = 0,
) -> Separation | None:
    """Return the separation of clusters that were found in these features.

    Any clusterer makes classes that look separate, in noise, too. So the null clusters again what
    has no classes: each column is shuffled over the rows, those of a group together. A clustering
    that finds a single class there counts as 0.

    Parameters
    ----------
    features : (n, d)
    model : fitted to them
    groups : columns that are shuffled together, such as the parts of a whole
    share : least size of a cluster, as a share of the rows
    seed : of the shuffles

    Returns
    -------
    separation : None when there are fewer than two clusters
    """
    rng = np.random.default_rng([seed, 3])
    rows = sample_rows(len(features), rng)
    seen = features[rows]
    if not _two_classes(model.labels_[rows]):
        return None
    own = _silhouettes(pairwise_distances(seen), model.labels_[rows])
    null = []
    for _ in range(NULLS):
        shuffled = seen.copy()
        for columns in groups.values():
            shuffled[:, columns] = seen[rng.permutation(len(seen))][:, columns]
        again = IterativeLabelSpreading(
            p=max(2, round(share * len(seen))), method=model.method, least=None
        )
        if model.least is not None:
            again.set_params(least=again.p)
        labels = again.fit(shuffled).labels_
        null.append(
            _silhouettes(pairwise_distances(shuffled), labels).mean()
            if _two_classes(labels)
            else 0.0
        )
    return Separation(silhouette=_bootstrap(own, rng), null=np.array(null))


def purity(
    clusters: NDArray[np.int64],
    starts: NDArray[np.int64],
    classes: NDArray[np.int64],
    n_classes: int,
    seed: int = 0,
) -> Purity:
    """Compare structure classes with property classes.

    Parameters
    ----------
    clusters : structure class of each row (n,)
    starts : the same from other starts of the clustering (m, n)
    classes : property class of each row (n,)
    n_classes : number of property classes
    seed : of the resampling
    """
    rng = np.random.default_rng([seed, 4])
    n = len(clusters)
    table = _crossed(clusters, classes, n_classes)
    random = [rng.permutation(clusters) for _ in range(5 * NULLS)]
    chance = [_crossed(labels, classes, n_classes).max(axis=1).sum() for labels in random]
    drawn = []
    for b in range(BOOTSTRAPS):
        # A half without replacement has the variance of n draws, and no row twice: doubles would
        # look like agreement.
        rows = rng.choice(n, min(n // 2, MOST_ROWS), replace=False)
        labels = clusters if b % 2 or not len(starts) else starts[rng.integers(len(starts))]
        drawn.append(adjusted_mutual_info_score(labels[rows], classes[rows]))
    return Purity(
        table=table,
        overall=float(table.max(axis=1).sum() / n),
        by_chance=float(np.mean(chance) / n),
        mutual_information=Interval(
            low=float(np.quantile(drawn, 0.05)),
            middle=float(adjusted_mutual_info_score(clusters, classes)),
            high=float(np.quantile(drawn, 0.95)),
        ),
        null=np.array([adjusted_mutual_info_score(labels, classes) for labels in random[:NULLS]]),
    )


def _two_classes(labels: NDArray[np.int64]) -> bool:
    return 2 <= len(np.unique(labels)) < len(labels)


def _silhouettes(distances: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    return silhouette_samples(distances, labels, metric="precomputed")


def _bootstrap(values: NDArray[np.float64], rng: np.random.Generator) -> Interval:
    rows = rng.integers(0, len(values), (BOOTSTRAPS, len(values)))
    spread = Interval.of(values[rows].mean(axis=1))
    return dataclasses.replace(spread, middle=float(values.mean()))


def _crossed(
    rows: NDArray[np.int64], columns: NDArray[np.int64], n_columns: int
) -> NDArray[np.int64]:
    table = np.zeros((rows.max() + 1, n_columns), dtype=np.int64)
    np.add.at(table, (rows, columns), 1)
    return table
