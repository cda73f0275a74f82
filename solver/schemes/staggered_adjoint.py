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
    BY_GAIN,
    BY_HEAT,
    BY_MIDDLE,
    BY_OLD,
    BY_S,
    BY_T3,
    BY_TEMPERATURE,
    FACE_BY,
    FALL,
    FIRST,
    GAIN_NEW,
    GAIN_OLD,
    MEAN_BY,
    VALUE,
    evaluate_cells,
    evaluate_faces,
    exchange,
    push,
)  # fmt: skip
from opalux.solver.schemes.staggered_edges import CENTRED, INNER, START
from opalux.solver.schemes.strips import PIECE

E, FX, FY, T = range(4)
UP, DOWN, LEFT, RIGHT = range(4)


@njit(error_model="numpy", borrows=True)
def cells_back(E_bar, T_bar, lag_bar, E_old, T_old, E_new, T_new, gain_new, gain_old, C, C_T, s,
               s_T, m, m_T, a, c_dt, by_gain, by_middle, by_old, by_heat):  # fmt: skip
    """Turn Ē⁺, T̄⁺ of n cells into Ē* and T̄, and fill ``lag_bar`` with Ē − Ē*.

    The last four rows become what ρ̄ and the like lose by C̄, σ_m, and σ and C at T.
    """
    for i in range(E_bar.shape[0]):
        per_new, old, late, lag, by_m, by_s, by_C = exchange(
            E_old[i], T_old[i], E_new[i], T_new[i], gain_new[i], gain_old[i], C[i], C_T[i], s[i],
            s_T[i], m[i], m_T[i], a, c_dt,
        )  # fmt: skip
        after = E_bar[i]
        mu = (T_bar[i] - after * gain_new[i]) * per_new
        T_bar[i] = after * gain_old[i] + mu * old
        E_bar[i] = after + mu * late
        lag_bar[i] = mu * lag
        by_gain[i] = (after + mu * (1 + late)) * (T_new[i] - T_old[i])
        by_middle[i], by_old[i], by_heat[i] = mu * by_m, mu * by_s, mu * by_C


@njit(error_model="numpy", borrows=True)
def medium_back(p_bar, by_gain, by_middle, by_old, by_heat, mean_p, m_p, s_p, C_p):
    """Add what n cells contribute to the derivatives by a parameter."""
    for i in range(p_bar.shape[0]):
        p_bar[i] -= (by_gain[i] * mean_p[i] + by_heat[i] * C_p[i]) + (
            by_middle[i] * m_p[i] + by_old[i] * s_p[i]
        )


@njit(error_model="numpy", borrows=True)
def faces_back(F_bar, F_new, E_k, E_l, s, s_T, T_f, half_c_dt, q, fall, by_T3, by_s):
    """Turn F̄⁺ on n faces into F̄, and fill what they hand on to their cells."""
    for i in range(F_bar.shape[0]):
        by_F, by_E, by_T, by_sigma = push(
            F_new[i], E_k[i], E_l[i], s[i], s_T[i], T_f[i], half_c_dt, q
        )
        after = F_bar[i]
        F_bar[i] = after * by_F
        fall[i], by_T3[i], by_s[i] = after * by_E, after * by_T, after * by_sigma


@njit(error_model="numpy", borrows=True)
def opacity_back(by_k, by_l, by_s, s_k, s_l):
    """Fill what n faces contribute to the derivatives by a parameter of their cells."""
    for i in range(by_s.shape[0]):
        by_k[i], by_l[i] = by_s[i] * s_k[i], by_s[i] * s_l[i]


@njit(error_model="numpy", borrows=True)
def gather(E_bar, T_bar, lag_bar, T, x_fall, x_T, y_fall, y_T, above_fall, above_T):
    """Add to n cells what their faces hand on, and turn Ē* into Ē.

    Cell i lies between the faces i and i + 1 of ``x``, and below the face i of ``above``.
    """
    for i in range(E_bar.shape[0]):
        E_bar[i] += lag_bar[i] + ((x_fall[i + 1] - x_fall[i]) + (above_fall[i] - y_fall[i]))
        T_bar[i] += (T[i] * T[i] * T[i]) * ((x_T[i + 1] + x_T[i]) + (above_T[i] + y_T[i]))


@njit(error_model="numpy", borrows=True)
def gather_medium(p_bar, x_k, x_l, above_k, y_l):
    """Add to n cells what their faces contribute to the derivatives by a parameter."""
    for i in range(p_bar.shape[0]):
        p_bar[i] += (x_k[i + 1] + x_l[i]) + (above_k[i] + y_l[i])


@njit(error_model="numpy", borrows=True)
def diverge_back(F_bar, star_bar, ahead, nu):
    """Add the transpose of div F⁺ to n faces, ``star_bar`` being Ē* of the cells k and l."""
    for i in range(F_bar.shape[0]):
        F_bar[i] += nu * (ahead[i] - star_bar[i])


@njit(error_model="numpy", borrows=True)
def copy(into, out):
    """Copy n numbers."""
    for i in range(into.shape[0]):
        into[i] = out[i]


@njit(error_model="numpy", borrows=True)
def close(bar, kinds, wraps):
    """Fill the ghosts of ``bar`` where there is no neighbour: from the other side, or Ē* with 0."""
    wrap(bar, wraps[0], wraps[1])
    ny, nx = bar.shape[1] - 2, bar.shape[2] - 2
    for i in range(nx + 2):
        if kinds[UP] != INNER:
            bar[E, ny + 1, i] = 0.0
        if kinds[DOWN] != INNER:
            bar[E, 0, i] = 0.0
    for j in range(ny + 2):
        if kinds[LEFT] != INNER:
            bar[E, j, 0] = 0.0
        if kinds[RIGHT] != INNER:
            bar[E, j, nx + 1] = 0.0


@njit(error_model="numpy", borrows=True)
def step_cells_back(n, bar, p_bar, states, rho, physics, programs, times, weights, at_edge,
                    points, work):  # fmt: skip
    """Begin step n backwards: what its cells do, and what the signals see after it.

    Afterwards bar[E] is Ē*, and its ghosts and those of F̄⁺ have to be filled from the neighbours.
    The parameters are those of `march_back`.
    """
    dt, c, a = physics
    _, _, matter = programs
    lag_bar, scratch = work[0], work[1]
    old_program, middle_program, capacity = matter
    by_old, old_values = old_program[1], old_program[2]
    by_middle, middle_values = middle_program[1], middle_program[2]
    if times[n] != 0.0:
        spread(bar, -0.5, weights, n, at_edge)
        spread_points(bar, -0.5, points, n)
    # The rows lie end to end, and a piece of them is taken at a time, as in the scheme itself; what
    # is computed in the ghosts between the rows is not read.
    parameters, width, size = p_bar.shape[0], rho.shape[1], rho.size
    heat = FIRST + parameters  # where the results for C begin
    C = old_values[by_old[heat + VALUE]]
    varies = capacity[2].shape[0] > 0
    gain_new, gain_old = (scratch[GAIN_NEW], scratch[GAIN_OLD]) if varies else (C, C)
    old, new = states[n].reshape((4, size)), states[n + 1].reshape((4, size))
    flat, flat_rho, p_rows = (
        bar.reshape((4, size)), rho.reshape(size), p_bar.reshape((parameters, size))
    )  # fmt: skip
    end = size - width
    for start in range(width, end, PIECE):
        stop = min(start + PIECE, end)
        T_old, T_new = old[T, start:stop], new[T, start:stop]
        evaluate_cells(scratch, T_old, T_new, flat_rho[start:stop], matter)
        cells_back(
            flat[E, start:stop], flat[T, start:stop], lag_bar[start:stop], old[E, start:stop],
            T_old, new[E, start:stop], T_new, gain_new, gain_old, C,
            old_values[by_old[heat + BY_TEMPERATURE]], old_values[by_old[VALUE]],
            old_values[by_old[BY_TEMPERATURE]], middle_values[by_middle[VALUE]],
            middle_values[by_middle[BY_TEMPERATURE]], a, c * dt, scratch[BY_GAIN],
            scratch[BY_MIDDLE], scratch[BY_OLD], scratch[BY_HEAT],
        )  # fmt: skip
        for p in range(parameters):
            C_p = old_values[by_old[heat + FIRST + p]]
            medium_back(
                p_rows[p, start:stop], scratch[BY_GAIN], scratch[BY_MIDDLE], scratch[BY_OLD],
                scratch[BY_HEAT], scratch[MEAN_BY + p] if varies else C_p,
                middle_values[by_middle[FIRST + p]], old_values[by_old[FIRST + p]], C_p,
            )  # fmt: skip


@njit(error_model="numpy", borrows=True)
def step_faces_back(n, bar, p_bar, states, rho, spacing, w, physics, programs, kinds, betas,
                    rules, wraps, times, given, weights, given_bar, at_edge, points,
                    work):  # fmt: skip
    """End step n backwards: what its faces do, and what the signals see before it."""
    dx, dy = spacing
    dt, c, a = physics
    pair, knows_T, _ = programs
    lag_bar, _, x_faces, y_faces, G_bars, done = work
    old, new = states[n], states[n + 1]
    ny, nx = rho.shape[0] - 2, rho.shape[1] - 2
    close(bar, kinds, wraps)
    k = w * w
    c_dt_F = c * (0.5 * dt if times[n] == 0.0 else dt)
    theta = START if times[n] == 0.0 else CENTRED
    width, size = nx + 2, (ny + 2) * (nx + 2)
    strip = y_faces.shape[1] - width
    flat, flat_old, flat_new = (
        bar.reshape((4, size)), old.reshape((4, size)), new.reshape((4, size))
    )  # fmt: skip
    flat_rho, p_rows, star = (
        rho.reshape(size), p_bar.reshape((p_bar.shape[0], size)), flat[E]
    )  # fmt: skip
    end = (ny + 1) * width
    diverge_back(flat[FY, :end], star[:end], star[width:], c * dt / dy)
    diverge_back(flat[FX, width : end - 1], star[width : end - 1], star[width + 1 :], c * dt / dx)
    # F̄ on the edges waits in ``done``: the other faces must not hand it on again.
    for side in range(4):
        if kinds[side] == INNER:
            continue
        f = FY if side < 2 else FX
        edge(
            side, kinds[side], betas[side], rules[side], bar, p_bar, given_bar[side][n],
            G_bars[side], given[side][n][f], old, new, rho, pair, dy if side < 2 else dx, c_dt_F, k,
            w, a, theta,
        )  # fmt: skip
        for m in range(G_bars[side].shape[0]):
            _, _, face, _ = place(side, m, ny, nx)
            done[side, m] = bar[f, face[0], face[1]]
            bar[f, face[0], face[1]] = 0.0
    # A cell's lower face is left in the first row of ``y_faces`` by the row or the strip before.
    faces_of(
        flat, flat_new, flat_old, flat_rho, FY, 0, width, width, y_faces, 0, pair, knows_T, c_dt_F,
        k * c_dt_F / dy,
    )  # fmt: skip
    for start in range(width, end, strip):
        stop = min(start + strip, end)
        for row in range(x_faces.shape[0]):
            x_faces[row, 0] = 0.0  # belongs to ghosts
        for low in range(start, stop, PIECE):
            high = min(low + PIECE, stop)
            below, count = low - start, high - low
            above = below + width
            faces_of(
                flat, flat_new, flat_old, flat_rho, FY, low, high, width, y_faces, above, pair,
                knows_T, c_dt_F, k * c_dt_F / dy,
            )  # fmt: skip
            faces_of(
                flat, flat_new, flat_old, flat_rho, FX, low, high, 1, x_faces, 1, pair, knows_T,
                c_dt_F, k * c_dt_F / dx,
            )  # fmt: skip
            gather(
                flat[E, low:high], flat[T, low:high], lag_bar[low:high], flat_old[T, low:high],
                x_faces[FALL], x_faces[BY_T3], y_faces[FALL, below:], y_faces[BY_T3, below:],
                y_faces[FALL, above:], y_faces[BY_T3, above:],
            )  # fmt: skip
            for p in range(p_bar.shape[0]):
                by_k, by_l = FACE_BY + 2 * p, FACE_BY + 2 * p + 1
                gather_medium(
                    p_rows[p, low:high], x_faces[by_k], x_faces[by_l], y_faces[by_k, above:],
                    y_faces[by_l, below:],
                )  # fmt: skip
            for row in range(x_faces.shape[0]):
                x_faces[row, 0] = x_faces[row, count]
        for row in range(y_faces.shape[0]):
            copy(y_faces[row, :width], y_faces[row, stop - start :])
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


@njit(error_model="numpy", borrows=True)
def faces_of(bar, new, old, rho, f, start, stop, step, out, at, pair, knows_T, c_dt, q):
    """Turn F̄⁺ on the faces of the cells start..stop − 1 into F̄, and fill ``out`` from ``at`` on.

    All cells lie end to end; the other cells of the faces are ``step`` further on.
    """
    _, results, registers = pair
    s, s_T, T_f = registers[results[VALUE]], registers[results[BY_TEMPERATURE]], registers[1]
    for low in range(start, stop, PIECE):
        high = min(low + PIECE, stop)
        first, last = at + low - start, at + high - start
        evaluate_faces(
            pair, knows_T, old[T, low:high], old[T, low + step : high + step], rho[low:high],
            rho[low + step : high + step],
        )  # fmt: skip
        faces_back(
            bar[f, low:high], new[f, low:high], old[E, low:high], old[E, low + step : high + step],
            s, s_T, T_f, 0.5 * c_dt, q, out[FALL, first:], out[BY_T3, first:], out[BY_S, first:],
        )  # fmt: skip
        for row in range(0, results.shape[0] - FIRST, 2):
            opacity_back(
                out[FACE_BY + row, first:], out[FACE_BY + row + 1, first:], out[BY_S, first:last],
                registers[results[FIRST + row]], registers[results[FIRST + row + 1]],
            )  # fmt: skip


@njit(error_model="numpy", borrows=True)
def march_back(bar, p_bar, states, rho, spacing, w, physics, programs, kinds, betas, rules, wraps,
               times, given, weights, given_bar, at_edge, points, work):  # fmt: skip
    """Go back through the steps that led from states[0] to states[n], in place.

    Several processes take the two halves of each step themselves: the neighbours' cells come
    between them.

    Parameters
    ----------
    bar : (4, ny + 2, nx + 2) Ē, F̄, T̄ after the steps, which become those before them
    p_bar : (parameters, ny + 2, nx + 2), added to
    states : (n + 1, 4, ny + 2, nx + 2), with ghosts
    rho, spacing, w : as for the scheme itself
    physics : Δt, c, radiation constant
    programs : of the pair's opacity, whether it depends on T, of absorption, and of ρ C_v; see
        `staggered_derivatives`
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
            n, bar, p_bar, states, rho, physics, programs, times, weights, at_edge, points, work
        )
        step_faces_back(
            n, bar, p_bar, states, rho, spacing, w, physics, programs, kinds, betas, rules, wraps,
            times, given, weights, given_bar, at_edge, points, work,
        )  # fmt: skip
