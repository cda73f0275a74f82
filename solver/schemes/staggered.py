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

from opalux.solver.domains.domain import Domain
from opalux.solver.edges import edge_tables
from opalux.solver.formulas.formula import Formula
from opalux.solver.problem import Problem
from opalux.solver.schemes.coupling import SETTLED
from opalux.solver.schemes.coupling_fitted import ROWS
from opalux.solver.schemes.emission import volume_source
from opalux.solver.schemes.ghosts import wrap
from opalux.solver.schemes.opacities import cell_opacity, pair_opacity, registers_of
from opalux.solver.schemes.staggered_edges import DRIVEN, FX, FY, edge_kinds
from opalux.solver.schemes.staggered_step import advance, advance_and_keep, arrive
from opalux.solver.schemes.strips import PIECE, strip_rows

EXACT = 1e-12  # share of T that the coupling may leave where its derivatives are wanted

Given = tuple[np.ndarray, ...]


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
        strip = strip_rows(block.ny, width) * width
        self._edges, self._domain, self.rho, self._dt = problem.edges, domain, rho, dt
        self._x, self._y = block.x, block.y
        c, a, settled = constants.c, constants.a, SETTLED[problem.dtype]
        physics = (dt, c, a, capacity or 1.0, settled, 0.5)
        self.physics = tuple(dtype.type(value) for value in physics)
        self.spacing = dtype.type(grid.dx), dtype.type(grid.dy)
        self.w = dtype.type(problem.wave_speed)
        varying = Formula(material.heat_capacity, ("rho", "T")) if capacity is None else None
        sigma_a, sigma_c = (Formula(f, ("rho", "T")) for f in (material.sigma_a, material.sigma_c))
        absorption, factor = cell_opacity(sigma_a, rho, PIECE)
        self._formulas = (
            absorption,
            factor.reshape(-1),
            registers_of(varying, PIECE, problem.dtype),
            registers_of(volume_source(problem), width, problem.dtype),
        )
        self._pair = pair_opacity(sigma_c, rho, PIECE)
        self.kinds, self.betas = edge_kinds(rules, problem.wave_speed)
        self.at_edge = problem.signals.at == "edge"
        row = np.ones(width, dtype)
        row[[0, -1]] = 0
        self._work = (
            np.zeros(strip, dtype),
            np.zeros(PIECE, dtype),
            np.zeros(strip, dtype),
            np.zeros((ROWS, PIECE), dtype),
            np.zeros((5, max(block.ny, block.nx) + 2), dtype),
            np.zeros((4, width), dtype),
            np.tile(row, strip // width),
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
