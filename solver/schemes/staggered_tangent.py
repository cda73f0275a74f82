"""The tangent of the staggered scheme: what small changes of its data do, forwards in time.

With δ for a change, one step takes δE, δF, δT, δp of the parameters of the medium, δS of the
source and δg of what the edges prescribe to

    δF⁺ = ∂F⁺/∂F δF + ∂F⁺/∂E_k (δE_k − δE_l) + ∂F⁺/∂p_k δp_k + … + ∂F⁺/∂T_l δT_l
    δE* = δE − c Δt div δF⁺ + Δt δS
    δT⁺ = −(g_T δT + g_E δE + g_E* δE* + g_p δp)/g_T⁺
    δE⁺ = δE* − G_T⁺ δT⁺ − G_T δT − G_p δp

with the derivatives of `staggered_derivatives`, at the states before and after the step. It is the
transpose of the adjoint to rounding, and gives the Jacobian of the signals times a vector.
"""

import numpy as np

from opalux.base.kernels import njit
from opalux.solver.edges import EQUILIBRIUM
from opalux.solver.schemes.ghosts import wrap
from opalux.solver.schemes.staggered_adjoint_edges import free, held, opacities, place
from opalux.solver.schemes.staggered_derivatives import (
    BY_GAIN,
    BY_HEAT,
    BY_MIDDLE,
    BY_OLD,
    BY_TEMPERATURE,
    FIRST,
    GAIN_NEW,
    GAIN_OLD,
    MEAN_BY,
    VALUE,
    cell_scratch,
    evaluate_cells,
    evaluate_faces,
    exchange,
    push,
)  # fmt: skip
from opalux.solver.schemes.staggered_edges import (
    CENTRED,
    CLOSED,
    DRIVEN,
    HELD,
    INNER,
    START,
    edge_value,
)  # fmt: skip
from opalux.solver.schemes.staggered_signals import record
from opalux.solver.schemes.strips import PIECE

E, FX, FY, T = range(4)
UP, DOWN, LEFT, RIGHT = range(4)


@njit(error_model="numpy", borrows=True)
def faces_on(dF, F_new, E_k, E_l, T_k, T_l, dE_k, dE_l, dT_k, dT_l, ds, s, s_T, T_f, half_c_dt,
             q):  # fmt: skip
    """Step δF on n faces; ``ds`` is what the parameters change of s."""
    for i in range(dF.shape[0]):
        by_F, by_E, by_T, by_s = push(
            F_new[i], E_k[i], E_l[i], s[i], 0.5 * s_T[i], T_f[i] * T_f[i] * T_f[i], half_c_dt, q
        )
        warmed = (T_k[i] * T_k[i] * T_k[i]) * dT_k[i] + (T_l[i] * T_l[i] * T_l[i]) * dT_l[i]
        dF[i] = by_F * dF[i] + by_E * (dE_k[i] - dE_l[i]) + (by_T * warmed + by_s * ds[i])


@njit(error_model="numpy", borrows=True)
def cells_on(dE, dT, brought, E_old, T_old, E_new, T_new, gain_new, gain_old, C, C_T, s, s_T, m,
             m_T, a, c_dt, d_mean, dm, ds, dC):  # fmt: skip
    """Step δE and δT of n cells.

    ``brought`` is Δt δS − c Δt div δF⁺; ``d_mean``, ``dm``, ``ds``, ``dC`` are what the parameters
    change of C̄, σ_m, σ and C.
    """
    for i in range(dE.shape[0]):
        per_new, old, late, lag, by_m, by_s, by_C = exchange(
            E_old[i], T_old[i], E_new[i], T_new[i], gain_new[i], gain_old[i], C[i], C_T[i], s[i],
            s_T[i], m[i], m_T[i], a, c_dt,
        )  # fmt: skip
        left, gained = dE[i] + brought[i], (T_new[i] - T_old[i]) * d_mean[i]
        moved = gained * (1 + late) + by_m * dm[i] + (by_s * ds[i] + by_C * dC[i])
        change = (late * left + lag * dE[i] + old * dT[i] - moved) * per_new
        dE[i] = left - gain_new[i] * change + gain_old[i] * dT[i] - gained
        dT[i] = change


@njit(error_model="numpy", borrows=True)
def add(out, slope, change):
    """Add what a change of a parameter changes of n numbers."""
    for i in range(change.shape[0]):
        out[i] += slope[i] * change[i]


@njit(error_model="numpy", borrows=True)
def edge_on(side, kind, beta, rules, change, dp, dg, before, beside_before, F_out, old, new, rho,
            pair, h, c_dt, k, w, a, theta):  # fmt: skip
    """Step δF on one edge, whose next faces have been stepped; see `staggered_adjoint_edges.edge`.

    ``before``, ``beside_before`` (cells,): δF on the edge and on the next face before the step.
    """
    ny, nx = old.shape[1] - 2, old.shape[2] - 2
    f = FY if side < 2 else FX
    inwards = 1 if side in (DOWN, LEFT) else -1
    n_cells = nx if side < 2 else ny
    if kind in (CLOSED, DRIVEN):
        for n in range(n_cells):
            _, _, face, _ = place(side, n, ny, nx)
            change[f, face[0], face[1]] = dg[n] if kind == DRIVEN else 0.0
        return
    opacities(side, n_cells, old, rho, pair)
    _, results, registers = pair
    s, s_T, T_faces = registers[results[VALUE]], registers[results[BY_TEMPERATURE]], registers[1]
    for n in range(n_cells):
        (j, i), outside, face, beside = place(side, n, ny, nx)
        T_1, T_o = old[T, j, i], old[T, outside[0], outside[1]]
        follows = T_o == T_1
        dT = change[T, j, i]
        dT_f = 0.5 * (T_1**3 + (T_o**3 if follows else 0.0)) * dT / T_faces[n] ** 3
        dsigma = 0.5 * s_T[n] * dT_f
        for p in range(dp.shape[0]):
            by_k, by_l = results[FIRST + 2 * p], results[FIRST + 2 * p + 1]
            dsigma += 0.5 * (registers[by_k, n] + registers[by_l, n]) * dp[p, j, i]
        F, F_new, sigma = old[f, face[0], face[1]], new[f, face[0], face[1]], 0.5 * s[n]
        if kind == HELD:
            push = 2 * (k * c_dt / h) * inwards
            E_o = old[E, outside[0], outside[1]]
            below = old[E, j, i] - edge_value(kind, E_o, F_out[n], inwards, w)
            by_F, by_g, by_sigma = held(
                F, F_new, below, push, 2 * k * beta * c_dt / h, c_dt, c_dt * sigma, theta
            )
            warmed = 4 * a * T_o**3 * dT if rules[E] == EQUILIBRIUM and follows else 0.0
            risen = dg[n] + warmed - change[E, j, i]
            stepped = by_F * before[n] + by_g * risen + by_sigma * dsigma
        else:
            G, G_new = old[f, beside[0], beside[1]], new[f, beside[0], beside[1]]
            by_F, by_G, by_G_new, by_sigma = free(F, G, G_new, sigma, h, c_dt, w, theta)
            stepped = (
                by_F * before[n] + by_G * beside_before[n] + by_sigma * dsigma
                + by_G_new * change[f, beside[0], beside[1]]
            )  # fmt: skip
        change[f, face[0], face[1]] = stepped


@njit(error_model="numpy", borrows=True)
def faces_of_row(change, dp, old, new, rho, f, j, first, last, pair, knows_T, c_dt, q, work):
    """Step δF on the faces right of (f = FX) or above (FY) the cells first..last − 1 of row j."""
    ds = work[1]
    _, results, registers = pair
    s, s_T, T_f = registers[results[VALUE]], registers[results[BY_TEMPERATURE]], registers[1]
    up, right = (1, 0) if f == FY else (0, 1)
    for low in range(first, last, PIECE):
        high = min(low + PIECE, last)
        k, l, j_l = slice(low, high), slice(low + right, high + right), j + up  # noqa: E741
        evaluate_faces(pair, knows_T, old[T, j, k], old[T, j_l, l], rho[j, k], rho[j_l, l])
        for i in range(high - low):
            ds[i] = 0.0
        for p in range(dp.shape[0]):
            add(ds, registers[results[FIRST + 2 * p]], dp[p, j, k])
            add(ds, registers[results[FIRST + 2 * p + 1]], dp[p, j_l, l])
        faces_on(
            change[f, j, k], new[f, j, k], old[E, j, k], old[E, j_l, l], old[T, j, k],
            old[T, j_l, l], change[E, j, k], change[E, j_l, l], change[T, j, k],
            change[T, j_l, l], ds, s, s_T, T_f, 0.5 * c_dt, q,
        )  # fmt: skip


@njit(error_model="numpy", borrows=True)
def cells_of_row(change, dp, emitted, old, new, rho, j, nu_x, nu_y, a, c_dt, matter, work):
    """Step δE and δT of the cells of row j."""
    scratch, brought = work[0], work[2]
    d_mean, dm, ds, dC = scratch[BY_GAIN:], scratch[BY_MIDDLE:], scratch[BY_OLD:], scratch[BY_HEAT:]
    old_program, middle_program, capacity = matter
    by_old, old_values = old_program[1], old_program[2]
    by_middle, middle_values = middle_program[1], middle_program[2]
    parameters = dp.shape[0]
    heat = FIRST + parameters  # where the results for C begin
    C = old_values[by_old[heat + VALUE]]
    varies = capacity[2].shape[0] > 0
    gain_new, gain_old = (scratch[GAIN_NEW:], scratch[GAIN_OLD:]) if varies else (C, C)
    for low in range(1, change.shape[2] - 1, PIECE):
        high = min(low + PIECE, change.shape[2] - 1)
        k = slice(low, high)
        evaluate_cells(scratch, old[T, j, k], new[T, j, k], rho[j, k], matter)
        for i in range(high - low):
            m = low + i
            brought[i] = emitted[j, m] - (
                nu_x * (change[FX, j, m] - change[FX, j, m - 1])
                + nu_y * (change[FY, j, m] - change[FY, j - 1, m])
            )
            d_mean[i] = dm[i] = ds[i] = dC[i] = 0.0
        for p in range(parameters):
            C_p = old_values[by_old[heat + FIRST + p]]
            add(d_mean, scratch[MEAN_BY + p * PIECE :] if varies else C_p, dp[p, j, k])
            add(dm, middle_values[by_middle[FIRST + p]], dp[p, j, k])
            add(ds, old_values[by_old[FIRST + p]], dp[p, j, k])
            add(dC, C_p, dp[p, j, k])
        cells_on(
            change[E, j, k], change[T, j, k], brought, old[E, j, k], old[T, j, k], new[E, j, k],
            new[T, j, k], gain_new, gain_old, C, old_values[by_old[heat + BY_TEMPERATURE]],
            old_values[by_old[VALUE]], old_values[by_old[BY_TEMPERATURE]],
            middle_values[by_middle[VALUE]], middle_values[by_middle[BY_TEMPERATURE]], a, c_dt,
            d_mean, dm, ds, dC,
        )  # fmt: skip


@njit(error_model="numpy", borrows=True)
def step_on(change, dp, dg, emitted, old, new, rho, spacing, w, physics, programs, kinds, betas,
            rules, t, given, work):  # fmt: skip
    """Take one step of the tangent, in place; ``change`` (4, ny + 2, nx + 2) has filled ghosts.

    ``dp`` (parameters, ny + 2, nx + 2), ``dg`` per edge (cells,) and ``emitted`` (ny + 2, nx + 2)
    are the changes of the medium, of what edges prescribe, and of Δt S. The other parameters are
    those of `staggered_adjoint.march_back`.
    """
    dx, dy = spacing
    dt, c, a = physics
    pair, knows_T, matter, _ = programs
    before, beside_before = work[3:]
    ny, nx = old.shape[1] - 2, old.shape[2] - 2
    k = w * w
    c_dt_F = c * (0.5 * dt if t == 0.0 else dt)
    for side in range(4):
        f = FY if side < 2 else FX
        for n in range(nx if side < 2 else ny):
            _, _, face, beside = place(side, n, ny, nx)
            before[side, n] = change[f, face[0], face[1]]
            beside_before[side, n] = change[f, beside[0], beside[1]]
    for j in range(ny + 1):
        faces_of_row(
            change, dp, old, new, rho, FY, j, 1, nx + 1, pair, knows_T, c_dt_F, k * c_dt_F / dy,
            work,
        )  # fmt: skip
        if j > 0:
            faces_of_row(
                change, dp, old, new, rho, FX, j, 0, nx + 1, pair, knows_T, c_dt_F,
                k * c_dt_F / dx, work,
            )  # fmt: skip
    for side in (DOWN, UP, LEFT, RIGHT):
        if kinds[side] != INNER:
            edge_on(
                side, kinds[side], betas[side], rules[side], change, dp, dg[side], before[side],
                beside_before[side], given[side][FY if side < 2 else FX], old, new, rho, pair,
                dy if side < 2 else dx, c_dt_F, k, w, a, START if t == 0.0 else CENTRED,
            )  # fmt: skip
    for j in range(1, ny + 1):
        cells_of_row(
            change, dp, emitted, old, new, rho, j, c * dt / dx, c * dt / dy, a, c * dt, matter,
            work,
        )  # fmt: skip


@njit(error_model="numpy", borrows=True)
def march_on(change, dp, dg, emitted, states, rho, spacing, w, physics, programs, kinds, betas,
             rules, wraps, times, given, signals, at_edge, work):  # fmt: skip
    """Go along the steps from states[0] to states[n], recording the change of the signals.

    ``dg`` per edge (n, cells), ``signals`` per edge (n, 4, cells); the rest as in `step_on` and in
    `staggered_adjoint.march_back`.
    """
    for n in range(times.shape[0]):
        wrap(change, wraps[0], wraps[1])
        seen = (signals[0][n], signals[1][n], signals[2][n], signals[3][n])
        record(change, 1.0 if times[n] == 0.0 else 0.5, seen, at_edge)
        step_on(
            change, dp, (dg[0][n], dg[1][n], dg[2][n], dg[3][n]), emitted, states[n],
            states[n + 1], rho, spacing, w, physics, programs, kinds, betas, rules, times[n],
            (given[0][n], given[1][n], given[2][n], given[3][n]), work,
        )  # fmt: skip
        if times[n] != 0.0:
            record(change, -0.5, seen, at_edge)


def scratch(nx: int, ny: int, parameters: int) -> tuple[np.ndarray, ...]:
    """Return the scratch arrays of `step_on`."""
    return (
        cell_scratch(parameters), np.zeros(PIECE), np.zeros(PIECE),
        np.zeros((4, max(nx, ny))), np.zeros((4, max(nx, ny))),
    )  # fmt: skip
