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
is enough for √k c Δt (1/Δx + 1/Δy) <= 1/2, half the limit of stability. A longer step is taken all
the same, and kept if transport leaves no cell with a negative E in either stage; if it does, the
step is taken back and divided into two. All processes decide together.

References
----------
U. M. Ascher, S. J. Ruuth, R. J. Spiteri, Appl. Numer. Math. 25 (1997) 151, section 2.6.
"""

import numpy as np

from opalux.solver.domains.domain import Domain
from opalux.solver.edges import EXCHANGED, FREE, GIVEN, MIRRORED, edge_tables
from opalux.solver.formulas.formula import Formula
from opalux.solver.problem import Problem
from opalux.solver.schemes.coupling import SETTLED
from opalux.solver.schemes.coupling_stage import GAMMA, STAGE_ROWS
from opalux.solver.schemes.emission import volume_source
from opalux.solver.schemes.halo import fill_halo, wrap_halo
from opalux.solver.schemes.opacities import cell_opacity, registers_of
from opalux.solver.schemes.reconstruction import holds, mirrors
from opalux.solver.schemes.second_order_step import advance, take_back
from opalux.solver.schemes.strips import PIECE, STRIP, strip_rows

POSITIVE = 0.5 * (1 + 1e-12)  # largest √k c Δt (1/Δx + 1/Δy) of a step that keeps E positive

Given = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]

E, FX, FY, T = range(4)
UP, DOWN, LEFT, RIGHT = range(4)


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
        self._judged = number > POSITIVE and problem.positivity == "keep"
        self._edges, self._domain, self._rules, self._dt = problem.edges, domain, rules, dt
        self._x, self._y = block.x[1:-1], block.y[1:-1]
        self._at_edge = problem.signals.at == "edge"
        self._spacing, self._w = (grid.dx, grid.dy), problem.wave_speed
        self._physics = (constants.c, constants.a, capacity or 1.0, SETTLED["float64"])
        self._rho = self._widen(rho)
        width = nx + 4
        height = strip_rows(ny, width, STRIP // 2)  # it has more arrays than first order
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
        fill_halo(domain.wide, rules, *given, self._physics[1])

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
        done = 0
        while done < len(times):
            rest, seen = times[done:], tuple(signal[done:] for signal in signals)
            done += self._march(rest, 1, self._judged, rules, wraps, seen)
            if done < len(times):  # that step was taken back
                one = slice(done, done + 1)
                seen = tuple(signal[one] for signal in signals)
                done += self._march(times[one], 2, False, rules, wraps, seen)

    def _march(
        self,
        times: np.ndarray,
        parts: int,
        judged: bool,
        rules: np.ndarray,
        wraps: tuple[bool, bool],
        signals: tuple[np.ndarray, ...],
    ) -> int:
        """Take each step in ``parts`` steps; see `advance`."""
        domain, dt = self._domain, self._dt / parts
        starts = np.array([(part * dt, second) for part in range(parts) for second in (0, 1)])
        tables = [
            edge_tables(self._edges, domain.block, rules, times + start + second * GAMMA * dt)
            for start, second in starts
        ]
        given = tuple(
            np.stack([getattr(table, name) for table in tables], axis=1)
            for name in ("up", "down", "left", "right")
        )

        def stages(some: slice, which: slice, judged: bool) -> tuple[int, int]:
            done: tuple[int, int] = advance(
                domain.wide, domain.state, self._old, self._rho, self._inside, self._kept,
                self._spacing, self._w, dt, self._physics, self._formulas, self._opacities,
                self._held, self._choices, self._x, self._y, times[some], starts[which], judged,
                rules, self._feeds, tuple(table[some, which] for table in given), wraps,
                tuple(signal[some] for signal in signals), self._at_edge, self._work,
            )  # fmt: skip
            return done

        if domain.size == 1:
            return stages(slice(None), slice(None), judged)[0]
        for n in range(len(times)):  # with an exchange before each stage
            lacking = 0
            for m in range(len(starts)):
                domain.exchange()
                lacking += stages(slice(n, n + 1), slice(m, m + 1), False)[1]
            if judged and domain.any(lacking > 0):
                take_back(domain.wide, self._old)
                return n
        return len(times)
