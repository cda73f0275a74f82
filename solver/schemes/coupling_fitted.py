"""Radiation and matter exchange energy in one implicit solve of second order.

For one cell, with D what transport and sources bring in the step, k = c Δt σ_a(ρ, (T_n + T)/2) and
C(T) the mean of ρ C_v between T_n and T:

    E − E_n = D − C(T) (T − T_n)
    C(T) (T − T_n) = k [(1 − ω) (E − a T⁴) + ω (E_n − a T_n⁴)],    ω = 1/(2 + z)

z = c Δt σ_a (1 + 4 a T³/ρ C_v) at T_n is how often E − a T⁴ decays in the step. For z → 0 this is
the trapezoidal rule, of second order; for z → ∞ it is implicit Euler: a linear decay is multiplied
by 1/(1 + z + z²/2), so that a large opacity makes nothing ring (L-stability). The first equation
holds to rounding, whatever the error of the solve.

The sweeps are those of `coupling`, with one more term. A cell that they do not settle, or would
leave with T <= 0 because transport made E negative, takes implicit Euler between safe bounds.
"""

from opalux.base.kernels import njit
from opalux.solver.formulas.programs import run
from opalux.solver.schemes.coupling import TINY, couple_cell, mean_capacity
from opalux.solver.schemes.opacities import evaluate, whole_power

SWEEPS = 24  # vector sweeps, most of which only the tightest tolerance needs
NEARLY = 1e-7  # share of T below which the last step of a cell that has not settled is good enough

COLDEST = 1e-6  # share of T that a step leaves at least: a negative E would take more than there is

# Rows of the scratch array that a row of cells needs.
CHANGE, CAPACITY, SLOPE, WEIGHT, LATE, LAG, GOAL, NEXT = range(8)
ROWS = 8


@njit(error_model="numpy", borrows=True)
def first_sweep(T_k, E, T, C_v, a, c_dt, tolerance, factor, power, slope, brought, live,
                scratch):  # fmt: skip
    """Do the first Newton step, from T_n; ``T_k`` becomes T after it.

    σ_a is ``factor`` times Tᵇ, b = ``power``; see `opacities`.

    With q = ρ C_v at T_n and z q = k (q + 4 a T_n³), fill WEIGHT with (2 + z) q, LATE with
    (1 + z) q, LAG with q (E_n − a T_n⁴), GOAL with E_n + D: the second equation times WEIGHT needs
    no ω, and each sweep has a single division. Return whether a cell has not settled.
    """
    change, weight, late = scratch[CHANGE], scratch[WEIGHT], scratch[LATE]
    lag, goal = scratch[LAG], scratch[GOAL]
    unsettled = False
    change[0] = TINY
    zero, one, tiny = c_dt - c_dt, c_dt / c_dt, change[0]  # of the cells' own type
    for i in range(E.shape[0]):
        T_n = T[i]
        a_T3 = a * (T_n * T_n * T_n)
        C = C_v * slope[i]
        k = c_dt * (factor[i] * whole_power(T_n, power, one)) if live[i] != zero else zero
        fast = k * (C + ((a_T3 + a_T3) + (a_T3 + a_T3)))
        later = C + fast
        heavy = C + later
        lagging = C * (E[i] - a_T3 * T_n)
        reach = E[i] + brought[i]
        step = k * (later * (reach - a_T3 * T_n) + lagging) / (heavy * C + later * fast)
        T_next = T_n + step
        fine = step * step <= tolerance * T_next * (tolerance * T_n + tiny) and T_next > zero
        going = not fine  # NaN is not fine
        T_k[i], weight[i], late[i], lag[i], goal[i] = T_next, heavy, later, lagging, reach
        change[i] = step if going else zero
        unsettled = unsettled | going
    return unsettled


@njit(error_model="numpy", borrows=True)
def sweep(T, T_n, factor, power, capacity, slope, C_v, a, c_dt, half, tolerance, scratch):
    """Do a Newton step in every cell that has not settled; return whether one has not now.

    See `coupling.sweep`; σ_a is lagged by one sweep here, too. No literals: see `coupling`.
    """
    change, weight, late = scratch[CHANGE], scratch[WEIGHT], scratch[LATE]
    lag, goal = scratch[LAG], scratch[GOAL]
    unsettled = False
    zero, one = c_dt - c_dt, c_dt / c_dt  # of the cells' own type
    for i in range(T.shape[0]):
        before = change[i]
        a_T3 = a * (T[i] * T[i] * T[i])
        k = c_dt * (factor[i] * whole_power(half * (T_n[i] + T[i]), power, one))
        gained = C_v * capacity[i] * (T[i] - T_n[i])
        C = C_v * slope[i]
        step = k * (late[i] * ((goal[i] - a_T3 * T[i]) - gained) + lag[i]) - weight[i] * gained
        step /= weight[i] * C + k * late[i] * (C + ((a_T3 + a_T3) + (a_T3 + a_T3)))
        step = step if before != zero else zero
        T_next = T[i] + step
        fine = step * step <= tolerance * T_next * abs(before) and T_next > zero
        going = not fine  # NaN is not fine
        T[i] = T_next
        change[i] = step if going else zero
        unsettled = unsettled | going
    return unsettled


@njit(error_model="numpy", borrows=True)
def finish(E, T, T_k, C_v, capacity, tolerance, scratch):
    """Bring E and T to the end of the step, GOAL and CHANGE hold E_n + D and what matter gains.

    Return whether E of some cell is hardly more than a rounding error.
    """
    change, goal = scratch[CHANGE], scratch[GOAL]
    cancelled = False
    for i in range(E.shape[0]):
        gained = C_v * capacity[i] * (T_k[i] - T[i])
        left = goal[i] - gained
        change[i] = gained
        E[i] = left
        T[i] = T_k[i]
        cancelled = cancelled | (abs(left) < tolerance * gained)
    return cancelled


@njit(error_model="numpy", borrows=True)
def middle(out, T_n, T, half):
    """Fill ``out`` with (T_n + T)/2."""
    for i in range(T.shape[0]):
        out[i] = half * (T_n[i] + T[i])


@njit(error_model="numpy", borrows=True)
def couple(E, T, rho, factor, brought, live, C_v, a, c_dt, half, tolerance, sigma_a, heat,
           scratch):  # fmt: skip
    """Bring ``brought`` = D to n cells and couple them, in place.

    Parameters
    ----------
    E, T, rho : (n,) E and T at t_n, which are updated; density
    factor : (n,) K of σ_a = K(ρ) Tᵇ; not read where σ_a has a program
    brought : (n,) D, energy that transport and sources bring in the step
    live : (n,) 0 in ghost cells, which keep E and T, D being 0
    C_v : constant heat capacity; 1 where ``heat`` has a program
    c_dt, half : c Δt [cm]; 1/2
    tolerance : settled when the error left in T is about this share or less
    sigma_a, heat : (code, result, registers) of the formulas of (rho, T), and b of σ_a
    scratch : (ROWS, >= n)
    """
    n = E.shape[0]
    code, result, registers, power = sigma_a
    varies = heat[2].shape[0] > 0
    T_k, change = scratch[NEXT, :n], scratch[CHANGE]
    capacity, slope = rho, rho
    if power == 0:
        evaluate(sigma_a, rho, T)
        factor = registers[result]
    if varies:
        capacity, slope = scratch[CAPACITY, :n], scratch[SLOPE, :n]
        for i in range(n):
            heat[2][0, i] = rho[i]
        mean_capacity(heat, T, T, capacity, slope)
    unsettled = first_sweep(
        T_k, E, T, C_v, a, c_dt, tolerance, factor, power, slope, brought, live, scratch
    )
    if varies:
        mean_capacity(heat, T_k, T, capacity, slope)
    for _ in range(SWEEPS - 1):
        if not unsettled:
            break
        if power == 0:
            middle(registers[1], T, T_k, half)
            run(code, registers, n)
        unsettled = sweep(
            T_k, T, factor, power, capacity, slope, C_v, a, c_dt, half, tolerance, scratch
        )
        if varies:
            mean_capacity(heat, T_k, T, capacity, slope)
    weight, late, lag, goal = scratch[WEIGHT], scratch[LATE], scratch[LAG], scratch[GOAL]
    if unsettled:
        for i in range(n):
            if not (abs(change[i]) <= NEARLY * T_k[i] and T_k[i] > 0.0):
                found = couple_cell(goal[i], T[i], rho[i], C_v, a, c_dt, tolerance, sigma_a, heat)
                T_k[i] = max(found, COLDEST * T[i])
                weight[i], late[i], lag[i] = 1.0, 1.0, 0.0
        if varies:
            mean_capacity(heat, T_k, T, capacity, slope)
    if finish(E, T, T_k, C_v, capacity, tolerance, scratch):
        # Nearly all of E went into matter, and the rest is a rounding error: use E's own equation.
        evaluate(sigma_a, rho, T)
        for i in range(n):
            if abs(E[i]) < tolerance * change[i]:
                k = c_dt * registers[result, i]
                emitted = late[i] * a * T[i] ** 4
                E[i] = (weight[i] * goal[i] + k * (emitted - lag[i])) / (weight[i] + k * late[i])
