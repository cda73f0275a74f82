"""A k-d tree from which points are removed, for nearest-neighbour questions about those left.

The tree is balanced and complete: node i has the children 2i + 1 and 2i + 2, the leaves come
last, and a node owns a slice of the places.  Removing a point moves it to the end of its leaf and
lowers a count on the way up to the root; nothing else changes.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

LEAF_SIZE = 8
MAX_DEPTH = 64  # of the stack of a search; a tree of 2^40 points would need 37


class Tree(NamedTuple):
    """The tree; n points, d dimensions, m nodes.

    Attributes
    ----------
    points : (n, d) float
        By place.
    rows : (n,) int
        Row of the point at each place.
    places : (n,) int
        Place of the point of each row.
    leaves : (n,) int
        Leaf of the point of each row.
    first : (m,) int
        First place of each node.
    alive : (m,) int
        Points left in each node.
    low, high : (m, d) float
        Box around the points each node began with.
    """

    points: NDArray[np.float64]
    rows: NDArray[np.int64]
    places: NDArray[np.int64]
    leaves: NDArray[np.int64]
    first: NDArray[np.int64]
    alive: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


@njit(cache=True)
def grow(points: NDArray[np.float64]) -> Tree:
    """Build the tree of points (n, d): each node is halved across its longest side."""
    n, d = points.shape
    depth = 0
    while (n >> depth) > LEAF_SIZE:
        depth += 1
    m = 2 ** (depth + 1) - 1
    first = np.zeros(m, np.int64)
    last = np.zeros(m, np.int64)
    low = np.full((m, d), np.inf)
    high = np.full((m, d), -np.inf)
    rows = np.arange(n)
    leaves = np.empty(n, np.int64)
    last[0] = n
    for node in range(m):
        a, b = first[node], last[node]
        for i in range(a, b):
            for k in range(d):
                value = points[rows[i], k]
                low[node, k] = min(low[node, k], value)
                high[node, k] = max(high[node, k], value)
        if 2 * node + 1 >= m:
            leaves[rows[a:b]] = node
            continue
        longest = np.argmax(high[node] - low[node])
        rows[a:b] = rows[a:b][np.argsort(points[rows[a:b], longest])]
        middle = (a + b) // 2
        first[2 * node + 1], last[2 * node + 1] = a, middle
        first[2 * node + 2], last[2 * node + 2] = middle, b
    places = np.empty(n, np.int64)
    places[rows] = np.arange(n)
    return Tree(points[rows], rows, places, leaves, first, last - first, low, high)


@njit(cache=True)
def remove(tree: Tree, row: int) -> None:
    """Take the point of a row out of the tree."""
    node = tree.leaves[row]
    here, end = tree.places[row], tree.first[node] + tree.alive[node] - 1
    other = tree.rows[end]
    tree.rows[here], tree.rows[end] = other, row
    tree.places[other], tree.places[row] = here, end
    for k in range(tree.points.shape[1]):
        tree.points[here, k], tree.points[end, k] = tree.points[end, k], tree.points[here, k]
    while True:
        tree.alive[node] -= 1
        if node == 0:
            return
        node = (node - 1) // 2


@njit(cache=True)
def _box_distance(tree: Tree, node: int, x: NDArray[np.float64]) -> float:
    """Squared distance from x to the box of a node, infinite when no point is left in it.

    Rounding is monotonic and the sum runs as in `nearest`, so that this never exceeds the
    squared distance, as computed, to a point of the box: ties are not cut off.
    """
    if tree.alive[node] == 0:
        return np.inf
    total = 0.0
    for k in range(len(x)):
        outside = max(tree.low[node, k] - x[k], x[k] - tree.high[node, k], 0.0)
        total += outside * outside
    return total


@njit(cache=True)
def nearest(tree: Tree, x: NDArray[np.float64]) -> tuple[float, int]:
    """Squared distance and row of the point nearest to x (d,); of equals, the lowest row.

    An empty tree gives an infinite distance and row -1.
    """
    best, best_row = np.inf, -1
    m = len(tree.first)
    nodes = np.empty(MAX_DEPTH, np.int64)
    bounds = np.empty(MAX_DEPTH)
    nodes[0], bounds[0] = 0, 0.0
    waiting = 1
    while waiting > 0:
        waiting -= 1
        node = nodes[waiting]
        if bounds[waiting] > best:
            continue
        if 2 * node + 1 >= m:
            for i in range(tree.first[node], tree.first[node] + tree.alive[node]):
                total = 0.0
                for k in range(len(x)):
                    difference = tree.points[i, k] - x[k]
                    total += difference * difference
                if total < best or (total == best and tree.rows[i] < best_row):
                    best, best_row = total, tree.rows[i]
            continue
        near, far = 2 * node + 1, 2 * node + 2
        to_near, to_far = _box_distance(tree, near, x), _box_distance(tree, far, x)
        if to_far < to_near:
            near, far, to_near, to_far = far, near, to_far, to_near
        for child, bound in ((far, to_far), (near, to_near)):  # the near one is taken up first
            if bound <= best and bound < np.inf:
                nodes[waiting], bounds[waiting] = child, bound
                waiting += 1
    return best, best_row
