"""Label spreading along a minimum spanning tree that is known already.

Without ties, labels spread from any seeds along the edges of the minimum spanning tree. One run of
`spreading.spread_labels` from one point gives this tree; from then on, other starts and other seeds
take O(n log n) time.
"""

import heapq

import numpy as np
from numpy.typing import NDArray

from opalux.base.kernels import njit


@njit()
def forest_labels(
    a: NDArray[np.int64], b: NDArray[np.int64], seeds: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the labels (n,) that spread from seeds (k,) along a spanning tree.

    Edges join parts in increasing order of length, except where both hold a seed (Kruskal's
    algorithm). Without ties these are the labels of `spreading.spread_labels`.

    Parameters
    ----------
    a, b : rows at the ends of each edge, the shortest first (n - 1,)
    seeds : distinct rows; a label is a position in this list
    """
    n = len(a) + 1
    parent = np.arange(n)
    label = np.full(n, -1, np.int64)
    for k in range(len(seeds)):
        label[seeds[k]] = k
    for edge in range(len(a)):
        i, j = a[edge], b[edge]
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        while parent[j] != j:
            parent[j] = parent[parent[j]]
            j = parent[j]
        if label[i] >= 0 and label[j] >= 0:
            continue
        if label[i] < 0:
            i, j = j, i
        parent[j] = i
    labels = np.empty(n, np.int64)
    for row in range(n):
        i = row
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        labels[row] = label[i]
    return labels


@njit()
def walk(
    a: NDArray[np.int64], b: NDArray[np.int64], length: NDArray[np.float64], start: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return order (n,), source (n,) and R_min (n - 1,) of the spreading from one row.

    Parameters
    ----------
    a, b : rows at the ends of each edge of the tree (n - 1,)
    length : of each edge (n - 1,)
    start : the row
    """
    m = len(a)
    n = m + 1
    first = np.zeros(n + 1, np.int64)
    for edge in range(m):
        first[a[edge] + 1] += 1
        first[b[edge] + 1] += 1
    first = np.cumsum(first)
    used = first[:-1].copy()
    edges = np.empty(2 * m, np.int64)
    for edge in range(m):
        edges[used[a[edge]]] = edge
        used[a[edge]] += 1
        edges[used[b[edge]]] = edge
        used[b[edge]] += 1
    order = np.empty(n, np.int64)
    source = np.empty(n, np.int64)
    r_min = np.empty(m)
    done = np.zeros(n, np.bool_)
    order[0], source[0], done[start] = start, start, True
    heap = [(0.0, 0, 0, 0) for _ in range(0)]  # length, position of the source, row, source
    for step in range(n):
        row = order[step]
        for place in range(first[row], first[row + 1]):
            edge = edges[place]
            other = a[edge] if b[edge] == row else b[edge]
            if not done[other]:
                heapq.heappush(heap, (length[edge], step, other, row))
        if step < m:
            distance, _, other, row = heapq.heappop(heap)
            order[step + 1], source[step + 1], r_min[step] = other, row, distance
            done[other] = True
    return order, source, r_min
