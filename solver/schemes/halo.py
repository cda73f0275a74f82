"""Two layers of ghost cells, for second order.

``wide`` (4, ny + 4, nx + 4) holds E, Fx, Fy, T; its edges come in the order up, down, left, right.
A wall mirrors the two cells inside it, and so does an edge where E or the normal flux alone is
prescribed, which is then odd about that value. Any other edge gives both layers the same value, and
`reconstruction` looks after the slopes there.
"""

from opalux.base.kernels import njit
from opalux.solver.edges import FREE, MIRRORED
from opalux.solver.schemes.ghosts import ghost
from opalux.solver.schemes.reconstruction import mirrors

E, FX, FY, T = range(4)


@njit(error_model="numpy", inline="always")
def fill_cell(wide, j, k, j_inside, k_inside, rules, given, place, a, normal):
    """Fill the ghost cell (j, k) from a cell inside and what is prescribed at ``place``."""
    mirrored = mirrors(rules[E], rules[normal])
    T_ghost = ghost(rules[T], wide[T, j_inside, k_inside], wide[T, j, k], given[T, place], a, 0.0)
    wide[T, j, k] = T_ghost
    for f in (E, FX, FY):
        inside = wide[f, j_inside, k_inside]
        value = ghost(rules[f], inside, wide[f, j, k], given[f, place], a, T_ghost)
        if mirrored and f in (E, normal) and rules[f] not in (FREE, MIRRORED):
            value = 2 * value - inside
        wide[f, j, k] = value


@njit(error_model="numpy")
def fill_halo(wide, rules, up, down, left, right, a):
    """Fill the ghost cells at the edges of the domain; ``up`` ... (4, cells) are prescribed.

    The inner layer comes first: the outer one of a wall mirrors it where the domain is one cell
    wide.
    """
    ny, nx = wide.shape[1] - 4, wide.shape[2] - 4
    for layer in range(2):
        deep = [
            layer if mirrors(rules[edge, E], rules[edge, FY if edge < 2 else FX]) else 0
            for edge in range(4)
        ]
        for i in range(nx):
            k = i + 2
            fill_cell(wide, ny + 2 + layer, k, ny + 1 - deep[0], k, rules[0], up, i, a, FY)
            fill_cell(wide, 1 - layer, k, 2 + deep[1], k, rules[1], down, i, a, FY)
        for i in range(ny):
            j = i + 2
            fill_cell(wide, j, 1 - layer, j, 2 + deep[2], rules[2], left, i, a, FX)
            fill_cell(wide, j, nx + 2 + layer, j, nx + 1 - deep[3], rules[3], right, i, a, FX)


@njit(error_model="numpy")
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
