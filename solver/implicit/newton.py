"""Newton's method for one implicit stage: linearise, solve, until nothing changes any more."""

import dataclasses
from typing import Any

import numpy as np

from opalux.solver.domains.domain import Domain
from opalux.solver.domains.linear import LinearSolver
from opalux.solver.edges import Edges, edge_tables
from opalux.solver.formulas.formula import Formula
from opalux.solver.formulas.pairs import VARIABLES, pair_sum
from opalux.solver.implicit.stage import assemble, fluxes, update
from opalux.solver.problem import Problem
from opalux.solver.schemes.ghosts import wrap
from opalux.solver.schemes.staggered_edges import INNER, OPEN, edge_kinds, fill_outside

FORCING = 1e-2  # share of the residual that a linear solve may leave: the next iteration sees it
MOST = 15  # iterations, after which a shorter step is better


@dataclasses.dataclass
class Effort:
    """What has been spent: iterations of Newton's method, and of the linear solver in them."""

    newton: int = 0
    linear: int = 0


class Diverged(Exception):
    """A stage has no solution that the iteration finds; the message says why."""


class Newton:
    """Solves stages on one process's share of the grid.

    Parameters
    ----------
    problem, domain : what is solved, and the cells it is solved on; ``domain.state`` is the iterate
    rho : (ny + 2, nx + 2) density [g/cm³], ghosts included
    rules : (4 edges, 4 fields) how the edges are filled
    solver : of the linear systems
    tolerance : the iteration ends when E and T change by this share or less, in the mean

    Attributes
    ----------
    base : (4, ny + 2, nx + 2) what a stage starts from: E*, F*x, F*y, Q*; see `stage`
    T_n : (ny + 2, nx + 2) T from which heat counts [keV]
    effort : iterations so far
    """

    def __init__(
        self,
        problem: Problem,
        domain: Domain,
        rho: np.ndarray,
        rules: np.ndarray,
        solver: LinearSolver,
        tolerance: float,
    ) -> None:
        block, constants, material = domain.block, problem.constants, problem.material
        width = block.nx + 2
        self._domain, self._rho, self._rules, self._solver = domain, rho, rules, solver
        self._edges: Edges = problem.edges
        self.tolerance, self.effort = tolerance, Effort()
        capacity = problem.heat_capacity
        self._spacing = block.grid.dx, block.grid.dy
        w = problem.wave_speed
        self._constants = constants.c, constants.a, constants.eddington, w, capacity or 1.0
        self._kinds, self._betas = edge_kinds(rules, w)
        variables = ("rho", "T")
        sigma_c = Formula(material.sigma_c, variables)
        self._formulas = (
            Formula(material.sigma_a, variables).program.rows(2, width),
            Formula(material.heat_capacity, variables).program.rows(2, width)
            if capacity is None
            else (np.empty((0, 4), np.int64), 0, np.empty((0, width))),
            (*pair_sum(sigma_c).rows(len(VARIABLES), width), "T" in sigma_c.uses),
        )
        self.base, self.T_n = np.zeros(domain.state.shape), np.zeros(rho.shape)
        self._work, self._sums = np.zeros((7, width)), np.zeros(4)
        inner = (block.ny, block.nx)
        along = (block.nx, block.nx, block.ny, block.ny)
        self._system = (
            solver.matrix,
            solver.right,
            (np.zeros(rho.shape), np.zeros(rho.shape)),
            np.zeros(inner),
            np.zeros(inner),
            tuple(np.zeros((3, cells)) for cells in along),
        )

    def fill_ghosts(self, given: tuple[np.ndarray, ...]) -> None:
        """Fill the iterate's ghost cells; ``given``, per edge (4, cells): what it prescribes."""
        self._domain.exchange()
        state = self._domain.state
        wrap(state, *self._domain.wraps)
        for side in range(4):
            if self._kinds[side] != INNER:
                fill_outside(state, side, self._rules[side], given[side], self._constants[1])

    def given(self, t: float) -> tuple[np.ndarray, ...]:
        """Return what the edges prescribe at the time ``t`` [sh], per edge (4, cells)."""
        tables = edge_tables(self._edges, self._domain.block, self._rules, np.array([t]))
        return tables.up[0], tables.down[0], tables.left[0], tables.right[0]

    @property
    def capacity(self) -> tuple[float, Any, np.ndarray]:
        """C_v, the registers of its formula, and scratch, for `runge_kutta.look_ahead`."""
        return self._constants[4], self._formulas[1], self._work

    @property
    def scratch(self) -> list[Any]:
        """The arrays that it holds, and that its linear solver shares with it."""
        return [self.base, self.T_n, self._system, self._solver.found]

    def solve(self, t: float, tau: float) -> int:
        """Bring the state from its last iterate to the end of a stage; return the iterations.

        Parameters
        ----------
        t, tau : the time at the stage's end, and its length [sh]

        Raises
        ------
        Diverged
            On all processes at once.
        """
        state, given = self._domain.state, self.given(t)
        _, _, conductance, gain, shift, lines = self._system
        for iteration in range(1, MOST + 1):
            self.fill_ghosts(given)
            assemble(
                state, self.base, self.T_n, self._rho, tau, self._spacing, self._constants,
                self._formulas, self._kinds, self._betas, given, self._system, self._work,
            )  # fmt: skip
            solved = self._solver.solve(FORCING)
            self.effort.newton += 1
            self.effort.linear += solved.iterations
            if solved.failure:
                raise Diverged(f"{self._solver.name}: {solved.failure}")
            update(state, self._solver.found, gain, shift, self._sums)
            dE, size_E, dT, size_T = self._domain.total(self._sums)
            change = max(dE / (size_E + TINY), dT / (size_T + TINY))
            if not change < np.inf:
                raise Diverged("Newton's method: no numbers any more")
            if change <= self.tolerance:
                self.fill_ghosts(given)
                c_tau = self._constants[0] * tau
                q = tuple(self._constants[2] * c_tau / h for h in self._spacing)
                fluxes(state, self.base, conductance, lines, self._kinds, q)
                return iteration
        raise Diverged(f"Newton's method: not settled after {MOST} iterations")


TINY = 1e-300


def symmetric(problem: Problem, rules: np.ndarray) -> bool:
    """Return whether the matrix of a stage is symmetric: no edge of this block is open."""
    return OPEN not in edge_kinds(rules, problem.wave_speed)[0]
