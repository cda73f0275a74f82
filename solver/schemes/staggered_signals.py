"""The signals of the staggered scheme: what is read beside the edges of the domain, or on them."""

from opalux.base.kernels import njit
from opalux.solver.schemes.staggered_edges import FX, FY, E, T


@njit(error_model="numpy", borrows=True)
def record(state, share, signals, at_edge):
    """Add ``share`` of the fluxes to the signals (4, cells) of each edge; share > 0 also sets E, T.

    F at t_n is the mean of t_n − Δt/2 and t_n + Δt/2, which the two calls about a step add up:
    ``share`` is 1/2 before and −1/2 after it. ``at_edge``: on the edge itself, where the normal
    flux lies, and to which the rest is extrapolated; else in the cells beside it.
    """
    ny, nx = state.shape[1] - 2, state.shape[2] - 2
    up, down, left, right = signals
    if up.shape[1] > 0:
        record_side(up, share, FY, at_edge, at_edge and ny > 1, state[:, ny], state[:, ny - 1],
                    state[:, ny], state[:, ny - 1])  # fmt: skip
    if down.shape[1] > 0:
        record_side(down, share, FY, at_edge, at_edge and ny > 1, state[:, 1], state[:, 2],
                    state[:, 0], state[:, 1])  # fmt: skip
    if left.shape[1] > 0:
        record_side(left, share, FX, at_edge, at_edge and nx > 1, state[:, :, 1], state[:, :, 2],
                    state[:, :, 0], state[:, :, 1])  # fmt: skip
    if right.shape[1] > 0:
        record_side(right, share, FX, at_edge, at_edge and nx > 1, state[:, :, nx],
                    state[:, :, nx - 1], state[:, :, nx], state[:, :, nx - 1])  # fmt: skip


@njit(error_model="numpy", borrows=True)
def record_side(out, share, normal, at_edge, extrapolate, cells, deeper, faces, next_faces):
    """Record one edge, ghosts of ``cells`` and the rest (4, n + 2) included.

    ``cells`` lie along the edge and ``deeper`` behind them, ``faces`` holds the normal flux on the
    edge and ``next_faces`` that on the far side of the cells.
    """
    n, before = out.shape[1], share > 0
    along = FX + FY - normal
    share = abs(share)
    for f in (E, T):
        if before:
            for i in range(n):
                value = cells[f, i + 1]
                out[f, i] = 1.5 * value - 0.5 * deeper[f, i + 1] if extrapolate else value
    for i in range(n):
        flux = 0.5 * (cells[along, i] + cells[along, i + 1])
        if extrapolate:
            flux = 1.5 * flux - 0.5 * (0.5 * (deeper[along, i] + deeper[along, i + 1]))
        out[along, i] = share * flux + (0.0 if before else out[along, i])
    for i in range(n):
        flux = faces[normal, i + 1]
        if not at_edge:
            flux = 0.5 * (flux + next_faces[normal, i + 1])
        out[normal, i] = share * flux + (0.0 if before else out[normal, i])
