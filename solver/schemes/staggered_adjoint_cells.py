"""The adjoint of what the staggered scheme does in cells: radiation and matter exchange energy."""

from opalux.base.kernels import njit
from opalux.solver.schemes.opacities import power_and_slope
from opalux.solver.schemes.staggered_derivatives import (
    AT,
    BY_C,
    BY_GAIN,
    BY_HEAT,
    BY_K,
    BY_MIDDLE,
    BY_OLD,
    BY_TEMPERATURE,
    COOLED,
    FIRST,
    GAIN_NEW,
    GAIN_OLD,
    LAGGING,
    MEAN_BY,
    RAISED,
    RAISED_MIDDLE,
    RISE,
    RISE_MIDDLE,
    STAR,
    VALUE,
    evaluate_cells,
    exchange,
)  # fmt: skip
from opalux.solver.schemes.strips import PIECE, fetch

E, FX, FY, T = range(4)


@njit(error_model="numpy", borrows=True)
def exchange_back(E_bar, T_bar, E_old, T_old, E_new, T_new, gain_new, gain_old, C, C_T, s, s_T, m,
                  m_T, a, c_dt, out):  # fmt: skip
    """Fill the rows STAR, COOLED and LAGGING with Ē*, T̄ and Ē − Ē* of n cells.

    Those from BY_GAIN to BY_HEAT become what ρ̄ and the like lose by C̄, σ_m, σ and C.
    """
    for i in range(E_bar.shape[0]):
        per_new, old, late, lag, by_m, by_s, by_C = exchange(
            E_old[i], T_old[i], E_new[i], T_new[i], gain_new[i], gain_old[i], C[i], C_T[i], s[i],
            s_T[i], m[i], m_T[i], a, c_dt,
        )  # fmt: skip
        mu = (T_bar[i] - E_bar[i] * gain_new[i]) * per_new
        out[STAR + i] = E_bar[i] + mu * late
        out[COOLED + i] = E_bar[i] * gain_old[i] + mu * old
        out[LAGGING + i] = mu * lag
        out[BY_GAIN + i] = (E_bar[i] + mu * (1 + late)) * (T_new[i] - T_old[i])
        out[BY_MIDDLE + i] = mu * by_m
        out[BY_OLD + i] = mu * by_s
        out[BY_HEAT + i] = mu * by_C


@njit(error_model="numpy", borrows=True)
def raise_cells(scratch, T_old, T_new, power):
    """Fill the rows of Tᵇ and its derivative at T and at (T + T⁺)/2; as `raise_faces`."""
    for i in range(T_old.shape[0]):
        scratch[RAISED + i], scratch[RISE + i] = power_and_slope(T_old[i], power)
    for i in range(T_old.shape[0]):
        T_m = 0.5 * (T_old[i] + T_new[i])
        scratch[RAISED_MIDDLE + i], scratch[RISE_MIDDLE + i] = power_and_slope(T_m, power)


@njit(error_model="numpy", borrows=True)
def exchange_back_by_power(E_bar, T_bar, lag_bar, E_old, T_old, E_new, T_new, C, factor, a, c_dt,
                           out):  # fmt: skip
    """Do what `exchange_back` does for σ = K Tᵇ, where C does not depend on T.

    ``factor`` is K, and `raise_cells` has been called. Ē*, T̄ and Ē − Ē* are left in place, and the
    rows BY_C and BY_K become what ρ̄ and the like lose by C and by K.
    """
    for i in range(E_bar.shape[0]):
        K, raised, raised_m = factor[i], out[RAISED + i], out[RAISED_MIDDLE + i]
        per_new, old, late, lag, by_m, by_s, by_capacity = exchange(
            E_old[i], T_old[i], E_new[i], T_new[i], C[i], C[i], C[i], 0.0, K * raised,
            K * out[RISE + i], K * raised_m, K * out[RISE_MIDDLE + i], a, c_dt,
        )  # fmt: skip
        after = E_bar[i]
        mu = (T_bar[i] - after * C[i]) * per_new
        E_bar[i] = after + mu * late
        T_bar[i] = after * C[i] + mu * old
        lag_bar[i] = mu * lag
        out[BY_C + i] = (after + mu * (1 + late)) * (T_new[i] - T_old[i]) + mu * by_capacity
        out[BY_K + i] = mu * (by_m * raised_m + by_s * raised)


@njit(error_model="numpy", borrows=True)
def factor_back(p_bar, by, C_p, K_p):
    """Add what n cells contribute to the derivatives by a parameter, by C and K."""
    for i in range(p_bar.shape[0]):
        p_bar[i] -= by[BY_C + i] * C_p[i] + by[BY_K + i] * K_p[i]


@njit(error_model="numpy", borrows=True)
def medium_back(p_bar, by, mean_p, m_p, s_p, C_p):
    """Add what n cells contribute to the derivatives by a parameter."""
    for i in range(p_bar.shape[0]):
        p_bar[i] -= (by[BY_GAIN + i] * mean_p[i] + by[BY_HEAT + i] * C_p[i]) + (
            by[BY_MIDDLE + i] * m_p[i] + by[BY_OLD + i] * s_p[i]
        )


@njit(error_model="numpy", borrows=True)
def cells_back(bar, p_bar, lag_bar, old, new, rho, width, a, c_dt, matter, powers, strip,
               scratch):  # fmt: skip
    """Turn Ē⁺, T̄⁺ of all cells into Ē* and T̄, fill ``lag_bar`` with Ē − Ē*, and add to ``p_bar``.

    The cells lie end to end, in rows of ``width`` with a ghost at either end; what is computed in
    these is not read.

    Parameters
    ----------
    bar : (4, cells)
    p_bar : (parameters, cells)
    lag_bar, rho : (cells,)
    old, new : (4, cells) the states before and after the step
    a, c_dt : radiation constant, c Δt
    matter, scratch : see `staggered_derivatives.evaluate_cells`
    powers : b, K and ∂K/∂p of σ_a = K Tᵇ, C and ∂C/∂p, in all cells; b = 0 where ``matter`` is to
        be run
    strip : cells that are fetched at a time
    """
    old_program, middle_program, capacity = matter
    by_old, old_values = old_program[1], old_program[2]
    by_middle, middle_values = middle_program[1], middle_program[2]
    heat = FIRST + p_bar.shape[0]  # where the results for C begin
    C, C_T = old_values[by_old[heat + VALUE]], old_values[by_old[heat + BY_TEMPERATURE]]
    s, s_T = old_values[by_old[VALUE]], old_values[by_old[BY_TEMPERATURE]]
    m, m_T = middle_values[by_middle[VALUE]], middle_values[by_middle[BY_TEMPERATURE]]
    varies = capacity[2].shape[0] > 0
    gain_new, gain_old = (scratch[GAIN_NEW:], scratch[GAIN_OLD:]) if varies else (C, C)
    power, factor, factor_by, capacity_map, capacity_by = powers
    end = rho.shape[0] - width
    for first in range(width, end, strip):
        last = min(first + strip, end)
        for f in (E, T):
            fetch(old[f, first:last], scratch[AT:])
            fetch(new[f, first:last], scratch[AT:])
        for start in range(first, last, PIECE):
            stop = min(start + PIECE, last)
            T_old, T_new = old[T, start:stop], new[T, start:stop]
            if power != 0:
                here = slice(start, stop)
                raise_cells(scratch, T_old, T_new, power)
                exchange_back_by_power(
                    bar[E, here], bar[T, here], lag_bar[here], old[E, here], T_old, new[E, here],
                    T_new, capacity_map[here], factor[here], a, c_dt, scratch,
                )  # fmt: skip
                for p in range(p_bar.shape[0]):
                    factor_back(p_bar[p, here], scratch, capacity_by[p, here], factor_by[p, here])
                continue
            evaluate_cells(scratch, T_old, T_new, rho[start:stop], matter)
            exchange_back(
                bar[E, start:stop], bar[T, start:stop], old[E, start:stop], T_old,
                new[E, start:stop], T_new, gain_new, gain_old, C, C_T, s, s_T, m, m_T, a, c_dt,
                scratch,
            )  # fmt: skip
            copy(bar[E, start:stop], scratch[STAR:])
            copy(bar[T, start:stop], scratch[COOLED:])
            copy(lag_bar[start:stop], scratch[LAGGING:])
            for p in range(p_bar.shape[0]):
                C_p = old_values[by_old[heat + FIRST + p]]
                medium_back(
                    p_bar[p, start:stop], scratch,
                    scratch[MEAN_BY + p * PIECE :] if varies else C_p,
                    middle_values[by_middle[FIRST + p]], old_values[by_old[FIRST + p]], C_p,
                )  # fmt: skip


@njit(error_model="numpy", borrows=True)
def copy(into, out):
    """Copy n numbers."""
    for i in range(into.shape[0]):
        into[i] = out[i]
