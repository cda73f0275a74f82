"""Two layers of ghost cells, which second order looks at.

``wide`` (4, ny + 4, nx + 4) holds E, Fx, Fy, T; its edges come in the order up, down, left, right.
A wall mirrors the two cells inside it. Any other edge gives both layers the same value, so that
the reconstruction finds no slope there: what the edge prescribes stands on the edge itself.
"""

import numba

from solver.edges import MIRRORED
from solver.schemes.ghosts import ghost

E, FX, FY, T = range(4)


@numba.njit(cache=True, error_model="numpy", inline="always")
def fill_pair(wide, near, far, inside, second, rules, normal, given, place, a):
    """Fill the ghost cells ``near`` and ``far`` (j, k) beside the cells ``inside``, ``second``."""
    wall = rules[normal] == MIRRORED
    for j, k, source_j, source_k in (
        (near[0], near[1], inside[0], inside[1]),
        (far[0], far[1], second[0] if wall else inside[0], second[1] if wall else inside[1]),
    ):
        T_ghost = ghost(
            rules[T], wide[T, source_j, source_k], wide[T, j, k], given[T, place], a, 0.0
        )
        wide[T, j, k] = T_ghost
        for f in (E, FX, FY):
            wide[f, j, k] = ghost(
                rules[f], wide[f, source_j, source_k], wide[f, j, k], given[f, place], a, T_ghost
            )


@numba.njit(cache=True, error_model="numpy")
def fill_halo(wide, rules, up, down, left, right, a):
    """Fill the ghost cells at the edges of the domain; ``up`` ... (4, cells) are prescribed."""
    ny, nx = wide.shape[1] - 4, wide.shape[2] - 4
    # A single row or column of cells mirrors itself.
    deep_j, deep_i = min(2, ny), min(2, nx)
    for i in range(nx):
        k = i + 2
        fill_pair(
            wide,
            (ny + 2, k),
            (ny + 3, k),
            (ny + 1, k),
            (ny + 2 - deep_j, k),
            rules[0],
            FY,
            up,
            i,
            a,
        )
        fill_pair(wide, (1, k), (0, k), (2, k), (1 + deep_j, k), rules[1], FY, down, i, a)
    for i in range(ny):
        j = i + 2
        fill_pair(wide, (j, 1), (j, 0), (j, 2), (j, 1 + deep_i), rules[2], FX, left, i, a)
        fill_pair(
            wide,
            (j, nx + 2),
            (j, nx + 3),
            (j, nx + 1),
            (j, nx + 2 - deep_i),
            rules[3],
            FX,
            right,
            i,
            a,
        )


@numba.njit(cache=True, error_model="numpy")
def wrap_halo(wide, along_x, along_y):
    """Continue a periodic field that one process owns entirely."""
    ny, nx = wide.shape[1] - 4, wide.shape[2] - 4
    for f in range(wide.shape[0]):
        for layer in range(2):
            if along_x:
                for j in range(2, ny + 2):
                    wide[f, j, layer] = wide[f, j, 2 + (layer - 2) % nx]
                    wide[f, j, nx + 2 + layer] = wide[f, j, 2 + layer % nx]
            if along_y:
                for k in range(2, nx + 2):
                    wide[f, layer, k] = wide[f, 2 + (layer - 2) % ny, k]
                    wide[f, ny + 2 + layer, k] = wide[f, 2 + layer % ny, k]
