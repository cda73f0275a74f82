"""Label spreading by nearest neighbours: Prim's algorithm, with the reference's tie rule.

In each step, Iterative Label Spreading finds the unlabelled point that is nearest to any labelled
point, and gives it the label of that neighbour. Of several pairs at the smallest distance it takes
the one whose labelled point got its label first and, of these, the lowest row. From one seed this
is Prim's algorithm for a minimum spanning tree. Two implementations give the same bits:

- `_spread_dense` stores the nearest labelled point of every unlabelled point: O(n² d) time and
  O(n d) memory; fast for few points or many dimensions;
- `_spread_tree` stores the nearest unlabelled point of every labelled point, in a heap. When the
  target of an entry has got a label in the meantime, the entry is still a lower bound. Only when
  it reaches the top of the heap, a k-d tree of the unlabelled points gives the new target. About
  O(n log n) time in few dimensions.

Both sum squared distances in the order of the dimensions, so that they find the same ties. Sums
of squares are rounded: where distances are equal in exact arithmetic but not in binary, such as on
a grid of thirds, another order of summation may order the ties otherwise.

`_spread_metric` is the first one in NumPy, for any other metric.
"""

import dataclasses
import heapq

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from opalux.base.errors import InputError
from opalux.base.kernels import njit
from opalux.learning.siqd.clustering.shrinking_tree import grow, nearest, remove

ALGORITHMS = ("auto", "dense", "tree")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Spreading:
    """A finished run of label spreading over n points from k seeds.

    Attributes
    ----------
    order : rows in order of labelling (n,); first the seeds, in increasing order
    source : row from which order[i] got its label (n,); a seed is its own source
    distance : from order[i] to its source (n,), R_min; 0 for a seed
    n_seeds : k
    """

    order: NDArray[np.int64]
    source: NDArray[np.int64]
    distance: NDArray[np.float64]
    n_seeds: int

    @property
    def r_min(self) -> NDArray[np.float64]:
        """Distances in order of labelling, without the seeds (n - k,)."""
        return self.distance[self.n_seeds :]

    def labels(self, seed_labels: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the label of each row (n,).

        Parameters
        ----------
        seed_labels : labels of the seeds (k,), in the order of their rows
        """
        labels = np.empty(len(self.order), dtype=np.int64)
        labels[self.order[: self.n_seeds]] = seed_labels
        _hand_on(self.order, self.source, self.n_seeds, labels)
        return labels


def spread_labels(
    points: NDArray, seeds: NDArray, *, algorithm: str = "auto", metric: str = "euclidean"
) -> Spreading:
    """Spread labels from the seeds over all points.

    Parameters
    ----------
    points : (n, d), or distances (n, n) when the metric is "precomputed"
    seeds : distinct rows (k,)
    algorithm : "auto", "dense" or "tree": how the nearest neighbours of the metric "euclidean"
        are found; the result is the same
    metric : "precomputed", or a name that ``scipy.spatial.distance.cdist`` knows

    Raises
    ------
    InputError
        When the seeds are not distinct rows, or there is no such algorithm or metric.
    """
    points = np.ascontiguousarray(points, dtype=np.float64)
    n, d = points.shape
    seeds = _distinct_rows(seeds, n)
    if algorithm not in ALGORITHMS:
        raise InputError(f"found algorithm {algorithm!r}; expected one of {', '.join(ALGORITHMS)}")
    if metric != "euclidean":
        order, source, distance = _spread_metric(points, seeds, metric)
        return Spreading(order=order, source=source, distance=distance, n_seeds=len(seeds))
    unit = _unit(points)
    points = points / unit
    # A box of a grid in d dimensions has 3^d - 1 neighbours. With fewer points, a search of the
    # tree visits most of them, and the plain loops are faster.
    if algorithm == "tree" or (algorithm == "auto" and n > 3.0**d):
        order, source, squared = _spread_tree(points, seeds)
    else:
        order, source, squared = _spread_dense(np.ascontiguousarray(points.T), seeds)
    distance = np.sqrt(squared) * unit
    return Spreading(order=order, source=source, distance=distance, n_seeds=len(seeds))


def _distinct_rows(seeds: NDArray, n: int) -> NDArray[np.int64]:
    seeds = np.sort(np.asarray(seeds))
    whole = np.issubdtype(seeds.dtype, np.integer)
    if (
        not whole
        or len(seeds) == 0
        or seeds[0] < 0
        or seeds[-1] >= n
        or (np.diff(seeds) == 0).any()
    ):
        raise InputError(
            f"found seed rows {seeds.tolist()}; expected at least one, each once, between 0 and "
            f"{n - 1}; give the rows of the points to start from"
        )
    return seeds.astype(np.int64)


def _unit(points: NDArray[np.float64]) -> float:
    """Return a power of 2 by which tiny points are divided, such that no square underflows.

    It is 1 for points of ordinary size; a division by a power of 2 is exact.
    """
    width = float(np.ptp(points, axis=0).max(initial=0.0))
    return 2.0 ** np.frexp(width)[1] if 0.0 < width < 1e-100 else 1.0


def _spread_metric(
    points: NDArray[np.float64], seeds: NDArray[np.int64], metric: str
) -> tuple[NDArray, NDArray, NDArray]:
    """Spread by any metric, one row of distances at a time; returns order, source, distance."""

    def distances(row: int) -> NDArray[np.float64]:
        if metric == "precomputed":
            return points[row]
        return cdist(points[row : row + 1], points, metric)[0]

    n = len(points)
    order, source = np.concatenate([seeds, np.empty(n - len(seeds), np.int64)]), np.empty(n, int)
    source[: len(seeds)] = seeds
    distance = np.zeros(n)
    best, by = np.full(n, np.inf), np.zeros(n, np.int64)
    unlabelled = np.ones(n, dtype=bool)
    unlabelled[seeds] = False
    for step in range(n):
        if step >= len(seeds):
            least = best[unlabelled].min()
            tied = np.flatnonzero(unlabelled & (best == least))
            row = tied[np.argmin(by[tied])]
            order[step], source[step], distance[step] = row, order[by[row]], least
            unlabelled[row] = False
        try:
            fresh = distances(int(order[step]))
        except ValueError as error:
            raise InputError(
                f"found metric {metric!r} ({error}); expected 'precomputed' or a name that "
                "scipy.spatial.distance.cdist knows, such as 'cityblock' or 'cosine'"
            ) from None
        if not np.isfinite(fresh).all():
            raise InputError(
                f"X: the metric {metric!r} gives distances that are not finite from row "
                f"{order[step]}; remove this row or choose another metric"
            )
        nearer = unlabelled & (fresh < best)
        best[nearer], by[nearer] = fresh[nearer], step
    return order, source, distance


@njit()
def _hand_on(
    order: NDArray[np.int64], source: NDArray[np.int64], n_seeds: int, labels: NDArray[np.int64]
) -> None:
    for i in range(n_seeds, len(order)):
        labels[order[i]] = labels[source[i]]


@njit()
def _begin(n: int, seeds: NDArray[np.int64]) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Return order, source and squared distance with the seeds in them, and the unlabelled mask."""
    order = np.empty(n, np.int64)
    source = np.empty(n, np.int64)
    squared = np.zeros(n)
    unlabelled = np.ones(n, np.bool_)
    order[: len(seeds)] = seeds
    source[: len(seeds)] = seeds
    unlabelled[seeds] = False
    return order, source, squared, unlabelled


@njit()
def _spread_dense(
    coordinates: NDArray[np.float64], seeds: NDArray[np.int64]
) -> tuple[NDArray, NDArray, NDArray]:
    """Spread over points, given as coordinates (d, n), by comparing every pair once."""
    d, n = coordinates.shape
    order, source, squared, unlabelled = _begin(n, seeds)
    # The unlabelled points, side by side; the last replaces one that gets a label.
    rows = np.flatnonzero(unlabelled)
    left = np.ascontiguousarray(coordinates[:, rows])
    m = len(rows)
    best = np.full(m, np.inf)  # squared distance to the nearest labelled point ...
    by = np.zeros(m, np.int64)  # ... and its position in the order
    fresh = np.empty(m)
    for step in range(n - 1):
        fresh[:m] = 0.0
        for k in range(d):  # one dimension at a time, so that the compiler uses vector instructions
            x, row = coordinates[k, order[step]], left[k]
            for j in range(m):
                difference = row[j] - x
                fresh[j] += difference * difference
        for j in range(m):
            if fresh[j] < best[j]:  # at equal distance the earlier source stays
                best[j] = fresh[j]
                by[j] = step
        if step + 1 < len(seeds):
            continue
        j = 0
        for i in range(1, m):
            if best[i] <= best[j] and (best[i], by[i], rows[i]) < (best[j], by[j], rows[j]):
                j = i
        order[step + 1], source[step + 1], squared[step + 1] = rows[j], order[by[j]], best[j]
        m -= 1
        rows[j], best[j], by[j] = rows[m], best[m], by[m]
        for k in range(d):
            left[k, j] = left[k, m]
    return order, source, squared


@njit()
def _spread_tree(
    points: NDArray[np.float64], seeds: NDArray[np.int64]
) -> tuple[NDArray, NDArray, NDArray]:
    """Spread over points (n, d); a shrinking k-d tree finds the nearest unlabelled points."""
    n = len(points)
    order, source, squared, unlabelled = _begin(n, seeds)
    tree = grow(points)
    for row in seeds:
        remove(tree, row)
    # (squared distance, position of the source in the order, row of the target): the order of
    # the tuples is the tie rule.
    heap = [(0.0, 0, 0) for _ in range(0)]
    for by in range(len(seeds)):
        distance, row = nearest(tree, points[order[by]])
        heapq.heappush(heap, (distance, by, row))
    for step in range(len(seeds), n):
        distance, by, row = heap[0]
        while not unlabelled[row]:
            distance, row = nearest(tree, points[order[by]])
            heapq.heapreplace(heap, (distance, by, row))
            distance, by, row = heap[0]
        order[step], source[step], squared[step] = row, order[by], distance
        unlabelled[row] = False
        remove(tree, row)
        distance, target = nearest(tree, points[row])
        heapq.heappush(heap, (distance, step, target))
    return order, source, squared
