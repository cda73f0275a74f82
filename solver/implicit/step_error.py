"""Passes over the cells in an implicit step: where its second stage starts, and its error.

See `runge_kutta` for the method; ``gamma`` and ``ahead`` are its numbers.
"""

from opalux.base.kernels import njit
from opalux.solver.schemes.coupling import mean_capacity

E, FX, FY, T = range(4)
Q = 3  # in the base of a stage: heat, in the place of T


@njit(error_model="numpy")
def look_ahead(base, start, state, rho, ahead, C_v, heat, work):
    """Fill ``base`` with U_n + ``ahead`` (U₁ − U_n), and with the heat that belongs to it."""
    varies = heat[2].shape[0] > 0
    n = state.shape[2]
    for j in range(state.shape[1]):
        for f in range(3):
            for i in range(n):
                base[f, j, i] = start[f, j, i] + ahead * (state[f, j, i] - start[f, j, i])
        if varies:
            heat[2][0, :n] = rho[j]
            mean_capacity(heat, state[T, j], start[T, j], work[0, :n], work[1, :n])
        else:
            for i in range(n):
                work[0, i] = C_v * rho[j, i]
        for i in range(n):
            base[Q, j, i] = ahead * work[0, i] * (state[T, j, i] - start[T, j, i])


@njit(error_model="numpy")
def slope_at_end(start, middle, end, ahead, gamma):
    """Return h f(U_{n+1}) from the values at t_n, at the stage between, and at t_n + h."""
    return (end - start - ahead * (middle - start)) / gamma


@njit(error_model="numpy")
def step_error(start, middle, state, slopes, h, weights, ahead, gamma, sums):
    """Fill ``sums`` (4,) with Σ|error of E|, Σ|E|, Σ|error of T|, ΣT of a step.

    ``middle`` (2, ny + 2, nx + 2) is E and T of the first stage, ``slopes`` (2, ny, nx) their rates
    at t_n.
    """
    for which in range(2):
        f = E if which == 0 else T
        off = size = 0.0
        for j in range(1, state.shape[1] - 1):
            for i in range(1, state.shape[2] - 1):
                begin, between, end = start[f, j, i], middle[which, j, i], state[f, j, i]
                error = weights[0] * h * slopes[which, j - 1, i - 1]
                error += weights[1] * (between - begin) / gamma
                error += weights[2] * slope_at_end(begin, between, end, ahead, gamma)
                off += abs(error)
                size += abs(end)
        sums[2 * which], sums[2 * which + 1] = off, size


@njit(error_model="numpy")
def keep_slopes(start, middle, state, slopes, h, ahead, gamma):
    """Fill ``slopes`` with the rates of E and T at the end of a step."""
    for which in range(2):
        f = E if which == 0 else T
        for j in range(slopes.shape[1]):
            for i in range(slopes.shape[2]):
                slopes[which, j, i] = (
                    slope_at_end(
                        start[f, j + 1, i + 1], middle[which, j + 1, i + 1],
                        state[f, j + 1, i + 1], ahead, gamma,
                    ) / h
                )  # fmt: skip
