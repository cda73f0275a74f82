"""Step 1 of the consistent scheme: radiation and matter exchange energy in each cell.

Implicit Euler for one cell, with k = c Δt σ_a(ρ, T), C(T) the mean of ρ C_v between T_n and T:

    E − E_n = k (a T⁴ − E),    C(T) (T − T_n) = k (E − a T⁴)

Eliminating E leaves one equation for T,

    g(T) = (1 + k) C(T) (T − T_n) − k (E_n − a T⁴) = 0,

solved by Newton sweeps over a row of cells, σ_a lagged by one sweep. Then E = E_n − C (T − T_n),
so that the energy E + ∫ρ C_v dT is kept to rounding, whatever the error of the sweeps. The sweeps
have no branches, so they run as vector instructions; a cell that has settled is frozen, so that its
result does not depend on its neighbours in the row (nor on how the grid is divided). The few cells
that do not settle are solved one by one between safe bounds.
"""

import math

import numpy as np

from opalux.base.kernels import njit
from opalux.solver.formulas.programs import run
from opalux.solver.schemes.opacities import evaluate, whole_power

# Share of T that the sweeps may leave as error.
SETTLED = {"float64": 1e-7, "float32": 1e-6}

SWEEPS = 8  # vector sweeps before the remaining cells are solved one by one
BISECTIONS = 200

# Gauss points and weights on [0, 1]: the mean of C_v is exact for C_v up to degree 5 in T.
POINTS = (0.5 - math.sqrt(0.15), 0.5, 0.5 + math.sqrt(0.15))
WEIGHTS = (5 / 18, 8 / 18, 5 / 18)

# Rows of the scratch array that a row of cells needs.
CHANGE, CAPACITY, SLOPE, LIVE = range(4)
ROWS = 4

TINY = 1e-30


@njit(error_model="numpy", inline="always")
def newton_step(T, T_n, E_n, k, capacity, slope, a):
    """Return −g/g′ for ρ C_v = ``capacity`` on average and ``slope`` at T.

    Free of literals, which would turn float32 cells into float64: (1 + k) x = x + k x.
    """
    T2 = T * T
    gained = capacity * (T - T_n)
    a_T3 = a * (T2 * T)
    a_4_T3 = (a_T3 + a_T3) + (a_T3 + a_T3)
    g = gained + k * (gained - (E_n - a_T3 * T))
    return -g / (slope + k * (slope + a_4_T3))


@njit(error_model="numpy", borrows=True)
def mean_capacity(heat, T, T_n, capacity, slope):
    """Fill ``capacity`` with the mean of ρ C_v between ``T_n`` and ``T``, ``slope`` with it at T.

    Register 0 of ``heat`` holds ρ; register 1 (T) is overwritten.
    """
    code, result, registers = heat
    n = T.shape[0]
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


@njit(error_model="numpy", borrows=True)
def sweep(T, change, T_n, E, factor, power, capacity, slope, C_v, a, c_dt, tolerance):
    """Do a Newton step in every cell that has not settled; return whether one has not now.

    σ_a is ``factor`` times Tᵇ, b = ``power``, see `opacities`; ρ C_v is ``C_v`` times ``capacity``
    on average and times ``slope`` at T. ``change`` is the step before, 0 in cells that have
    settled. The lagged opacity makes the steps shrink by some constant factor, so the error that a
    step leaves is about step²/(step before).
    """
    unsettled = False
    zero, one = c_dt - c_dt, c_dt / c_dt  # of the cells' own type
    for i in range(E.shape[0]):
        before = change[i]
        k = c_dt * (factor[i] * whole_power(T[i], power, one))
        step = newton_step(T[i], T_n[i], E[i], k, C_v * capacity[i], C_v * slope[i], a)
        step = step if before != zero else zero
        T[i] += step
        going = not (step * step <= tolerance * T[i] * abs(before))  # NaN goes on
        change[i] = step if going else zero
        unsettled = unsettled | going
    return unsettled


@njit(error_model="numpy", borrows=True)
def first_sweep(T_k, E, T, C_v, a, c_dt, tolerance, factor, power, slope, live, change):
    """Do the first Newton step, from T_n; ``T_k`` becomes T after it. σ_a as for `sweep`.

    Return whether a cell has not settled.
    """
    unsettled = False
    change[0] = TINY
    zero, one, tiny = c_dt - c_dt, c_dt / c_dt, change[0]  # of the cells' own type
    for i in range(E.shape[0]):
        T_n = T[i]
        a_T3 = a * (T_n * T_n * T_n)
        k, C = c_dt * (factor[i] * whole_power(T_n, power, one)), C_v * slope[i]
        step = k * (E[i] - a_T3 * T_n) / (C + k * (C + ((a_T3 + a_T3) + (a_T3 + a_T3))))
        step = step if live[i] != zero else zero
        T_next = T_n + step
        going = not (step * step <= tolerance * T_next * (tolerance * T_n + tiny))  # NaN goes on
        T_k[i] = T_next
        change[i] = step if going else zero
        unsettled = unsettled | going
    return unsettled


@njit(error_model="numpy", borrows=True)
def finish(E, T, T_k, C_v, capacity, tolerance, change):
    """Bring E and T to the end of the step; ``change`` becomes what matter gains.

    Return whether E of some cell is hardly more than a rounding error.
    """
    cancelled = False
    for i in range(E.shape[0]):
        gained = C_v * capacity[i] * (T_k[i] - T[i])
        left = E[i] - gained
        change[i] = gained
        E[i] = left
        T[i] = T_k[i]
        cancelled = cancelled | (left < tolerance * gained)
    return cancelled


@njit(error_model="numpy", borrows=True)
def couple_row(E, T, rho, factor, C_v, a, c_dt, tolerance, sigma_a, heat, scratch):
    """Couple all cells of a row; see `couple`."""
    for i in range(E.shape[0]):
        scratch[LIVE, i] = 1.0
    couple(E, T, rho, factor, scratch[LIVE], C_v, a, c_dt, tolerance, sigma_a, heat, scratch)


@njit(error_model="numpy", borrows=True)
def couple(E, T, rho, factor, live, C_v, a, c_dt, tolerance, sigma_a, heat, scratch):
    """Couple those of n cells that ``live`` marks, in place.

    Parameters
    ----------
    E, T, rho : (n,) arrays; E and T are updated
    factor : (n,) K of σ_a = K(ρ) Tᵇ; not read where σ_a has a program
    live : (>= n,) 1 for cells to couple, 0 for others
    C_v : constant heat capacity; 1 where ``heat`` has a program
    c_dt : c Δt [cm]
    tolerance : settled when the error left in T is about this share or less
    sigma_a, heat : (code, result, registers) of the formulas of (rho, T), and b of σ_a
    scratch : (ROWS, >= n)
    """
    n = E.shape[0]
    code, result, registers, power = sigma_a
    varies = heat[2].shape[0] > 0
    T_k, change = registers[1, :n], scratch[CHANGE, :n]
    capacity, slope = rho, rho
    if power == 0:
        evaluate(sigma_a, rho, T)
        factor = registers[result]
    if varies:
        capacity, slope = scratch[CAPACITY, :n], scratch[SLOPE, :n]
        for i in range(n):
            heat[2][0, i] = rho[i]
        mean_capacity(heat, T, T, capacity, slope)
    unsettled = first_sweep(T_k, E, T, C_v, a, c_dt, tolerance, factor, power, slope, live, change)
    for _ in range(SWEEPS - 1):
        if not unsettled:
            break
        if power == 0:
            run(code, registers, n)
        if varies:
            mean_capacity(heat, T_k, T, capacity, slope)
        unsettled = sweep(
            T_k, change, T, E, factor, power, capacity, slope, C_v, a, c_dt, tolerance
        )
    if unsettled:
        for i in range(n):
            if change[i] != 0.0:
                T_k[i] = couple_cell(E[i], T[i], rho[i], C_v, a, c_dt, tolerance, sigma_a, heat)
    if varies:
        mean_capacity(heat, T_k, T, capacity, slope)
    if finish(E, T, T_k, C_v, capacity, tolerance, change):
        # Nearly all of E went into matter, and the rest is a rounding error: use E's own equation.
        evaluate(sigma_a, rho, T)
        for i in range(n):
            if E[i] < tolerance * change[i]:
                k = c_dt * registers[result, i]
                E[i] = (E[i] + change[i] + k * a * T[i] ** 4) / (1 + k)


@njit(error_model="numpy")
def couple_cell(E_n, T_n, rho, C_v, a, c_dt, tolerance, sigma_a, heat):
    """Return T of one cell that the sweeps did not settle, by Newton steps between safe bounds.

    The new temperature lies between the old one and the temperature of the radiation, whatever the
    opacity; g changes sign between the two.
    """
    code, result, row_registers, _ = sigma_a
    heat_code, heat_result, heat_row_registers = heat
    registers = row_registers[:, :1].copy()  # one cell of our own; constants come along
    own_heat = (heat_code, heat_result, heat_row_registers[:, :1].copy())
    varies = own_heat[2].shape[0] > 0
    old = np.full(1, T_n)
    capacity, slope = np.full(1, rho * C_v), np.full(1, rho * C_v)
    registers[0, 0] = rho
    if varies:
        own_heat[2][0, 0] = rho
    T_r = math.sqrt(math.sqrt(max(E_n, 0.0) / a))
    low, high = min(T_n, T_r), max(T_n, T_r)
    if E_n < 0.0:  # transport may leave a slightly negative E; matter then loses that energy
        low = 0.0
    T = high
    for attempt in range(BISECTIONS):
        registers[1, 0] = T
        run(code, registers, 1)
        if varies:
            mean_capacity(own_heat, registers[1, :1], old, capacity, slope)
        k = c_dt * registers[result, 0]
        step = newton_step(T, T_n, E_n, k, capacity[0], slope[0], a)
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
