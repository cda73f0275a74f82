"""Step 1 of the consistent scheme: radiation and matter exchange energy in each cell.

Implicit Euler for one cell, with k = c Δt σ_a(ρ, T), C(T) the mean of ρ C_v between T_n and T:

    E − E_n = k (a T⁴ − E),    C(T) (T − T_n) = k (E − a T⁴)

Eliminating E leaves one equation for T,

    g(T) = (1 + k) C(T) (T − T_n) − k (E_n − a T⁴) = 0,

solved by Newton sweeps over a row of cells, σ_a lagged by one sweep. Then E = E_n − C (T − T_n),
so that the energy E + ∫ρ C_v dT is kept to rounding whatever the sweeps left over. The sweeps have
no branches, so they run as vector instructions; a cell that has settled is frozen, so that its
result does not depend on its neighbours in the row (nor on how the grid is divided). The few cells
that do not settle are solved one by one between safe bounds.
"""

import math

import numba
import numpy as np

from solver.formulas import run

SWEEPS = 8  # vector sweeps before the remaining cells are solved one by one
BISECTIONS = 200
CANCELLATION = 1e-6  # share of the energy gained by matter below which E_n minus it is mostly noise

# Gauss points and weights on [0, 1]: the mean of C_v is exact for C_v up to degree 5 in T.
POINTS = (0.5 - math.sqrt(0.15), 0.5, 0.5 + math.sqrt(0.15))
WEIGHTS = (5 / 18, 8 / 18, 5 / 18)

# Rows of the scratch array that a row of cells needs.
T_N, CHANGE, CAPACITY, SLOPE = range(4)
ROWS = 4


@numba.njit(cache=True, error_model="numpy", inline="always")
def newton_step(T, T_n, E_n, k, capacity, slope, a):
    """Return −g/g′ for ρ C_v = ``capacity`` on average and ``slope`` at T."""
    T2 = T * T
    g = (1 + k) * (capacity * (T - T_n)) - k * (E_n - a * (T2 * T2))
    return -g / ((1 + k) * slope + 4 * k * (a * (T2 * T)))


@numba.njit(cache=True, error_model="numpy")
def _mean_capacity(registers, code, result, T, scratch, n):
    """Fill CAPACITY with the mean of ρ C_v between T_n and ``T``, SLOPE with its value at T.

    Register 0 of ``registers`` holds ρ; register 1 (T) is overwritten.
    """
    T_n, capacity, slope = scratch[T_N], scratch[CAPACITY], scratch[SLOPE]
    for i in range(n):
        capacity[i] = 0
    for q in range(3):
        for i in range(n):
            registers[1, i] = T_n[i] + POINTS[q] * (T[i] - T_n[i])
        run(code, registers, n)
        for i in range(n):
            capacity[i] += WEIGHTS[q] * (registers[0, i] * registers[result, i])
    for i in range(n):
        registers[1, i] = T[i]
    run(code, registers, n)
    for i in range(n):
        slope[i] = registers[0, i] * registers[result, i]


@numba.njit(cache=True, error_model="numpy")
def couple_row(E, T, rho, C_v, a, c_dt, tolerance, sigma_a, heat, scratch):
    """Couple one row of n cells in place.

    Parameters
    ----------
    E, T, rho : (n,) arrays; E and T are updated
    C_v : constant heat capacity; not used when ``heat`` has a program
    c_dt : c Δt [cm]
    tolerance : settled when a sweep changes T by less than this share
    sigma_a, heat : (code, result, registers) of the formulas of (rho, T)
    scratch : (ROWS, >= n)
    """
    n = E.shape[0]
    code, result, registers = sigma_a
    heat_code, heat_result, heat_registers = heat
    varies = heat_registers.shape[0] > 0
    T_n, change = scratch[T_N], scratch[CHANGE]
    capacity, slope = scratch[CAPACITY], scratch[SLOPE]
    T_k = registers[1]
    for i in range(n):
        registers[0, i] = rho[i]
        T_k[i] = T[i]
        T_n[i] = T[i]
        change[i] = T[i]
        capacity[i] = rho[i] * C_v
        slope[i] = rho[i] * C_v
    if varies:
        for i in range(n):
            heat_registers[0, i] = rho[i]
    unsettled = n
    for _ in range(SWEEPS):
        run(code, registers, n)
        if varies:
            _mean_capacity(heat_registers, heat_code, heat_result, T_k, scratch, n)
        opacity = registers[result]
        unsettled = 0
        for i in range(n):
            step = newton_step(T_k[i], T_n[i], E[i], c_dt * opacity[i], capacity[i], slope[i], a)
            step = step if abs(change[i]) > tolerance * T_k[i] else 0.0
            T_k[i] += step
            change[i] = step
            # written so that NaN counts as unsettled
            unsettled += not (abs(step) <= tolerance * T_k[i])
        if unsettled == 0:
            break
    if unsettled > 0:
        for i in range(n):
            if not (abs(change[i]) <= tolerance * T_k[i]):
                T_k[i] = couple_cell(E[i], T_n[i], rho[i], C_v, a, c_dt, tolerance, sigma_a, heat)
        run(code, registers, n)
    if varies:
        _mean_capacity(heat_registers, heat_code, heat_result, T_k, scratch, n)
    opacity = registers[result]
    cancelled = 0
    for i in range(n):
        gained = capacity[i] * (T_k[i] - T_n[i])
        change[i] = E[i] - gained
        cancelled += change[i] < CANCELLATION * gained
    if cancelled > 0:
        # All but a rounding error of E went into matter: take E from its own equation instead.
        for i in range(n):
            if change[i] < CANCELLATION * capacity[i] * (T_k[i] - T_n[i]):
                k = c_dt * opacity[i]
                change[i] = (E[i] + k * a * T_k[i] ** 4) / (1 + k)
    for i in range(n):
        T[i] = T_k[i]
        E[i] = change[i]


@numba.njit(cache=True, error_model="numpy")
def couple_cell(E_n, T_n, rho, C_v, a, c_dt, tolerance, sigma_a, heat):
    """Return T of one cell that the sweeps did not settle, by Newton steps between safe bounds.

    The new temperature lies between the old one and the temperature of the radiation, whatever the
    opacity; g changes sign between the two.
    """
    code, result, row_registers = sigma_a
    heat_code, heat_result, heat_row_registers = heat
    registers = row_registers[:, :1].copy()  # one cell of our own; constants come along
    heat_registers = heat_row_registers[:, :1].copy()
    scratch = np.empty((ROWS, 1), dtype=registers.dtype)
    varies = heat_registers.shape[0] > 0
    registers[0, 0] = rho
    scratch[T_N, 0] = T_n
    scratch[CAPACITY, 0] = rho * C_v
    scratch[SLOPE, 0] = rho * C_v
    if varies:
        heat_registers[0, 0] = rho
    T_r = math.sqrt(math.sqrt(max(E_n, 0.0) / a))
    low, high = min(T_n, T_r), max(T_n, T_r)
    if E_n < 0.0:  # transport may leave a slightly negative E; matter then pays for it
        low = 0.0
    T = high
    for attempt in range(BISECTIONS):
        registers[1, 0] = T
        run(code, registers, 1)
        if varies:
            _mean_capacity(heat_registers, heat_code, heat_result, registers[1], scratch, 1)
        k = c_dt * registers[result, 0]
        step = newton_step(T, T_n, E_n, k, scratch[CAPACITY, 0], scratch[SLOPE, 0], a)
        if step < 0.0:
            high = T
        elif step > 0.0:
            low = T
        if abs(step) <= tolerance * T or high - low <= tolerance * T:
            break
        T += step
        # Not inside, not a number, or the opacity's own change makes the steps crawl: halve.
        if not (low < T < high) or attempt % 4 == 3:
            T = 0.5 * (low + high)
    return T
