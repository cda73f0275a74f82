"""The tangent of the staggered scheme: what a small change of the density does, forwards in time.

With δ for a change, one step takes δE, δF, δT and δρ to

    δF⁺ = ∂F⁺/∂F δF + ∂F⁺/∂E_k (δE_k − δE_l) + ∂F⁺/∂ρ_k δρ_k + … + ∂F⁺/∂T_l δT_l
    δE* = δE − c Δt div δF⁺
    δT⁺ = −(g_T δT + g_E δE + g_E* δE* + g_ρ δρ)/g_T⁺
    δE⁺ = δE* − G_T⁺ δT⁺ − G_T δT − G_ρ δρ

with the derivatives of `staggered_derivatives`, at the states before and after the step. It is the
transpose of the adjoint to rounding, and gives the Jacobian of the signals times a vector.
"""

import numpy as np

from opalux.base.kernels import njit
from opalux.solver.edges import EQUILIBRIUM
from opalux.solver.schemes.ghosts import wrap
from opalux.solver.schemes.staggered_adjoint_edges import free, held, opacities, place
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

E, FX, FY, T = range(4)
UP, DOWN, LEFT, RIGHT = range(4)


@njit(error_model="numpy")
def faces_on(dF, by, dE_k, dE_l, dT_k, dT_l, drho_k, drho_l):
    """Step δF on n faces."""
    for i in range(dF.shape[0]):
        dF[i] = (
            by[BY_F, i] * dF[i] + by[BY_FALL, i] * (dE_k[i] - dE_l[i])
            + (by[BY_RHO_K, i] * drho_k[i] + by[BY_RHO_L, i] * drho_l[i])
            + (by[BY_T_K, i] * dT_k[i] + by[BY_T_L, i] * dT_l[i])
        )  # fmt: skip


@njit(error_model="numpy")
def cells_on(dE, dT, by, heat, brought, drho):
    """Step δE and δT of n cells; ``brought`` is −c Δt div δF⁺."""
    for i in range(dE.shape[0]):
        star = dE[i] + brought[i]
        change = (
            by[BY_STAR, i] * star + by[BY_E, i] * dE[i] - by[BY_OLD, i] * dT[i]
            - by[BY_RHO, i] * drho[i]
        ) / by[BY_NEW, i]  # fmt: skip
        dE[i] = (
            star
            - heat[GAIN_NEW, i] * change
            - heat[GAIN_OLD, i] * dT[i]
            - heat[GAIN_RHO, i] * drho[i]
        )
        dT[i] = change


@njit(error_model="numpy")
def edge_on(side, kind, beta, rules, change, drho, before, beside_before, F_out, old, new, rho,
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
            change[f, face[0], face[1]] = 0.0
        return
    s, s_k, s_l, s_T = opacities(side, n_cells, old, rho, pair)
    T_faces = pair[2][1]
    for n in range(n_cells):
        (j, i), outside, face, beside = place(side, n, ny, nx)
        T_1, T_o = old[T, j, i], old[T, outside[0], outside[1]]
        follows = T_o == T_1
        dT = change[T, j, i]
        dT_f = 0.5 * (T_1**3 + (T_o**3 if follows else 0.0)) * dT / T_faces[n] ** 3
        dsigma = 0.5 * ((s_k[n] + s_l[n]) * drho[j, i] + s_T[n] * dT_f)
        F, F_new, sigma = old[f, face[0], face[1]], new[f, face[0], face[1]], 0.5 * s[n]
        if kind == HELD:
            push = 2 * (k * c_dt / h) * inwards
            E_o = old[E, outside[0], outside[1]]
            below = old[E, j, i] - edge_value(kind, E_o, F_out[n], inwards, w)
            by_F, by_g, by_sigma = held(
                F, F_new, below, push, 2 * k * beta * c_dt / h, c_dt, c_dt * sigma, theta
            )
            dg = 4 * a * T_o**3 * dT if rules[E] == EQUILIBRIUM and follows else 0.0
            stepped = by_F * before[n] + by_g * (dg - change[E, j, i]) + by_sigma * dsigma
        else:
            G, G_new = old[f, beside[0], beside[1]], new[f, beside[0], beside[1]]
            by_F, by_G, by_G_new, by_sigma = free(F, G, G_new, sigma, h, c_dt, w, theta)
            stepped = (
                by_F * before[n] + by_G * beside_before[n] + by_sigma * dsigma
                + by_G_new * change[f, beside[0], beside[1]]
            )  # fmt: skip
        change[f, face[0], face[1]] = stepped


@njit(error_model="numpy")
def step_on(change, drho, old, new, rho, spacing, w, physics, programs, kinds, betas, rules, t,
            given, work):  # fmt: skip
    """Take one step of the tangent, in place; ``change`` (4, ny + 2, nx + 2) has filled ghosts.

    The other parameters are those of `staggered_adjoint.step_back`.
    """
    dx, dy = spacing
    dt, c, a, C_v = physics
    pair, knows_T, absorption, capacity = programs
    by_cell, by_face, heat, at, brought, before, beside_before = work
    ny, nx = old.shape[1] - 2, old.shape[2] - 2
    k, width = w * w, nx + 2
    c_dt_F = c * (0.5 * dt if t == 0.0 else dt)
    inner = slice(1, nx + 1)
    for side in range(4):
        f = FY if side < 2 else FX
        for n in range(nx if side < 2 else ny):
            _, _, face, beside = place(side, n, ny, nx)
            before[side, n] = change[f, face[0], face[1]]
            beside_before[side, n] = change[f, beside[0], beside[1]]
    for j in range(ny + 1):
        faces(
            by_face, new[FY, j, inner], old[E, j, inner], old[E, j + 1, inner], old[T, j, inner],
            old[T, j + 1, inner], rho[j, inner], rho[j + 1, inner], pair, knows_T, c_dt_F,
            k * c_dt_F / dy,
        )  # fmt: skip
        faces_on(
            change[FY, j, inner], by_face, change[E, j, inner], change[E, j + 1, inner],
            change[T, j, inner], change[T, j + 1, inner], drho[j, inner], drho[j + 1, inner],
        )  # fmt: skip
        if j == 0:
            continue
        faces(
            by_face, new[FX, j, : width - 1], old[E, j, :-1], old[E, j, 1:], old[T, j, :-1],
            old[T, j, 1:], rho[j, :-1], rho[j, 1:], pair, knows_T, c_dt_F, k * c_dt_F / dx,
        )  # fmt: skip
        faces_on(
            change[FX, j, : width - 1], by_face, change[E, j, :-1], change[E, j, 1:],
            change[T, j, :-1], change[T, j, 1:], drho[j, :-1], drho[j, 1:],
        )  # fmt: skip
    for side in (DOWN, UP, LEFT, RIGHT):
        if kinds[side] != INNER:
            edge_on(
                side, kinds[side], betas[side], rules[side], change, drho, before[side],
                beside_before[side], given[side][FY if side < 2 else FX], old, new, rho, pair,
                dy if side < 2 else dx, c_dt_F, k, w, a, START if t == 0.0 else CENTRED,
            )  # fmt: skip
    for j in range(1, ny + 1):
        cells(
            by_cell, heat, old[E, j, inner], old[T, j, inner], new[E, j, inner], new[T, j, inner],
            rho[j, inner], C_v, a, c * dt, absorption, capacity, at,
        )  # fmt: skip
        for i in range(1, nx + 1):
            brought[i - 1] = -(
                (c * dt / dx) * (change[FX, j, i] - change[FX, j, i - 1])
                + (c * dt / dy) * (change[FY, j, i] - change[FY, j - 1, i])
            )
        cells_on(change[E, j, inner], change[T, j, inner], by_cell, heat, brought, drho[j, inner])


@njit(error_model="numpy")
def march_on(change, drho, states, rho, spacing, w, physics, programs, kinds, betas, rules, wraps,
             times, given, signals, at_edge, work):  # fmt: skip
    """Go along the steps from states[0] to states[n], recording the change of the signals.

    ``signals`` per edge (n, 4, cells); the rest as in `staggered_adjoint.march_back`.
    """
    for n in range(times.shape[0]):
        wrap(change, wraps[0], wraps[1])
        seen = (signals[0][n], signals[1][n], signals[2][n], signals[3][n])
        record(change, 1.0 if times[n] == 0.0 else 0.5, seen, at_edge)
        step_on(
            change, drho, states[n], states[n + 1], rho, spacing, w, physics, programs, kinds,
            betas, rules, times[n], (given[0][n], given[1][n], given[2][n], given[3][n]), work,
        )  # fmt: skip
        if times[n] != 0.0:
            record(change, -0.5, seen, at_edge)


def scratch(nx: int, ny: int) -> tuple[np.ndarray, ...]:
    """Return the scratch arrays of `step_on`."""
    return (
        np.zeros((12, nx)), np.zeros((6, nx + 1)), np.zeros((7, nx)), np.zeros(nx), np.zeros(nx),
        np.zeros((4, max(nx, ny))), np.zeros((4, max(nx, ny))),
    )  # fmt: skip
