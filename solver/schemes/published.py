"""The published scheme with all its quirks, for comparison with published data.

It differs from `consistent` in two errors, kept here on purpose: the flux relaxes with the sum of
M σ over all four faces (four times too fast on a fine grid, in both components), and the coupling
step lacks a factor 1/a in μ (the heat capacity is in effect a·C_v). Further quirks: a fixed point
that stops when either unknown settles and keeps the previous iterate, face lengths of the two
directions swapped, and M built with Δx in both directions.

Source: R. Ngueguin, "Reconstruction de la densité d'un domaine par un V-Net" (2020/21).
"""

import numpy as np

from opalux.base.kernels import njit
from opalux.solver.domains.domain import Domain
from opalux.solver.edges import EXCHANGED
from opalux.solver.formulas.formula import Formula
from opalux.solver.formulas.programs import run
from opalux.solver.problem import Problem
from opalux.solver.schemes.ghosts import fill_row, fill_side, record
from opalux.solver.schemes.rounded_powers import cubes, fourth_powers, fourth_roots

E, FX, FY, T = range(4)
MAX_SWEEPS = 1000  # the published loop has no limit; a loop that cycles is cut here


@njit(error_model="numpy", inline="always")
def couple_sweep(E_n, T_n, T_n3, Theta_n, T_k, T_k3, rho, sigma_a, C_v, c, dt):
    """One sweep of the fixed point: the next (E, Θ) from the iterate T_k = (Θ/a)^¼."""
    mu = 1.0 / (T_n3 + T_n * (T_k * T_k) + T_k * (T_n * T_n) + T_k3)
    absorb = c * sigma_a
    tmp_1 = 1.0 / dt + absorb
    alpha = 1.0 / dt / tmp_1
    beta = absorb / tmp_1
    tmp_2 = rho * C_v * mu / dt + absorb
    gamma = rho * C_v * mu / dt / tmp_2
    delta = absorb / tmp_2
    E_next = (alpha * E_n + gamma * beta * Theta_n) / (1.0 - beta * delta)
    Theta_next = (gamma * Theta_n + alpha * delta * E_n) / (1.0 - beta * delta)
    return E_next, Theta_next


@njit(error_model="numpy")
def sweep(E_row, T_row, E_next, Theta_next, active, E_n, T_n, T_n3, Theta_n, T_k, T_k3, rho,
          sigma_a, C_v, c, dt, precision):  # fmt: skip
    """Do a sweep in the cells that are ``active``; return whether one still is."""
    unsettled = False
    for i in range(E_row.shape[0]):
        going = active[i] != 0.0
        E_k, Theta_k = E_next[i], Theta_next[i]
        E_new, Theta_new = couple_sweep(
            E_n[i], T_n[i], T_n3[i], Theta_n[i], T_k[i], T_k3[i], rho[i], sigma_a[i], C_v, c, dt
        )
        E_old, T_old = E_row[i], T_row[i]
        E_row[i] = E_k if going else E_old
        T_row[i] = T_k[i] if going else T_old
        E_next[i] = E_new if going else E_k
        Theta_next[i] = Theta_new if going else Theta_k
        on = going & (abs(E_new - E_k) > precision) & (abs(Theta_new - Theta_k) > precision)
        active[i] = 1.0 if on else 0.0
        unsettled = unsettled | on
    return unsettled


@njit(error_model="numpy")
def divided(out, x, a):
    """Fill ``out`` (n,) with x/a."""
    for i in range(x.shape[0]):
        out[i] = x[i] / a


@njit(error_model="numpy")
def couple_row(E_row, T_row, rho, C_v, a, c, dt, precision, code, result, registers, work):
    """Couple radiation and matter in one row of cells; each cell stops by itself.

    ``registers`` starts with rows rho and T; ``work`` (10, >= n) is scratch. Powers are those of
    the mathematical library (`rounded_powers`), which the original takes, to agree in the last
    digit.
    """
    n = E_row.shape[0]
    E_n, T_n, Theta_n = work[0, :n], work[1, :n], work[2, :n]
    E_next, Theta_next, active = work[3, :n], work[4, :n], work[5, :n]
    T_n3, T_k3, share, sure = work[6, :n], work[7, :n], work[8, :n], work[9, :n]
    T_k = registers[1, :n]
    registers[0, :n] = rho
    cubes(T_n3, T_row, sure)
    fourth_powers(share, T_row, sure)
    for i in range(n):
        E_n[i] = E_row[i]
        E_next[i] = E_row[i]
        T_n[i] = T_row[i]
        Theta = a * share[i]
        Theta_n[i] = Theta
        Theta_next[i] = Theta
        active[i] = 1.0
    for _ in range(MAX_SWEEPS):
        divided(share, Theta_next, a)
        fourth_roots(T_k, share, sure)
        cubes(T_k3, T_k, sure)
        run(code, registers, n)
        if not sweep(
            E_row, T_row, E_next, Theta_next, active, E_n, T_n, T_n3, Theta_n, T_k, T_k3, rho,
            registers[result, :n], C_v, c, dt, precision,
        ):  # fmt: skip
            break


@njit(error_model="numpy", inline="always")
def face(E_k, E_l, Fn_k, Fn_l, sigma_k, sigma_l, length, dx):
    """Fluxes through the face from cell k to l with F·n given: (E-flux·n, F-flux, l·M, Mσ)."""
    sigma = 0.5 * (sigma_k + sigma_l)
    M = 2.0 / (2.0 + dx * sigma)
    flux_E = length * M * (0.5 * (E_k + E_l) - 0.5 * (Fn_l - Fn_k))
    flux_F = length * M * (0.5 * (Fn_k + Fn_l) - 0.5 * (E_l - E_k))
    return flux_E, flux_F, length * M, M * sigma


@njit(error_model="numpy")
def transport_row(new_E, new_Fx, new_Fy, E_row, Fx, Fy, s, E_up, F_up, s_up, E_down, F_down, s_down,
                  dx, dy, dt, c):  # fmt: skip
    """Move energy and flux of a row by one step; cells 0 and n + 1 of a row are its neighbours."""
    area = dx * dy
    for k in range(new_E.shape[0]):
        i = k + 1
        e, fx, fy = E_row[i], Fx[i], Fy[i]
        eu, pu, mu, su = face(e, E_up[i], fy, F_up[i], s[i], s_up[i], dy, dx)
        ed, pd, md, sd = face(e, E_down[i], -fy, -F_down[i], s[i], s_down[i], dy, dx)
        el, pl, ml, sl = face(e, E_row[k], -fx, -Fx[k], s[i], s[k], dx, dx)
        er, pr, mr, sr = face(e, E_row[k + 2], fx, Fx[k + 2], s[i], s[k + 2], dx, dx)
        D = 1.0 / dt + c * (su + sd + sl + sr)
        beta = 1.0 / dt / D
        delta = c / area / D
        new_E[k] = e - c * dt / area * (pu + pd + pl + pr)
        new_Fx[k] = beta * fx + e * (delta * (mr - ml)) - delta * (er - el)
        new_Fy[k] = beta * fy + e * (delta * (mu - md)) - delta * (eu - ed)


@njit(error_model="numpy")
def transport(state, new, sigma, dx, dy, dt, c):
    """Move energy and flux by one step; ``sigma`` (ny + 2, nx + 2) is σ_c, ghosts included."""
    ny = state.shape[1] - 2
    for j in range(1, ny + 1):
        transport_row(
            new[E, j, 1:-1], new[FX, j, 1:-1], new[FY, j, 1:-1],
            state[E, j], state[FX, j], state[FY, j], sigma[j],
            state[E, j + 1], state[FY, j + 1], sigma[j + 1],
            state[E, j - 1], state[FY, j - 1], sigma[j - 1], dx, dy, dt, c,
        )  # fmt: skip
    for f in (E, FX, FY):
        state[f, 1:-1, 1:-1] = new[f, 1:-1, 1:-1]


@njit(error_model="numpy")
def advance(state, rho, physics, programs, rules, given, signals, at_edge, work):
    """Take as many steps as the edge tables ``given`` (n, 4, cells) have rows.

    Ghost cells at inner sides of the domain decomposition (rule EXCHANGED) hold the neighbour's
    cells before the step and are coupled here too: one exchange a step is enough.
    """
    dx, dy, dt, c, a, C_v, precision = physics
    code_a, result_a, registers_a, code_c, result_c, registers_c = programs
    up, down, left, right = given
    sigma, new, row = work
    ny, nx = state.shape[1] - 2, state.shape[2] - 2
    for n in range(up.shape[0]):
        record(state, at_edge, signals[0][n], signals[1][n], signals[2][n], signals[3][n])
        bottom = 0 if rules[1, 0] == EXCHANGED else 1
        top = ny + 1 if rules[0, 0] == EXCHANGED else ny
        for j in range(bottom, top + 1):
            inner = 1 <= j <= ny
            first = 0 if inner and rules[2, 0] == EXCHANGED else 1
            last = nx + 2 if inner and rules[3, 0] == EXCHANGED else nx + 1
            couple_row(
                state[E, j, first:last], state[T, j, first:last], rho[j, first:last],
                C_v, a, c, dt, precision, code_a, result_a, registers_a, row,
            )  # fmt: skip
        fill_row(state, ny + 1, ny, rules[0], up[n], a, True)
        fill_row(state, 0, 1, rules[1], down[n], a, True)
        for j in range(1, ny + 1):
            fill_side(state, j, 0, 1, rules[2], left[n], a, True)
            fill_side(state, j, nx + 1, nx, rules[3], right[n], a, True)
        for j in range(ny + 2):
            registers_c[0] = rho[j]
            registers_c[1] = state[T, j]
            run(code_c, registers_c, nx + 2)
            sigma[j] = registers_c[result_c]
        transport(state, new, sigma, dx, dy, dt, c)


class Stepper:
    """The published scheme on one process's share of the grid; see `consistent.Stepper`."""

    def __init__(
        self, problem: Problem, domain: Domain, rho: np.ndarray, dt: float, rules: np.ndarray
    ) -> None:
        constants, block = problem.constants, domain.block
        grid, width = block.grid, block.nx + 2
        self._rho = rho
        self._at_edge = problem.signals.at == "edge"
        self._physics = (
            grid.dx, grid.dy, dt, constants.c, constants.a, problem.heat_capacity or 0.0,
            problem.precision,
        )  # fmt: skip
        self._programs = (
            *Formula(problem.material.sigma_a, ("rho", "T")).program.rows(2, width),
            *Formula(problem.material.sigma_c, ("rho", "T")).program.rows(2, width),
        )
        self._work = (np.empty(rho.shape), np.empty((3, *rho.shape)), np.empty((10, width)))

    def fields(self, state: np.ndarray, t: float, rules: np.ndarray) -> np.ndarray:
        """Return the cells of ``state``: it is in their centres, and at ``t``."""
        return state[:, 1:-1, 1:-1]

    def advance(
        self,
        state: np.ndarray,
        times: np.ndarray,
        rules: np.ndarray,
        given: tuple[np.ndarray, ...],
        wraps: tuple[bool, bool],
        signals: tuple[np.ndarray, ...],
    ) -> None:
        """Take one step for each row of ``given``; nothing here depends on ``times``."""
        advance(
            state, self._rho, self._physics, self._programs, rules, given, signals, self._at_edge,
            self._work,
        )  # fmt: skip
