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

Both sum squared distances in the order of the dimensions, so that they find the same ties.
"""

import dataclasses
import heapq

import numpy as np
from numpy.typing import NDArray

from opalux.base.errors import InputError
from opalux.base.kernels import njit
from opalux.learning.siqd.clustering.shrinking_tree import grow, nearest, remove

METHODS = ("auto", "dense", "tree")


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


def spread_labels(points: NDArray, seeds: NDArray, *, method: str = "auto") -> Spreading:
    """Spread labels from the seeds over all points.

    Parameters
    ----------
    points : (n, d)
    seeds : distinct rows (k,)
    method : "auto", "dense" or "tree": how nearest neighbours are found; the result is the same

    Raises
    ------
    InputError
        When the seeds are not distinct rows, or there is no such method.
    """
    points = np.ascontiguousarray(points, dtype=np.float64)
    n, d = points.shape
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
    seeds = seeds.astype(np.int64)
    if method not in METHODS:
        raise InputError(f"found method {method!r}; expected one of {', '.join(METHODS)}")
    # A box of a grid in d dimensions has 3^d - 1 neighbours. With fewer points, a search of the
    # tree visits most of them, and the plain loops are faster.
    if method == "tree" or (method == "auto" and n > 3.0**d):
        order, source, squared = _spread_tree(points, seeds)
    else:
        order, source, squared = _spread_dense(np.ascontiguousarray(points.T), seeds)
    return Spreading(order=order, source=source, distance=np.sqrt(squared), n_seeds=len(seeds))


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
