"""The staggered scheme: E and T in cells, the normal flux on faces, half a step apart in time.

On the face between the cells k and l, at distance h, with both half cells at the temperature of the
face (`formulas.pairs`), σ_f = (σ_k + σ_l)/2, z = c Δt σ_f and q = k c Δt/h:

    F⁺ = [F − (1 + z/2) q (E_l − E_k)] / (1 + z + z²/2)            from t_n − Δt/2 to t_n + Δt/2
    E⁺ = E − c Δt div F⁺ + Δt S − ρ C_v (T⁺ − T)                   from t_n to t_n + Δt

with T⁺ from `coupling_fitted`. The fraction is exp(−z) to second order, and L-stable: in opaque
cells F⁺ is −k ∇E/σ at once, and nothing rings. So the scheme is of second order in space and time,
keeps the diffusion limit at a fixed mesh, and damps and disperses waves only as h². It has no
limiter: what it computes depends smoothly on what it is given. E may be negative where P1's is.

It is stable while √k c Δt (1/Δx² + 1/Δy²)^½ <= 1.

The edges are in `staggered_edges`.

In memory, Fx[j, i] is on the right side of cell i and Fy[j, i] on the upper side of cell j, so that
the flux on the left and lower edge of a block lies in its ghost cells. At t = 0 F is given at
t = 0, and the first step of F is half a step.

Sources: K. S. Yee, IEEE Trans. Antennas Propag. 14 (1966) 302; B. Seibold, M. Frank, ACM Trans.
Math. Softw. 41 (2014) 4 (staggered grids for moments of radiation).
"""

import numpy as np

from opalux.base.kernels import njit
from opalux.solver.domains.domain import Domain
from opalux.solver.edges import edge_tables
from opalux.solver.formulas.formula import Formula
from opalux.solver.problem import Problem
from opalux.solver.schemes.consistent import (
    SETTLED,
    emit,
    face_opacity,
    pair_registers,
    registers_of,
    strip_rows,
    volume_source,
)
from opalux.solver.schemes.coupling_fitted import ROWS, couple
from opalux.solver.schemes.ghosts import wrap
from opalux.solver.schemes.staggered_edges import (
    ARRIVE,
    CENTRED,
    DRIVEN,
    INNER,
    START,
    edge_kinds,
    edge_value,
    fill_outside,
    push_edge,
    record,
)

EXACT = 1e-12  # share of T that the coupling may leave where its derivatives are wanted

Given = tuple[np.ndarray, ...]

E, FX, FY, T = range(4)
UP, DOWN, LEFT, RIGHT = range(4)


@njit(error_model="numpy")
def push(F, E_k, E_l, s, half_c_dt, q, half):
    """Step the flux on n faces between the cells k and l; ``s`` = σ_k + σ_l."""
    for i in range(F.shape[0]):
        z = half_c_dt * s[i]
        linear = half * z + (half + half)
        F[i] = (F[i] - linear * (q * (E_l[i] - E_k[i]))) / (linear + half * z * (z + half + half))


@njit(error_model="numpy")
def step(state, rho_block, spacing, w, physics, formulas, pair, kinds, betas, x, y, t, given, theta,
         work):  # fmt: skip
    """Take one step in place, in one pass over the rows in strips, bottom to top.

    ``theta`` is that of the edges: CENTRED, or F takes half a step only.

    A face needs E and T of its two cells before the step, a cell the fluxes on its four faces after
    it: so the faces on the right and above each row are stepped, then its cells. The flux on the
    left and lower side of a block is stepped by both processes that need it, to the same bits.
    """
    dx, dy = spacing
    dt, c, a, C_v, tolerance, half = physics
    sigma_a, heat, source = formulas
    brought, scratch, sides, kept, live = work
    ny, width = state.shape[1] - 2, state.shape[2]
    nx = width - 2
    height = brought.shape[0] // width
    flat = state.reshape((4, (ny + 2) * width))
    rho = rho_block.reshape((ny + 2) * width)
    k, c_dt = w * w, c * dt
    dt_F = dt if theta == CENTRED else half * dt
    c_dt_F = c * dt_F
    kept[0, :], kept[1, :] = state[FY, 0], state[FY, 1]
    kept[2, :], kept[3, :] = state[FY, ny], state[FY, ny - 1]
    # The faces below the first row
    s = face_opacity(pair, rho[:width], rho[width : 2 * width], flat[T, :width],
                     flat[T, width : 2 * width], half)  # fmt: skip
    push(flat[FY, :width], flat[E, :width], flat[E, width : 2 * width], s, half * c_dt_F,
         k * c_dt_F / dy, half)  # fmt: skip
    if kinds[DOWN] != INNER:
        for i in range(1, nx + 1):
            sides[0, i] = half * s[i]
    for low in range(1, ny + 1, height):
        high = min(low + height, ny + 1)  # rows low..high − 1
        start, stop = low * width, high * width
        n = stop - start
        for j in range(low, high):  # the old fluxes beside the left and the right edge
            sides[1, j], sides[2, j] = state[FX, j, 0], state[FX, j, 1]
            sides[3, j], sides[4, j] = state[FX, j, nx], state[FX, j, nx - 1]
        above = slice(start + width, stop + width)
        s = face_opacity(pair, rho[start:stop], rho[above], flat[T, start:stop], flat[T, above],
                         half)  # fmt: skip
        push(flat[FY, start:stop], flat[E, start:stop], flat[E, above], s, half * c_dt_F,
             k * c_dt_F / dy, half)  # fmt: skip
        if low == 1 and kinds[DOWN] != INNER:
            for i in range(1, nx + 1):
                state[FY, 0, i] = push_edge(
                    kinds[DOWN], kept[0, i], kept[1, i], state[FY, 1, i], state[E, 1, i],
                    edge_value(kinds[DOWN], state[E, 0, i], given[DOWN][FY, i - 1], 1, w),
                    betas[DOWN], 1, sides[0, i], c_dt_F, dy, k, w, theta,
                )  # fmt: skip
        if high == ny + 1 and kinds[UP] != INNER:
            for i in range(1, nx + 1):
                state[FY, ny, i] = push_edge(
                    kinds[UP], kept[2, i], kept[3, i], state[FY, ny - 1, i], state[E, ny, i],
                    edge_value(kinds[UP], state[E, ny + 1, i], given[UP][FY, i - 1], -1, w),
                    betas[UP], -1, half * s[n - width + i], c_dt_F, dy, k, w, theta,
                )  # fmt: skip
        right = slice(start + 1, stop)
        s = face_opacity(pair, rho[start : stop - 1], rho[right], flat[T, start : stop - 1],
                         flat[T, right], half)  # fmt: skip
        push(flat[FX, start : stop - 1], flat[E, start : stop - 1], flat[E, right], s,
             half * c_dt_F, k * c_dt_F / dx, half)  # fmt: skip
        if kinds[LEFT] != INNER:
            for j in range(low, high):
                state[FX, j, 0] = push_edge(
                    kinds[LEFT], sides[1, j], sides[2, j], state[FX, j, 1], state[E, j, 1],
                    edge_value(kinds[LEFT], state[E, j, 0], given[LEFT][FX, j - 1], 1, w),
                    betas[LEFT], 1, half * s[(j - low) * width], c_dt_F, dx, k, w, theta,
                )  # fmt: skip
        if kinds[RIGHT] != INNER:
            for j in range(low, high):
                state[FX, j, nx] = push_edge(
                    kinds[RIGHT], sides[3, j], sides[4, j], state[FX, j, nx - 1], state[E, j, nx],
                    edge_value(kinds[RIGHT], state[E, j, nx + 1], given[RIGHT][FX, j - 1], -1, w),
                    betas[RIGHT], -1, half * s[(j - low) * width + nx], c_dt_F, dx, k, w, theta,
                )  # fmt: skip
        diverge(
            brought, flat[FX, start - 1 : stop - 1], flat[FX, start:stop],
            flat[FY, start - width : stop - width], flat[FY, start:stop], live[:n],
            c_dt / dx, c_dt / dy,
        )  # fmt: skip
        if source[2].shape[0] > 0:
            for j in range(low, high):
                emit(brought[(j - low) * width : (j - low + 1) * width], x, y[j],
                     t + half * dt, dt, source)  # fmt: skip
        couple(
            flat[E, start:stop], flat[T, start:stop], rho[start:stop], brought[:n], C_v, a, c_dt,
            half, tolerance, sigma_a, heat, scratch,
        )  # fmt: skip


@njit(error_model="numpy")
def diverge(brought, left, right, below, above, live, nu_x, nu_y):
    """Fill ``brought`` with −c Δt div F of n cells, 0 in ghost cells."""
    zero = nu_x - nu_x
    for i in range(live.shape[0]):
        gone = nu_x * (right[i] - left[i]) + nu_y * (above[i] - below[i])
        brought[i] = -gone if live[i] != zero else zero


@njit(error_model="numpy")
def advance(state, rho, spacing, w, physics, formulas, pair, kinds, betas, x, y, times, rules,
            given, wraps, signals, at_edge, work):  # fmt: skip
    """Take a step for each of ``times`` (n,), recording the signals at each.

    As `consistent.advance`, and ``kinds``, ``betas`` (4,): what the edges do, and β.
    """
    for n in range(times.shape[0]):
        one_step(state, rho, spacing, w, physics, formulas, pair, kinds, betas, x, y, times[n],
                 rules, given, wraps, signals, at_edge, work, n)  # fmt: skip


@njit(error_model="numpy")
def advance_and_keep(state, states, rho, spacing, w, physics, formulas, pair, kinds, betas, x, y,
                     times, rules, given, wraps, signals, at_edge, work):  # fmt: skip
    """Do what `advance` does and keep the state before each step, and the last one."""
    for n in range(times.shape[0]):
        fill_ghosts(state, kinds, rules, given, wraps, physics, n)
        states[n] = state
        one_step(state, rho, spacing, w, physics, formulas, pair, kinds, betas, x, y, times[n],
                 rules, given, wraps, signals, at_edge, work, n)  # fmt: skip
    states[times.shape[0]] = state


@njit(error_model="numpy")
def fill_ghosts(state, kinds, rules, given, wraps, physics, n):
    """Fill the ghost cells at the edges of the domain before step n of the tables ``given``."""
    wrap(state, wraps[0], wraps[1])
    for side in range(4):
        if kinds[side] != INNER:
            fill_outside(state, side, rules[side], given[side][n], physics[2])


@njit(error_model="numpy")
def one_step(state, rho, spacing, w, physics, formulas, pair, kinds, betas, x, y, t, rules, given,
             wraps, signals, at_edge, work, n):  # fmt: skip
    """Fill the ghosts, record the signals and take step n of the tables ``given``."""
    fill_ghosts(state, kinds, rules, given, wraps, physics, n)
    now = (given[UP][n], given[DOWN][n], given[LEFT][n], given[RIGHT][n])
    seen = (signals[UP][n], signals[DOWN][n], signals[LEFT][n], signals[RIGHT][n])
    record(state, 1.0 if t == 0.0 else 0.5, seen, at_edge)
    theta = START if t == 0.0 else CENTRED
    step(state, rho, spacing, w, physics, formulas, pair, kinds, betas, x, y, t, now, theta, work)
    if t != 0.0:
        record(state, -0.5, seen, at_edge)


@njit(error_model="numpy")
def arrive(state, rho, spacing, w, physics, formulas, pair, kinds, betas, x, y, t, rules, given,
           wraps, work):  # fmt: skip
    """Bring F from t − Δt/2 to t; E and T, which are at t, end up half a step further."""
    fill_ghosts(state, kinds, rules, given, wraps, physics, 0)
    now = (given[UP][0], given[DOWN][0], given[LEFT][0], given[RIGHT][0])
    step(state, rho, spacing, w, physics, formulas, pair, kinds, betas, x, y, t, now, ARRIVE, work)


class Stepper:
    """The staggered scheme on one process's share of the grid.

    Parameters
    ----------
    problem, domain : what is solved, and the cells it is solved on
    rho : (ny + 2, nx + 2) density [g/cm³], ghosts included
    dt : time step [sh]
    rules : (4 edges, 4 fields) how the edges are filled

    Attributes
    ----------
    rho, spacing, w, physics, kinds, betas, at_edge : what `advance` takes; its adjoint needs them
    """

    def __init__(
        self, problem: Problem, domain: Domain, rho: np.ndarray, dt: float, rules: np.ndarray
    ) -> None:
        material, constants, block = problem.material, problem.constants, domain.block
        grid = block.grid
        dtype = np.dtype(problem.dtype)
        capacity = problem.heat_capacity
        width = block.nx + 2
        cells = strip_rows(block.ny, width) * width
        self._edges, self._domain, self.rho, self._dt = problem.edges, domain, rho, dt
        self._x, self._y = block.x, block.y
        c, a, settled = constants.c, constants.a, SETTLED[problem.dtype]
        physics = (dt, c, a, capacity or 1.0, settled, 0.5)
        self.physics = tuple(dtype.type(value) for value in physics)
        self.spacing = dtype.type(grid.dx), dtype.type(grid.dy)
        self.w = dtype.type(problem.wave_speed)
        varying = Formula(material.heat_capacity, ("rho", "T")) if capacity is None else None
        self._formulas = (
            registers_of(Formula(material.sigma_a, ("rho", "T")), cells, problem.dtype),
            registers_of(varying, cells, problem.dtype),
            registers_of(volume_source(problem), width, problem.dtype),
        )
        self._pair = pair_registers(Formula(material.sigma_c, ("rho", "T")), cells, problem.dtype)
        self.kinds, self.betas = edge_kinds(rules, problem.wave_speed)
        self.at_edge = problem.signals.at == "edge"
        row = np.ones(width, dtype)
        row[[0, -1]] = 0
        self._work = (
            np.zeros(cells, dtype),
            np.zeros((ROWS + 1, cells), dtype),
            np.zeros((5, max(block.ny, block.nx) + 2), dtype),
            np.zeros((4, width), dtype),
            np.tile(row, cells // width),
        )

    def settle(self) -> None:
        """Solve the coupling to rounding from now on, as its exact derivatives are of its root."""
        dt, c, a, C_v, _, half = self.physics
        self.physics = (dt, c, a, C_v, type(half)(EXACT), half)

    def given(self, rules: np.ndarray, given: Given, times: np.ndarray) -> Given:
        """Take a flux that is prescribed alone half a step later: F is stepped to there."""
        if DRIVEN not in self.kinds:
            return given
        late = edge_tables(self._edges, self._domain.block, rules, times + self._dt / 2)
        tables = (late.up, late.down, late.left, late.right)
        return tuple(
            after if kind == DRIVEN else now
            for now, after, kind in zip(given, tables, self.kinds, strict=True)
        )

    def advance(
        self,
        state: np.ndarray,
        times: np.ndarray,
        rules: np.ndarray,
        given: tuple[np.ndarray, ...],
        wraps: tuple[bool, bool],
        signals: tuple[np.ndarray, ...],
    ) -> None:
        """Take one step for each of ``times``; see `solver.scheme.Stepper`."""
        advance(
            state, self.rho, self.spacing, self.w, self.physics, self._formulas, self._pair,
            self.kinds, self.betas, self._x, self._y, times, rules,
            self.given(rules, given, times), wraps, signals, self.at_edge, self._work,
        )  # fmt: skip

    def keep(
        self,
        state: np.ndarray,
        times: np.ndarray,
        rules: np.ndarray,
        given: Given,
        wraps: tuple[bool, bool],
        signals: Given,
        states: np.ndarray,
    ) -> None:
        """Take one step for each of ``times``, keeping all states (n + 1, 4, ny + 2, nx + 2).

        ``given`` is that of the method `given`. The ghosts of all but the last state are filled.
        """
        advance_and_keep(
            state, states, self.rho, self.spacing, self.w, self.physics, self._formulas,
            self._pair, self.kinds, self.betas, self._x, self._y, times, rules, given, wraps,
            signals, self.at_edge, self._work,
        )  # fmt: skip

    def fields(self, state: np.ndarray, t: float, rules: np.ndarray) -> np.ndarray:
        """Return the fields in the cells; F is brought to ``t`` by half a step, on a copy."""
        domain = self._domain
        domain.exchange()
        moved = state.copy()
        if t != 0.0:
            times = np.array([t])
            tables = edge_tables(self._edges, domain.block, rules, times)
            given = self.given(
                rules, (tables.up, tables.down, tables.left, tables.right), times - self._dt / 2
            )
            arrive(
                moved, self.rho, self.spacing, self.w, self.physics, self._formulas, self._pair,
                self.kinds, self.betas, self._x, self._y, t, rules, given, domain.wraps, self._work,
            )  # fmt: skip
        elif domain.size == 1:
            wrap(moved, *domain.wraps)
        F = moved[FX : FY + 1]
        inner = state[:, 1:-1, 1:-1].copy()
        inner[FX] = 0.5 * (F[0, 1:-1, :-2] + F[0, 1:-1, 1:-1])
        inner[FY] = 0.5 * (F[1, :-2, 1:-1] + F[1, 1:-1, 1:-1])
        return inner
