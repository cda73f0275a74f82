"""A k-d tree from which points can be removed; it finds the nearest of the points left.

The tree is balanced and complete: node i has the children 2i + 1 and 2i + 2, the leaves come
last, and each node owns a slice of the places. To remove a point, the tree moves it to the end of
its leaf and lowers the counts of the nodes above it; nothing else changes.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from opalux.base.kernels import njit

LEAF_SIZE = 8
MAX_DEPTH = 64
"""Depth of the stack of a search; 2^40 points need 37."""


class Tree(NamedTuple):
    """The tree; n points, d dimensions, m nodes.

    Attributes
    ----------
    points : by place (n, d)
    rows : row of the point at each place (n,)
    places : place of the point of each row (n,)
    leaves : leaf of the point of each row (n,)
    first : first place of each node (m,)
    alive : number of points left in each node (m,)
    low, high : box around the points that each node had at first (m, d)
    """

    points: NDArray[np.float64]
    rows: NDArray[np.int64]
    places: NDArray[np.int64]
    leaves: NDArray[np.int64]
    first: NDArray[np.int64]
    alive: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


@njit()
def grow(points: NDArray[np.float64]) -> Tree:
    """Return the tree of points (n, d); each node is divided in two across its longest side."""
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


@njit()
def remove(tree: Tree, row: int) -> None:
    """Remove the point of a row from the tree."""
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


@njit()
def _box_distance(tree: Tree, node: int, x: NDArray[np.float64]) -> float:
    """Return the squared distance from x to the box of a node; infinite when no point is left.

    Rounding is monotonic, and the terms are summed in the order of `nearest`. The result is
    therefore never larger than the computed squared distance to a point in the box, and no tie
    is lost.
    """
    if tree.alive[node] == 0:
        return np.inf
    total = 0.0
    for k in range(len(x)):
        outside = max(tree.low[node, k] - x[k], x[k] - tree.high[node, k], 0.0)
        total += outside * outside
    return total


@njit()
def nearest(tree: Tree, x: NDArray[np.float64]) -> tuple[float, int]:
    """Return squared distance and row of the point nearest to x (d,); of equals, the lowest row.

    For an empty tree the distance is infinite and the row is -1.
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
        for child, bound in ((far, to_far), (near, to_near)):  # the near one is visited first
            if bound <= best and bound < np.inf:
                nodes[waiting], bounds[waiting] = child, bound
                waiting += 1
    return best, best_row
