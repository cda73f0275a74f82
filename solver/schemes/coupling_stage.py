"""Radiation and matter exchange energy in two implicit stages of second order.

The exchange Y′ = f(Y) of one cell is stepped by the stiffly accurate SDIRK method of order 2,

    Y₁ = Y_n + γ Δt f(Y₁),   Y₂ = Y_n + (1 − γ) Δt f(Y₁) + γ Δt f(Y₂),   γ = 1 − 1/√2,

where Y_n already contains what transport brings. Both stages are steps of implicit Euler, so that
`coupling.couple` solves them. The second one starts from Y_n + (1/γ − 1) (Y₁ − Y_n), which is
set up here in terms of the energy of matter: E + ∫ρ C_v dT is kept exactly.

That start lies beyond Y₁. Where one step changes a cell a lot, its E or T may be negative.
Such a cell takes one step of implicit Euler instead, which is positive for any Δt.
"""

import math

from opalux.base.kernels import njit
from opalux.solver.schemes.coupling import CAPACITY, LIVE, ROWS, SLOPE, couple, mean_capacity

GAMMA = 1 - math.sqrt(0.5)
BEYOND = 1 / GAMMA - 1  # how far beyond the first stage the second one starts
SWEEPS = 6  # Newton sweeps for the temperature of a given energy, where C_v varies
FOUND = 1e-6  # largest share of T in the last sweep: its square is left over

# Rows of the scratch array, behind those of `coupling`.
GAINED, START, LAST = ROWS, ROWS + 1, ROWS + 2
STAGE_ROWS = ROWS + 3


@njit(error_model="numpy", borrows=True)
def start_temperature(T_n, T, rho, C_v, heat, scratch):
    """Fill START with T and GAINED with the energy of matter since T_n where stage 2 starts."""
    n = T.shape[0]
    start, gained, last = scratch[START, :n], scratch[GAINED, :n], scratch[LAST, :n]
    for i in range(n):
        start[i] = T_n[i] + BEYOND * (T[i] - T_n[i])
        gained[i] = rho[i] * C_v * (start[i] - T_n[i])
        last[i] = 0
    if heat[2].shape[0] > 0:
        capacity, slope = scratch[CAPACITY, :n], scratch[SLOPE, :n]
        for i in range(n):
            heat[2][0, i] = rho[i]
        mean_capacity(heat, T, T_n, capacity, slope)
        for i in range(n):
            gained[i] = BEYOND * capacity[i] * (T[i] - T_n[i])
        for _ in range(SWEEPS):
            mean_capacity(heat, start, T_n, capacity, slope)
            for i in range(n):
                last[i] = (gained[i] - capacity[i] * (start[i] - T_n[i])) / slope[i]
                start[i] += last[i]
        mean_capacity(heat, start, T_n, capacity, slope)
        for i in range(n):
            gained[i] = capacity[i] * (start[i] - T_n[i])


@njit(error_model="numpy", borrows=True)
def finish_row(E, T, T_n, rho, factor, C_v, a, c_dt, tolerance, sigma_a, heat, scratch):
    """Do the second stage for n cells in place.

    Parameters
    ----------
    E : (n,) E_n with all of the step's transport; becomes E at the end of the step
    T : (n,) temperature of the first stage; becomes T at the end of the step
    T_n, rho : (n,) temperature before the step, density
    c_dt : c Δt of the whole step [cm]
    factor, C_v, a, tolerance, sigma_a, heat : as for `coupling.couple`
    scratch : (STAGE_ROWS, >= n)
    """
    n = E.shape[0]
    start_temperature(T_n, T, rho, C_v, heat, scratch)
    start, gained, last = scratch[START], scratch[GAINED], scratch[LAST]
    live = scratch[LIVE]
    beyond = 0
    for i in range(n):
        # written so that NaN is not fine
        fine = start[i] > 0 and E[i] > gained[i] and abs(last[i]) <= FOUND * start[i]
        live[i] = 1.0 if fine else 0.0
        T[i] = start[i] if fine else T_n[i]
        E[i] -= gained[i] if fine else 0.0
        beyond += not fine
    couple(E, T, rho, factor, live, C_v, a, GAMMA * c_dt, tolerance, sigma_a, heat, scratch)
    if beyond > 0:
        for i in range(n):
            live[i] = 1.0 - live[i]
        couple(E, T, rho, factor, live, C_v, a, c_dt, tolerance, sigma_a, heat, scratch)
