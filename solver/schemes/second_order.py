"""The consistent scheme at second order in space and time.

The equations are split into transport, L, which is explicit, and what happens within a cell, R,
which is implicit: F relaxes, radiation and matter exchange energy. Both advance together in the two
stages of ARS(2,2,2), which is stiffly accurate in R (γ = 1 − 1/√2, δ = 1 − 1/(2γ)):

    U₁ = U_n + γ Δt [L(U_n) + R(U₁)]
    U_n+1 = U_n + Δt [δ L(U_n) + (1 − δ) L(U₁)] + Δt [(1 − γ) R(U₁) + γ R(U_n+1)]

There is no splitting error, and in every stage F and E − a T⁴ keep the balance that a large
opacity imposes. L(U_n) is taken at t_n and L(U₁) at t_n + γ Δt; the edges are evaluated at these
times; the volume source acts at the middle of either stage. The fluxes of L are those of
`reconstruction`; F follows the plain gradient of the E on the faces and relaxes with the plain σ_c
of its cell.

E and T stay positive: the flux of each face over the whole step is bounded by the energy that moves
towards it (`reconstruction.reach`), which is twice the largest flux of first-order upwinding. That
is enough for √k c Δt (1/Δx + 1/Δy) <= 1/2, half the limit of stability; a longer step is divided
into two, unless positivity is off.

References
----------
U. M. Ascher, S. J. Ruuth, R. J. Spiteri, Appl. Numer. Math. 25 (1997) 151, section 2.6.
"""

import numpy as np

from opalux.base.kernels import njit
from opalux.solver.domains.domain import Domain
from opalux.solver.edges import EXCHANGED, FREE, GIVEN, MIRRORED, edge_tables
from opalux.solver.formulas.formula import Formula
from opalux.solver.problem import Problem
from opalux.solver.schemes.coupling import SETTLED
from opalux.solver.schemes.coupling_stage import GAMMA, STAGE_ROWS
from opalux.solver.schemes.emission import volume_source
from opalux.solver.schemes.ghosts import record
from opalux.solver.schemes.halo import fill_halo, wrap_halo
from opalux.solver.schemes.opacities import cell_opacity, registers_of
from opalux.solver.schemes.reconstruction import holds, mirrors
from opalux.solver.schemes.second_order_stage import stage
from opalux.solver.schemes.strips import PIECE, strip_rows

POSITIVE = 0.5 * (1 + 1e-12)  # largest √k c Δt (1/Δx + 1/Δy) of a step that keeps E positive

Given = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]

E, FX, FY, T = range(4)
UP, DOWN, LEFT, RIGHT = range(4)


@njit(error_model="numpy")
def advance(wide, state, old, rho, inside, kept, spacing, w, physics, formulas, opacities, held,
            choices, x, y, times, starts, rules, feeds, given, wraps, signals, at_edge,
            work):  # fmt: skip
    """Do some stages of each of the steps at ``times`` (n,), recording the signals before each.

    Parameters
    ----------
    wide, state : (4, ny + 4, nx + 4); its view with one layer of ghosts (4, ny + 2, nx + 2)
    old, rho, inside, kept, spacing, w, physics, formulas, opacities, held, choices, x, y, work : as
        for `stage`
    starts : (m, 2) of each stage, when its step begins after ``times``, and which stage it is
    feeds : (4,) whether energy enters at an edge
    given : per edge (n, m, 4, cells) the prescribed values
    rules, wraps, signals, at_edge : as in `consistent.advance`
    """
    up, down, left, right = given
    for n in range(times.shape[0]):
        for m in range(starts.shape[0]):
            start, second = starts[m, 0], starts[m, 1] > 0
            wrap_halo(wide, wraps[0], wraps[1])
            fill_halo(wide, rules, up[n, m], down[n, m], left[n, m], right[n, m], physics[2])
            if not second:
                if start == 0:
                    record(state, at_edge, signals[0][n], signals[1][n], signals[2][n],
                           signals[3][n])  # fmt: skip
                keep_state(old, wide, feeds)
            stage(second, held, choices, wide, old, rho, inside, kept, spacing, w, physics,
                  formulas, opacities, x, y, times[n] + start, rules, work)  # fmt: skip


@njit(error_model="numpy")
def keep_state(old, wide, feeds):
    """Keep the state before the step; ghosts do not bound the energy that enters there."""
    old[:] = wide
    if feeds[UP]:
        old[E, -2:] = np.inf
    if feeds[DOWN]:
        old[E, :2] = np.inf
    if feeds[LEFT]:
        old[E, :, :2] = np.inf
    if feeds[RIGHT]:
        old[E, :, -2:] = np.inf


class Stepper:
    """The consistent scheme at second order on one process's share of the grid.

    Parameters
    ----------
    problem, domain : what is solved, and the cells it is solved on with two layers of ghosts
    rho : (ny + 2, nx + 2) density [g/cm³], ghosts included
    dt : time step [sh]
    rules : (4 edges, 4 fields) how the edges are filled
    """

    def __init__(
        self, problem: Problem, domain: Domain, rho: np.ndarray, dt: float, rules: np.ndarray
    ) -> None:
        material, constants, block = problem.material, problem.constants, domain.block
        grid, (ny, nx) = block.grid, (block.ny, block.nx)
        assert domain.wide.shape == (4, ny + 4, nx + 4), "order 2 needs two layers of ghosts"
        capacity = problem.heat_capacity
        number = problem.wave_speed * constants.c * dt * (1 / grid.dx + 1 / grid.dy)
        self._parts = 1 if number <= POSITIVE or problem.positivity != "keep" else 2
        dt /= self._parts
        self._edges, self._domain, self._rules, self._dt = problem.edges, domain, rules, dt
        self._x, self._y = block.x[1:-1], block.y[1:-1]
        self._at_edge = problem.signals.at == "edge"
        self._spacing, self._w = (grid.dx, grid.dy), problem.wave_speed
        self._physics = (dt, constants.c, constants.a, capacity or 1.0, SETTLED["float64"])
        self._rho = self._widen(rho)
        width = nx + 4
        height = strip_rows(ny, width)
        cells, strip = height * nx, (height + 2) * width
        self._inside = np.ascontiguousarray(self._rho[2:-2, 2:-2]).reshape(-1)
        sigma_a, sigma_c = (Formula(f, ("rho", "T")) for f in (material.sigma_a, material.sigma_c))
        absorption, factor_a = cell_opacity(sigma_a, self._inside, PIECE)
        varying = Formula(material.heat_capacity, ("rho", "T")) if capacity is None else None
        self._formulas = (
            absorption,
            factor_a,
            registers_of(varying, PIECE),
            registers_of(volume_source(problem), nx),
        )
        scattering, factor = cell_opacity(sigma_c, self._rho, PIECE)
        inner = np.ascontiguousarray(factor[2:-2, 2:-2])
        self._opacities = scattering, factor.reshape(-1), inner.reshape(-1)
        self._choices = "T" in sigma_c.uses, problem.positivity == "keep"
        normal = rules[[UP, DOWN, LEFT, RIGHT], [FY, FY, FX, FX]]
        self._held = holds(rules)
        self._feeds = self._held | (normal == GIVEN)
        self._old = np.zeros_like(domain.wide)
        self._kept = (np.zeros((2, ny * width)), np.zeros((2, (ny + 1) * width)))
        self._work = (
            np.empty((STAGE_ROWS, PIECE)),
            np.zeros(strip),
            *(np.zeros((2, strip)) for _ in range(6)),
            np.empty((4, cells)),
        )

    def _widen(self, rho: np.ndarray) -> np.ndarray:
        """Give ρ its second layer of ghosts, by the state's own exchange."""
        wide, block = self._domain.wide, self._domain.block
        E_plane = wide[E].copy()
        wide[E, 1:-1, 1:-1] = rho
        inside = np.where(self._rules == EXCHANGED, EXCHANGED, FREE)
        for edge, normal in enumerate((FY, FY, FX, FX)):
            if mirrors(self._rules[edge, E], self._rules[edge, normal]):
                inside[edge, normal] = MIRRORED
        rows, columns = np.zeros((4, block.nx)), np.zeros((4, block.ny))
        self._fill(inside, (rows, rows, columns, columns))
        widened = wide[E].copy()
        wide[E] = E_plane
        return widened

    def _fill(self, rules: np.ndarray, given: Given) -> None:
        """Fill all ghosts of ``wide``."""
        domain = self._domain
        domain.exchange()
        wrap_halo(domain.wide, *domain.wraps)
        fill_halo(domain.wide, rules, *given, self._physics[2])

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
        """Take one step for each of ``times``; see `solver.scheme.Stepper`."""
        domain = self._domain
        starts = np.array(
            [(part * self._dt, second) for part in range(self._parts) for second in (0, 1)]
        )
        tables = [
            edge_tables(self._edges, domain.block, rules, times + start + second * GAMMA * self._dt)
            for start, second in starts
        ]
        all_given = [
            np.stack([getattr(table, name) for table in tables], axis=1)
            for name in ("up", "down", "left", "right")
        ]
        n, m = (len(times), len(starts)) if domain.size == 1 else (1, 1)
        for i in range(0, len(times), n):  # at once, or with an exchange before each stage
            for j in range(0, len(starts), m):
                domain.exchange()
                advance(
                    domain.wide, state, self._old, self._rho, self._inside, self._kept,
                    self._spacing, self._w, self._physics, self._formulas, self._opacities,
                    self._held, self._choices, self._x, self._y, times[i : i + n],
                    starts[j : j + m], rules,
                    self._feeds, tuple(given[i : i + n, j : j + m] for given in all_given),
                    domain.wraps, tuple(signal[i : i + n] for signal in signals), self._at_edge,
                    self._work,
                )  # fmt: skip
