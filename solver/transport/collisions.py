"""Collisions: absorption, emission and isotropic scattering in each cell, implicit.

With κ = c Δt σ_c, a step of implicit Euler from I* (mean E*) is

    I = (I* + c Δt [σ_a a T⁴ + (σ_c − σ_a) E])/(1 + κ),   E − E* = c Δt σ_a (a T⁴ − E),
    ∫ρ C_v dT = −(E − E*),

E and T do not depend on the directions: the coupling of P1 solves for them and keeps the energy to
rounding. What is left is I = E + (I* − E*)/(1 + κ), whose mean is E whatever the error of the
coupling.

Streaming and collisions are stepped together by the implicit-explicit method ARS(2,2,2) of second
order (Ascher, Ruuth and Spiteri, Appl. Numer. Math. 25, 1997), with γ = 1 − 1/√2, δ = 1 − 1/(2γ),
streaming X and collisions C:

    I₁ = I_n + Δt γ X(I_n) + Δt γ C(I₁)
    I₂ = I_n + Δt [δ X(I_n) + (1 − δ) X(I₁)] + Δt [(1 − γ) C(I₁) + γ C(I₂)]

Unlike a splitting, it has the right diffusion for any c Δt σ: in the limit I₁ is E − Ω·∇E/σ.
"""

import numpy as np

from opalux.base.kernels import njit
from opalux.solver.formulas.programs import run
from opalux.solver.schemes.coupling import couple_row
from opalux.solver.schemes.coupling_stage import BEYOND, GAMMA, STAGE_ROWS, finish_row
from opalux.solver.transport.streaming import stream

DELTA = 1 - 1 / (2 * GAMMA)


@njit(error_model="numpy")
def opacity(sigma, rho, T, sigma_c):
    """Fill ``sigma`` (n,) with σ_c(ρ, T) [1/cm]."""
    code, result, registers = sigma_c
    n = sigma.shape[0]
    registers[0, :n] = rho
    registers[1, :n] = T
    run(code, registers, n)
    sigma[:] = registers[result, :n]


@njit(error_model="numpy")
def step(intensity, T, rho, directions, spacing, rules, given, source, physics, formulas, work):
    """Take one step in place.

    Parameters
    ----------
    intensity : (N²/4, 4, ny, nx) I [g/cm/sh²], normalised so that its mean is E
    T, rho : (ny, nx) matter temperature [keV], density [g/cm³]
    directions, spacing, rules : as for `stream`
    given : what enters through the edges at t and at t + γ Δt
    source : (2, ny, nx) S at the same times [g/cm/sh³]
    physics : (Δt, c, a, C_v (1 if a formula), tolerance)
    formulas : (code, result, registers) of σ_a (then 0: its program is run), σ_c and C_v
    work : three arrays like ``intensity``
    """
    dt, c, a, C_v, tolerance = physics
    sigma_a, sigma_c, heat = formulas
    first, rate, second_rate = work
    n_groups, _, ny, nx = intensity.shape
    scratch = np.empty((STAGE_ROWS, nx))
    T_1, E, E_1, E_2 = T.copy(), np.zeros_like(T), np.empty_like(T), np.empty_like(T)
    start, sigma, share = np.empty_like(T), np.empty_like(T), np.empty_like(T)
    for j in range(ny):
        opacity(sigma[j], rho[j], T[j], sigma_c)
    c_dt = GAMMA * c * dt
    weights = directions[2]
    for m in range(n_groups):
        for j in range(ny):
            for i in range(nx):
                E[j, i] += weights[m] * (
                    (intensity[m, 0, j, i] + intensity[m, 1, j, i])
                    + (intensity[m, 2, j, i] + intensity[m, 3, j, i])
                )
    gain = stream(intensity, rate, directions, sigma, spacing, c, rules, given[0])
    for j in range(ny):
        for i in range(nx):
            start[j, i] = E[j, i] + GAMMA * dt * gain[j, i]
            E_1[j, i] = start[j, i] + GAMMA * dt * source[0, j, i]
        couple_row(E_1[j], T_1[j], rho[j], rho[j], C_v, a, c_dt, tolerance, sigma_a, heat, scratch)
        opacity(sigma[j], rho[j], T_1[j], sigma_c)
        share[j] = 1.0 / (1.0 + c_dt * sigma[j])
    for m in range(n_groups):
        for q in range(4):
            for j in range(ny):
                for i in range(nx):
                    moved = intensity[m, q, j, i] + GAMMA * dt * rate[m, q, j, i]
                    first[m, q, j, i] = E_1[j, i] + (moved - start[j, i]) / (
                        1.0 + c_dt * sigma[j, i]
                    )
    second_gain = stream(first, second_rate, directions, sigma, spacing, c, rules, given[1])
    one, two = dt * (DELTA - GAMMA * BEYOND), dt * (1 - DELTA)
    for j in range(ny):
        for i in range(nx):
            E_2[j, i] = E[j, i] + dt * (
                DELTA * (gain[j, i] + source[0, j, i])
                + (1 - DELTA) * (second_gain[j, i] + source[1, j, i])
            )
            start[j, i] = (
                E[j, i] + BEYOND * (E_1[j, i] - E[j, i])
                + one * gain[j, i] + two * second_gain[j, i]
            )  # fmt: skip
        finish_row(
            E_2[j], T_1[j], T[j], rho[j], rho[j], C_v, a, c * dt, tolerance, sigma_a, heat, scratch
        )
        opacity(sigma[j], rho[j], T_1[j], sigma_c)
        share[j] = 1.0 / (1.0 + c_dt * sigma[j])
        T[j] = T_1[j]
    for m in range(n_groups):
        for q in range(4):
            for j in range(ny):
                for i in range(nx):
                    before = intensity[m, q, j, i]
                    moved = (
                        before + BEYOND * (first[m, q, j, i] - before)
                        + one * rate[m, q, j, i] + two * second_rate[m, q, j, i]
                    )  # fmt: skip
                    intensity[m, q, j, i] = E_2[j, i] + (moved - start[j, i]) / (
                        1.0 + c_dt * sigma[j, i]
                    )
