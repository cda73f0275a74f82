"""The adjoint of the staggered scheme: exact derivatives of what it computes, backwards in time.

A step takes (E, F, T) to (E⁺, F⁺, T⁺). Its adjoint takes the derivatives of some number J with
respect to the latter, Ē⁺, F̄⁺, T̄⁺, to those with respect to the former, and adds what the step
contributes to ρ̄ = ∂J/∂ρ.

*Cells.* With the derivatives of `staggered_derivatives`,

    μ = (T̄⁺ − Ē⁺ G_T⁺)/g_T⁺,     Ē* = Ē⁺ − μ g_E*,     Ē = Ē* − μ g_E,
    T̄ = −Ē⁺ G_T − μ g_T,         ρ̄ += −Ē⁺ G_ρ − μ g_ρ

*Faces* between the cells k and l get F̄⁺ += (c Δt/h) (Ē*_l − Ē*_k) from div F⁺, and hand on what
F⁺ depends on. The edges (`staggered_adjoint_edges`) come before the other faces, because a free
edge depends on the flux that the next face has already.

Each cell gathers from its four faces in the same order, so that nothing depends on how faces are
visited, nor on how the grid is divided among processes. A face between two of them is stepped by
both, from copies of what the other one has: Ē* of the cell beyond it, and F̄⁺ of its owner, which is
the cell on its left or below it. Nothing is summed across processes.
"""

from opalux.base.kernels import njit
from opalux.solver.schemes.ghosts import wrap
from opalux.solver.schemes.staggered_adjoint_edges import edge, place, spread, spread_points
from opalux.solver.schemes.staggered_derivatives import (
    BY_E,
    BY_F,
    BY_FALL,
    BY_NEW,
    BY_OLD,
    BY_RHO,
    BY_RHO_K,
    BY_RHO_L,
    BY_STAR,
    BY_T_K,
    BY_T_L,
    GAIN_NEW,
    GAIN_OLD,
    GAIN_RHO,
    cells,
    faces,
)  # fmt: skip
from opalux.solver.schemes.staggered_edges import CENTRED, INNER, START

E, FX, FY, T = range(4)
UP, DOWN, LEFT, RIGHT = range(4)


@njit(error_model="numpy")
def cells_back(E_bar, T_bar, rho_bar, lag_bar, by, heat):
    """Turn Ē⁺, T̄⁺ of n cells into Ē* and T̄, add to ρ̄, and fill ``lag_bar`` with Ē − Ē*."""
    for i in range(E_bar.shape[0]):
        mu = (T_bar[i] - E_bar[i] * heat[GAIN_NEW, i]) / by[BY_NEW, i]
        rho_bar[i] -= E_bar[i] * heat[GAIN_RHO, i] + mu * by[BY_RHO, i]
        T_bar[i] = -E_bar[i] * heat[GAIN_OLD, i] - mu * by[BY_OLD, i]
        E_bar[i] += mu * by[BY_STAR, i]
        lag_bar[i] = mu * by[BY_E, i]


@njit(error_model="numpy")
def faces_back(F_bar, by):
    """Turn F̄⁺ of n faces into F̄, and ``by`` (6, >= n) into what the two cells get."""
    for i in range(F_bar.shape[0]):
        F_plus = F_bar[i]
        F_bar[i] = F_plus * by[BY_F, i]
        by[BY_FALL, i] *= F_plus
        by[BY_RHO_K, i] *= F_plus
        by[BY_RHO_L, i] *= F_plus
        by[BY_T_K, i] *= F_plus
        by[BY_T_L, i] *= F_plus


@njit(error_model="numpy")
def gather(E_bar, T_bar, rho_bar, lag_bar, x, y, width):
    """Add to n cells what their faces hand on, and turn Ē* into Ē.

    Cell i lies between the faces i and i + 1 of ``x`` and the faces i and i + ``width`` of ``y``.
    """
    for i in range(E_bar.shape[0]):
        a = i + width
        E_bar[i] += lag_bar[i] + (
            (x[BY_FALL, i + 1] - x[BY_FALL, i]) + (y[BY_FALL, a] - y[BY_FALL, i])
        )
        T_bar[i] += (x[BY_T_K, i + 1] + x[BY_T_L, i]) + (y[BY_T_K, a] + y[BY_T_L, i])
        rho_bar[i] += (x[BY_RHO_K, i + 1] + x[BY_RHO_L, i]) + (y[BY_RHO_K, a] + y[BY_RHO_L, i])


@njit(error_model="numpy")
def diverge_back(F_bar, star_bar, ahead, nu):
    """Add the transpose of div F⁺ to n faces, ``star_bar`` being Ē* of the cells k and l."""
    for i in range(F_bar.shape[0]):
        F_bar[i] += nu * (ahead[i] - star_bar[i])


@njit(error_model="numpy")
def close(bar, kinds, wraps):
    """Fill the ghosts of ``bar`` where there is no neighbour: from the other side, or Ē* with 0."""
    wrap(bar, wraps[0], wraps[1])
    if kinds[UP] != INNER:
        bar[E, -1] = 0.0
    if kinds[DOWN] != INNER:
        bar[E, 0] = 0.0
    if kinds[LEFT] != INNER:
        bar[E, :, 0] = 0.0
    if kinds[RIGHT] != INNER:
        bar[E, :, -1] = 0.0


@njit(error_model="numpy")
def step_cells_back(n, bar, rho_bar, states, rho, physics, programs, times, weights, at_edge,
                    points, work):  # fmt: skip
    """Begin step n backwards: what its cells do, and what the signals see after it.

    Afterwards bar[E] is Ē*, and its ghosts and those of F̄⁺ have to be filled from the neighbours.
    The parameters are those of `march_back`.
    """
    dt, c, a, C_v = physics
    _, _, absorption, capacity = programs
    lag_bar, by, heat, at, x_faces = work[:5]
    if times[n] != 0.0:
        spread(bar, -0.5, weights, n, at_edge)
        spread_points(bar, -0.5, points, n)
    # The rows lie end to end, and a strip of them is taken at a time, as in the scheme itself; what
    # is computed in the ghosts between the rows is not read.
    width, size = rho.shape[1], rho.size
    strip = x_faces.shape[1] - 1
    old, new = states[n].reshape((4, size)), states[n + 1].reshape((4, size))
    flat, rho_row, rho_bar_row = bar.reshape((4, size)), rho.reshape(size), rho_bar.reshape(size)
    end = size - width
    for start in range(width, end, strip):
        part = slice(start, min(start + strip, end))
        cells(
            by, heat, old[E, part], old[T, part], new[E, part], new[T, part], rho_row[part], C_v, a,
            c * dt, absorption, capacity, at,
        )  # fmt: skip
        cells_back(flat[E, part], flat[T, part], rho_bar_row[part], lag_bar[part], by, heat)


@njit(error_model="numpy")
def step_faces_back(n, bar, rho_bar, states, rho, spacing, w, physics, programs, kinds, betas,
                    rules, wraps, times, given, weights, given_bar, at_edge, points,
                    work):  # fmt: skip
    """End step n backwards: what its faces do, and what the signals see before it."""
    dx, dy = spacing
    dt, c, a, _ = physics
    pair, knows_T, _, _ = programs
    lag_bar, _, _, _, x_faces, y_faces, G_bars, done = work
    old, new = states[n], states[n + 1]
    ny, nx = rho.shape[0] - 2, rho.shape[1] - 2
    close(bar, kinds, wraps)
    k = w * w
    c_dt_F = c * (0.5 * dt if times[n] == 0.0 else dt)
    theta = START if times[n] == 0.0 else CENTRED
    width, size = nx + 2, (ny + 2) * (nx + 2)
    strip = x_faces.shape[1] - 1
    flat, flat_old, flat_new = (
        bar.reshape((4, size)), old.reshape((4, size)), new.reshape((4, size))
    )  # fmt: skip
    flat_rho, flat_rho_bar, star = rho.reshape(size), rho_bar.reshape(size), flat[E]
    end = (ny + 1) * width
    diverge_back(flat[FY, :end], star[:end], star[width:], c * dt / dy)
    diverge_back(flat[FX, width : end - 1], star[width : end - 1], star[width + 1 :], c * dt / dx)
    # F̄ on the edges waits in ``done``: the other faces must not hand it on again.
    for side in range(4):
        if kinds[side] == INNER:
            continue
        f = FY if side < 2 else FX
        edge(
            side, kinds[side], betas[side], rules[side], bar, rho_bar, given_bar[side][n],
            G_bars[side], given[side][n][f], old, new, rho, pair, dy if side < 2 else dx, c_dt_F, k,
            w, a, theta,
        )  # fmt: skip
        for m in range(G_bars[side].shape[0]):
            _, _, face, _ = place(side, m, ny, nx)
            done[side, m] = bar[f, face[0], face[1]]
            bar[f, face[0], face[1]] = 0.0
    for start in range(width, end, strip):
        stop = min(start + strip, end)
        # The faces from ``low`` on; those above the row before were left by the strip before.
        low, kept = (0, 0) if start == width else (start, width)
        faces(
            y_faces[:, kept:], flat_new[FY, low:stop], flat_old[E, low:stop],
            flat_old[E, low + width : stop + width], flat_old[T, low:stop],
            flat_old[T, low + width : stop + width], flat_rho[low:stop],
            flat_rho[low + width : stop + width], pair, knows_T, c_dt_F, k * c_dt_F / dy,
        )  # fmt: skip
        faces_back(flat[FY, low:stop], y_faces[:, kept:])
        first = start - 1
        faces(
            x_faces, flat_new[FX, first:stop], flat_old[E, first:stop],
            flat_old[E, start : stop + 1], flat_old[T, first:stop], flat_old[T, start : stop + 1],
            flat_rho[first:stop], flat_rho[start : stop + 1], pair, knows_T, c_dt_F,
            k * c_dt_F / dx,
        )  # fmt: skip
        faces_back(flat[FX, first:stop], x_faces)
        gather(
            flat[E, start:stop], flat[T, start:stop], flat_rho_bar[start:stop], lag_bar[start:stop],
            x_faces, y_faces, width,
        )  # fmt: skip
        y_faces[:, :width] = y_faces[:, stop - start : stop - start + width]
    for side in range(4):
        if kinds[side] == INNER:
            continue
        f = FY if side < 2 else FX
        for m in range(G_bars[side].shape[0]):
            _, _, face, beside = place(side, m, ny, nx)
            bar[f, face[0], face[1]] += done[side, m]
            bar[f, beside[0], beside[1]] += G_bars[side][m]
    share = 1.0 if times[n] == 0.0 else 0.5
    spread(bar, share, weights, n, at_edge)
    spread_points(bar, share, points, n)


@njit(error_model="numpy")
def march_back(bar, rho_bar, states, rho, spacing, w, physics, programs, kinds, betas, rules, wraps,
               times, given, weights, given_bar, at_edge, points, work):  # fmt: skip
    """Go back through the steps that led from states[0] to states[n], in place.

    Several processes take the two halves of each step themselves: the neighbours' cells come
    between them.

    Parameters
    ----------
    bar : (4, ny + 2, nx + 2) Ē, F̄, T̄ after the steps, which become those before them
    rho_bar : (ny + 2, nx + 2), added to
    states : (n + 1, 4, ny + 2, nx + 2), with ghosts
    rho, spacing, w, physics : as for the scheme itself
    programs : of the pair's opacity, of absorption and of the heat capacity, with derivatives
    kinds, betas, rules, wraps : what the edges do
    times : (n,) of the states but the last
    given : per edge (n, 4, cells), what is prescribed
    weights : per edge (n, 4, cells + 1): ∂J/∂signals, and those of the next cell on the edge
    given_bar : per edge (n, cells), filled with the derivatives by what is given there
    at_edge : whether signals are those on the edge itself
    points : places (3, m) in ``bar`` that detectors read, and ∂J (n, m) by what is there
    work : scratch, see `opalux.solver.gradient`
    """
    for n in range(times.shape[0] - 1, -1, -1):
        step_cells_back(
            n, bar, rho_bar, states, rho, physics, programs, times, weights, at_edge, points, work
        )
        step_faces_back(
            n, bar, rho_bar, states, rho, spacing, w, physics, programs, kinds, betas, rules, wraps,
            times, given, weights, given_bar, at_edge, points, work,
        )  # fmt: skip
