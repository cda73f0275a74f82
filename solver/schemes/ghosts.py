"""Ghost cells at the edges of the domain, and the signals read beside them.

The kernels work on ``state`` (4, ny + 2, nx + 2) = E, Fx, Fy, T with one layer of ghost cells;
edges come in the order up, down, left, right. No function here knows of MPI or files.
"""

from opalux.base.kernels import njit
from opalux.solver.edges import EQUILIBRIUM, FREE, GIVEN, MARK, MARSHAK, MIRRORED, WARMER

E, FX, FY, T = range(4)


@njit(inline="always")
def ghost(rule, inside, outside, given, a, T_ghost):
    """Return the new value of one field of one ghost cell."""
    if rule == FREE:
        return inside
    if rule == GIVEN:
        return given
    if rule == EQUILIBRIUM:
        return a * T_ghost**4.0 + given
    if rule == MIRRORED:
        return -inside
    if rule in (MARK, MARSHAK):
        return a * given**4.0
    if rule == WARMER:  # cold surroundings do not cool the edge of the medium: nothing touches it
        return max(inside, given)
    return outside


@njit()
def fill_row(state, j_ghost, j_inside, rules, given, a, radiation_first):
    """Fill the ghost row of the upper or lower edge from the row inside and ``given`` (4, nx).

    ``radiation_first``: the equilibrium energy sees the ghost's old temperature, as published.
    """
    for i in range(given.shape[1]):
        k = i + 1
        T_old = state[T, j_ghost, k]
        T_new = ghost(rules[T], state[T, j_inside, k], T_old, given[T, i], a, T_old)
        T_seen = T_old if radiation_first else T_new
        for f in (E, FX, FY):
            state[f, j_ghost, k] = ghost(
                rules[f], state[f, j_inside, k], state[f, j_ghost, k], given[f, i], a, T_seen
            )
        state[T, j_ghost, k] = T_new


@njit(inline="always")
def fill_side(state, j, k_ghost, k_inside, rules, given, a, radiation_first):
    """Fill the ghost cell at the end of row ``j`` from the cell inside and ``given`` (4, ny)."""
    T_old = state[T, j, k_ghost]
    T_new = ghost(rules[T], state[T, j, k_inside], T_old, given[T, j - 1], a, T_old)
    T_seen = T_old if radiation_first else T_new
    for f in (E, FX, FY):
        state[f, j, k_ghost] = ghost(
            rules[f], state[f, j, k_inside], state[f, j, k_ghost], given[f, j - 1], a, T_seen
        )
    state[T, j, k_ghost] = T_new


@njit()
def wrap(state, along_x, along_y):
    """Continue a periodic field that one process owns entirely."""
    if along_x:
        for f in range(state.shape[0]):
            for j in range(1, state.shape[1] - 1):
                state[f, j, 0] = state[f, j, state.shape[2] - 2]
                state[f, j, state.shape[2] - 1] = state[f, j, 1]
    if along_y:
        for f in range(state.shape[0]):
            for k in range(1, state.shape[2] - 1):
                state[f, 0, k] = state[f, state.shape[1] - 2, k]
                state[f, state.shape[1] - 1, k] = state[f, 1, k]


@njit()
def record(state, at_edge, up, down, left, right):
    """Copy the cells along the edges into the signals (4, cells); empty signals are skipped.

    ``at_edge``: what two cells extrapolate to on the edge itself, in the place of the first cell.
    """
    ny, nx = state.shape[1] - 2, state.shape[2] - 2
    for f in range(4):
        for i in range(up.shape[1]):
            up[f, i] = seen(state[f, ny, i + 1], state[f, ny - 1, i + 1], at_edge and ny > 1)
        for i in range(down.shape[1]):
            down[f, i] = seen(state[f, 1, i + 1], state[f, 2, i + 1], at_edge and ny > 1)
        for j in range(left.shape[1]):
            left[f, j] = seen(state[f, j + 1, 1], state[f, j + 1, 2], at_edge and nx > 1)
        for j in range(right.shape[1]):
            right[f, j] = seen(state[f, j + 1, nx], state[f, j + 1, nx - 1], at_edge and nx > 1)


@njit(inline="always")
def seen(first, second, at_edge):
    """Return the value of the first cell, or that on the edge half a cell before it."""
    return 1.5 * first - 0.5 * second if at_edge else first
