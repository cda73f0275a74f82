"""Signals of a problem as a function of the density, with its exact derivative."""

import math
from collections.abc import Mapping

import numpy as np

from opalux.base.axes import EDGES, along
from opalux.base.errors import InputError
from opalux.solver.domains.domain import SerialDomain
from opalux.solver.edges import edge_rules, edge_tables
from opalux.solver.formulas.compiler import compiled
from opalux.solver.formulas.derivative import derivative
from opalux.solver.formulas.formula import Formula
from opalux.solver.formulas.pairs import VARIABLES, pair_tree
from opalux.solver.march import March
from opalux.solver.problem import Problem
from opalux.solver.schemes.consistent import strip_rows
from opalux.solver.schemes.staggered import Stepper
from opalux.solver.schemes.staggered_adjoint import march_back
from opalux.solver.schemes.staggered_edges import OPEN, edge_kinds
from opalux.solver.schemes.staggered_tangent import march_on, scratch

MEMORY = 2**31  # bytes that the states kept for the way back may take

Signals = dict[str, np.ndarray]


class SignalGradient:
    """The signals of a problem for any density, and the derivative of what is made of them.

    Every step is taken back exactly (`opalux.solver.schemes.staggered_adjoint`): `pull` returns the
    derivative of what the computer computes, to rounding. States are kept for the way back; where
    all of them would not fit into ``memory``, every m-th one is, and the steps between are taken
    twice. That costs time and changes no bit.

    Parameters
    ----------
    problem : with ``scheme: staggered`` in float64; its density is not used
    memory : bytes that the states may take

    Attributes
    ----------
    times : (n,) time of each row of the signals [sh]

    Raises
    ------
    InputError
        When the problem has no such gradient.
    """

    def __init__(self, problem: Problem, memory: int = MEMORY) -> None:
        _check(problem)
        self.problem, self.memory = problem, memory
        self._march: March | None = None
        self._stepper: Stepper | None = None
        self._spacing = (problem.cells.dx, problem.cells.dy)
        width = problem.cells.nx + 2
        self._strip = strip_rows(problem.cells.ny, width) * width
        self._programs = _programs(problem, max(self._strip, problem.cells.ny) + width)
        self.times = March(problem, SerialDomain(problem), np.ones(_shape(problem))).times

    def simulate(self, rho: np.ndarray) -> Signals:
        """Return the signals for a density.

        Parameters
        ----------
        rho : (ny, nx) [g/cm³]

        Returns
        -------
        per edge (n, 4, cells): E, Fx, Fy, T before each step, at ``problem.signals.at``. They are
        those of `opalux.simulate` to about 1e-9: the exchange with matter is solved to rounding.
        """
        march = self._march = March(self.problem, SerialDomain(self.problem), rho)
        assert isinstance(march.stepper, Stepper)
        self._stepper = march.stepper
        self._stepper.settle()
        state, n_steps = march.domain.state, march.n_steps
        room = max(2, int(self.memory // state.nbytes))
        self._length = n_steps if n_steps + 1 <= room else math.ceil(math.sqrt(n_steps))
        self._starts = list(range(0, n_steps, self._length))
        if len(self._starts) + self._length > room:
            least = (len(self._starts) + self._length) * state.nbytes
            raise InputError(
                f"gradient: found a budget of {self.memory / 2**20:.0f} MiB, expected at least "
                f"{least / 2**20:.0f} MiB on this grid; raise it or use fewer cells"
            )
        self._states = np.empty((min(self._length, n_steps) + 1, *state.shape))
        self._first_states = []
        signals = {name: np.empty((n_steps, 4, _cells(self.problem, name))) for name in EDGES}
        for start in self._starts:
            self._first_states.append(state.copy())
            self._forward(start, signals)
        return signals

    def pull(self, weights: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return ∂J/∂ρ (ny, nx) at the density of the last `simulate`, J = Σ weights · signals.

        Parameters
        ----------
        weights : per edge (n, 4, cells), ∂J/∂signals; an edge left out has none
        """
        march, stepper = self._march, self._stepper
        if march is None or stepper is None:
            raise ValueError("pull: found no density yet, expected simulate(rho) before")
        state = march.domain.state
        bar, rho_bar = np.zeros(state.shape), np.zeros(state.shape[1:])
        ny, nx = state.shape[1] - 2, state.shape[2] - 2
        lengths = (nx, nx, ny, ny)
        strip = self._strip
        work = (
            np.zeros((ny + 2, nx + 2)), np.zeros((12, strip)), np.zeros((7, strip)),
            np.zeros(strip), np.zeros((6, strip + 1)), np.zeros((6, strip + nx + 2)),
            tuple(np.zeros(n) for n in lengths), np.zeros((4, max(nx, ny))),
        )  # fmt: skip
        c, a = self.problem.constants.c, self.problem.constants.a
        physics = (march.dt, c, a, self.problem.heat_capacity or 1.0)
        for number in reversed(range(len(self._starts))):
            start = self._starts[number]
            stop = min(start + self._length, march.n_steps)
            if number < len(self._starts) - 1:
                state[...] = self._first_states[number]
                self._forward(start, None)
            times = march.times[start:stop]
            parts = tuple(
                np.ascontiguousarray(weights[name][start:stop], dtype=np.float64)
                if name in weights
                else np.zeros((stop - start, 4, 0))
                for name in EDGES
            )
            march_back(
                bar, rho_bar, self._states, march.rho, self._spacing, self.problem.wave_speed,
                physics, self._programs, stepper.kinds, stepper.betas, march.rules,
                march.domain.wraps,
                times, self._given(times), parts,
                tuple(np.zeros((stop - start, n)) for n in lengths), stepper.at_edge, work,
            )  # fmt: skip
        return rho_bar[1:-1, 1:-1].copy()

    def push(self, change: np.ndarray) -> Signals:
        """Return the change of the signals for a small ``change`` (ny, nx) of the density.

        It is the Jacobian at the density of the last `simulate`, times ``change``: the transpose of
        `pull` to rounding.
        """
        march, stepper = self._march, self._stepper
        if march is None or stepper is None:
            raise ValueError("push: found no density yet, expected simulate(rho) before")
        ny, nx = _shape(self.problem)
        drho = march.domain.state[0].copy()
        drho[1:-1, 1:-1] = change
        wrap_ghosts(drho, self.problem.edges.periodic)
        moved = np.zeros(march.domain.state.shape)
        signals = {name: np.zeros((march.n_steps, 4, _cells(self.problem, name))) for name in EDGES}
        c, a = self.problem.constants.c, self.problem.constants.a
        for number, start in enumerate(self._starts):
            stop = min(start + self._length, march.n_steps)
            if len(self._starts) > 1:
                march.domain.state[...] = self._first_states[number]
                self._forward(start, None)
            times = march.times[start:stop]
            march_on(
                moved, drho, self._states, march.rho, self._spacing, self.problem.wave_speed,
                (march.dt, c, a, self.problem.heat_capacity or 1.0), self._programs,
                stepper.kinds, stepper.betas, march.rules, march.domain.wraps, times,
                self._given(times), tuple(signals[name][start:stop] for name in EDGES),
                stepper.at_edge, scratch(nx, ny),
            )  # fmt: skip
        return signals

    def _given(self, times: np.ndarray) -> tuple[np.ndarray, ...]:
        march, stepper = self._march, self._stepper
        assert march is not None
        assert stepper is not None
        tables = edge_tables(self.problem.edges, march.domain.block, march.rules, times)
        now = (tables.up, tables.down, tables.left, tables.right)
        return stepper.given(march.rules, now, times)

    def _forward(self, start: int, signals: Signals | None) -> None:
        """Take the steps from ``start`` on, as many as are kept, and keep their states."""
        march, stepper = self._march, self._stepper
        assert march is not None
        assert stepper is not None
        stop = min(start + self._length, march.n_steps)
        times = march.times[start:stop]
        parts = tuple(
            np.empty((len(times), 4, 0)) if signals is None else signals[name][start:stop]
            for name in EDGES
        )
        stepper.keep(
            march.domain.state, times, march.rules, self._given(times), march.domain.wraps, parts,
            self._states,
        )  # fmt: skip


def wrap_ghosts(array: np.ndarray, periodic: tuple[bool, bool]) -> None:
    """Fill the ghosts of (ny + 2, nx + 2) from the other side, or from the cell beside them."""
    array[0], array[-1] = (array[-2], array[1]) if periodic[1] else (array[1], array[-2])
    array[:, 0], array[:, -1] = (
        (array[:, -2], array[:, 1]) if periodic[0] else (array[:, 1], array[:, -2])
    )


def _shape(problem: Problem) -> tuple[int, int]:
    return problem.cells.ny, problem.cells.nx


def _cells(problem: Problem, edge: str) -> int:
    return problem.cells.nx if along(edge) == "x" else problem.cells.ny


def _check(problem: Problem) -> None:
    """Refuse what has no gradient."""
    if problem.scheme != "staggered" or problem.dtype != "float64":
        raise InputError(
            f"gradient: found scheme {problem.scheme} in {problem.dtype}, expected staggered in "
            "float64; set 'scheme: staggered'"
        )
    kinds, _ = edge_kinds(edge_rules(problem.edges, problem.cells.whole), problem.wave_speed)
    for axis, n, sides in (("x", problem.cells.nx, kinds[2:]), ("y", problem.cells.ny, kinds[:2])):
        if n == 1 and OPEN in sides:  # free, or prescribed with neither E nor the flux
            raise InputError(
                f"gradient: found one cell along {axis} between free edges, expected two or more; "
                "make them walls"
            )


def _programs(problem: Problem, width: int):  # type: ignore[no-untyped-def]
    """Return the programs of the opacities and the heat capacity, with their derivatives."""
    material = problem.material

    def rows(tree, variables):  # type: ignore[no-untyped-def]
        return compiled(tree, variables).rows(len(variables), width)

    sigma_c = Formula(material.sigma_c, ("rho", "T"))
    pair = pair_tree(sigma_c)
    pairs = (
        rows(pair, VARIABLES),
        *(rows(derivative(pair, name), VARIABLES) for name in ("rho", "rho_l", "T")),
    )

    def with_derivatives(text):  # type: ignore[no-untyped-def]
        formula = Formula(text, ("rho", "T"))
        trees = (formula.tree, derivative(formula.tree, "rho"), derivative(formula.tree, "T"))
        return tuple(rows(tree, formula.variables) for tree in trees)

    absorption = (with_derivatives(material.sigma_a), with_derivatives(material.sigma_a))
    none = (np.empty((0, 4), dtype=np.int64), 0, np.empty((0, width)))
    capacity = (
        (none,) * 3
        if problem.heat_capacity is not None
        else with_derivatives(material.heat_capacity)
    )
    return pairs, "T" in sigma_c.uses, absorption, capacity
