"""Signals of a problem as a function of the density, with its exact derivative."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from opalux.base.axes import EDGES
from opalux.base.errors import InputError
from opalux.solver.domains.domain import Domain, SerialDomain
from opalux.solver.edges import edge_rules
from opalux.solver.formulas.formula import Formula
from opalux.solver.march import March
from opalux.solver.media import cut_block
from opalux.solver.parameters import MEDIUM, SOURCE, Programs, checked, medium_programs
from opalux.solver.problem import Problem
from opalux.solver.schemes.staggered import Stepper
from opalux.solver.schemes.staggered_adjoint import march_back, step_cells_back, step_faces_back
from opalux.solver.schemes.staggered_adjoint import scratch as scratch_back
from opalux.solver.schemes.staggered_edges import OPEN, E, edge_kinds
from opalux.solver.schemes.staggered_tangent import march_on, scratch
from opalux.solver.sharing import Sharing, Signals, fitting
from opalux.solver.start import time_steps
from opalux.solver.trajectory import Part, Trajectory

MEMORY = 2**31  # bytes that the states kept for the way back may take


class SignalGradient:
    """The signals of a problem for any density, and the derivative of what is made of them.

    Every step is taken back exactly (`opalux.solver.schemes.staggered_adjoint`): `pull` returns the
    derivative of what the computer computes, to rounding. States are kept for the way back; where
    all of them would not fit into ``memory``, some are, and the steps between are taken again
    (`opalux.solver.checkpointing`). That costs time and changes no bit.

    On a domain that is divided among processes, all of them make it, and call each of its methods,
    at once, with the same whole maps and weights; all get the same whole results. The signals, and
    what `pull` and `push` return, have the bits that one process gives.

    Parameters
    ----------
    problem : with ``scheme: staggered`` in float64; its density is not used
    memory : bytes that the states may take, on each process
    domain : how the grid is divided among processes; by default, one has all of it

    Attributes
    ----------
    times : (n,) time of each row of the signals [sh]

    Raises
    ------
    InputError
        When the problem has no such gradient, or the memory does not hold three states.
    """

    def __init__(
        self, problem: Problem, memory: int = MEMORY, domain: Domain | None = None
    ) -> None:
        _check(problem)
        self.problem = problem
        self._domain = domain or SerialDomain(problem)
        _check_blocks(self._domain)
        self.times = time_steps(problem)[1]
        self._trajectory = Trajectory(self._domain, len(self.times), memory)
        self._sharing = Sharing(problem, self._domain, self.times)
        self._spacing = (problem.cells.dx, problem.cells.dy)
        self._known = False

    def simulate(self, rho: np.ndarray) -> Signals:
        """Return the signals for a density.

        Parameters
        ----------
        rho : (ny, nx) [g/cm³]

        Returns
        -------
        per edge (n, 4, cells): E, Fx, Fy, T before each step, at ``problem.signals.at``; and
        ``detectors`` (n, 4, detectors), where the problem has any. They are those of
        `opalux.simulate` to about 1e-9: the exchange with matter is solved to rounding.

        Raises
        ------
        InputError
            When the density is not positive and finite, or does not fit the grid.
        """
        march = March(self.problem, self._domain, rho)
        trajectory = self._trajectory
        assert isinstance(march.stepper, Stepper)
        march.stepper.settle()
        trajectory.start(march, signals := self._sharing.empty(), rows := self._sharing.rows())
        self._known = True
        return self._sharing.whole_signals(signals, rows)

    def pull(self, weights: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return ∂J/∂ρ (ny, nx) at the density of the last `simulate`, J = Σ weights · signals.

        Parameters
        ----------
        weights : like the signals, ∂J/∂signals; an edge left out has none, nor have detectors
        """
        return self.derivatives(weights, ("density",))["density"]

    def derivatives(
        self, weights: Mapping[str, np.ndarray], by: Iterable[str]
    ) -> dict[str, np.ndarray]:
        """Return the derivatives of J = Σ weights · signals by whatever is named, in one way back.

        Parameters
        ----------
        weights : as for `pull`
        by : some of `parameters.PARAMETERS`

        Returns
        -------
        by ``density`` (ny, nx) ∂J/∂ρ [J/(g/cm³)]; by ``absorption``, ``scattering``,
        ``heat_capacity``, ``source`` (ny, nx) what a factor on σ_a, σ_s = σ_c − σ_a, C_v or the
        volume source does in each cell, at 1: the sum of a map is what a factor on all cells does;
        by ``up``, ``down``, ``left``, ``right`` (n, cells) what E outside that edge does
        [J/(g/cm/sh²)] at each of ``times``: the signal of a source, E prescribed, or a T⁴ of the
        surroundings; where the flux is prescribed alone, what it does, half a step later. What
        prescribes nothing has zeros.

        Raises
        ------
        InputError
            When a name is unknown.
        """
        self._after_simulate("derivatives")
        names, domain, block = checked(by), self._domain, self._domain.block
        medium = [name for name in names if name in MEDIUM]
        bar = np.zeros(domain.state.shape)
        found = _Found(
            np.zeros((len(medium), *bar.shape[1:])),
            np.zeros(bar.shape[1:]) if SOURCE in names else None,
            tuple(np.zeros((len(self.times), self._sharing.cells_along(name))) for name in EDGES),
        )
        work = scratch_back(block.nx, block.ny, len(medium))
        programs = self._programs(medium)
        for part in self._trajectory.backwards():
            self._part_back(bar, found, part, weights, programs, work)
        slopes = {
            name: self._sharing.whole_map(found.medium[number, 1:-1, 1:-1])
            for number, name in enumerate(medium)
        }
        if found.source is not None:
            slopes[SOURCE] = self._sharing.whole_map(found.source[1:-1, 1:-1])
        sides = dict(zip(EDGES, found.edges, strict=True))
        slopes |= {
            name: self._sharing.whole_side(name, sides[name]) for name in names if name in EDGES
        }
        return {name: slopes[name] for name in names}

    def push(self, change: np.ndarray | Mapping[str, np.ndarray | float]) -> Signals:
        """Return the change of the signals for small changes, to first order.

        It is the Jacobian at the density of the last `simulate`, times ``change``: the transpose of
        `pull` and `derivatives` to rounding.

        Parameters
        ----------
        change : of the density (ny, nx), or of all that is named, shaped as by `derivatives`; a
            number changes a parameter everywhere

        Raises
        ------
        InputError
            When a name is unknown, or a change does not fit.
        """
        self._after_simulate("push")
        changes = change if isinstance(change, Mapping) else {"density": change}
        names, domain, block = checked(changes), self._domain, self._domain.block
        cells = self.problem.cells
        whole = {
            name: fitting(name, changes[name], (cells.ny, cells.nx))
            for name in names
            if name not in EDGES
        }
        medium = [name for name in names if name in MEDIUM]
        moved = np.zeros(domain.state.shape)
        data = _Found(
            np.stack([self._sharing.with_ghosts(whole[name]) for name in medium])
            if medium
            else np.zeros((0, *moved.shape[1:])),
            cut_block(whole[SOURCE], block, SOURCE) if SOURCE in names else None,
            tuple(self._sharing.own_side(name, changes.get(name, 0.0)) for name in EDGES),
        )
        signals, rows = self._sharing.empty(), self._sharing.rows()
        work = scratch(block.nx, block.ny, len(medium))
        programs = self._programs(medium)
        for part in self._trajectory.forwards():
            self._part_on(moved, data, part, signals, rows, programs, work)
        return self._sharing.whole_signals(signals, rows)

    def _part_back(
        self,
        bar: np.ndarray,
        found: "_Found",
        part: Part,
        weights: Mapping[str, np.ndarray],
        programs: Programs,
        work: tuple[Any, ...],
    ) -> None:
        trajectory, domain = self._trajectory, self._domain
        march, stepper = trajectory.march, trajectory.stepper
        start, stop, states = part
        times, rho = march.times[start:stop], march.rho
        given = trajectory.given(start, stop)
        given_bar = tuple(side[start:stop] for side in found.edges)
        own = tuple(self._sharing.weights(weights, name, start, stop) for name in EDGES)
        points = self._sharing.points(weights, start, stop)
        if domain.size == 1 and found.source is None:
            march_back(
                bar, found.medium, states, rho, self._spacing, self.problem.wave_speed,
                self._physics, programs, stepper.kinds, stepper.betas, march.rules, domain.wraps,
                times, given, own, given_bar, stepper.at_edge, points, work,
            )  # fmt: skip
            return
        for n in reversed(range(stop - start)):
            step_cells_back(
                n, bar, found.medium, states, rho, self._physics, programs, times, own,
                stepper.at_edge, points, work,
            )  # fmt: skip
            if found.source is not None:
                found.source[...] += bar[E] * self._emitted(times[n])
            domain.exchange(bar)
            step_faces_back(
                n, bar, found.medium, states, rho, self._spacing, self.problem.wave_speed,
                self._physics, programs, stepper.kinds, stepper.betas, march.rules,
                domain.wraps, times, given, own, given_bar, stepper.at_edge, points, work,
            )  # fmt: skip

    def _part_on(
        self,
        moved: np.ndarray,
        data: "_Found",
        part: Part,
        signals: tuple[np.ndarray, ...],
        rows: np.ndarray | None,
        programs: Programs,
        work: tuple[Any, ...],
    ) -> None:
        trajectory, domain = self._trajectory, self._domain
        march, stepper = trajectory.march, trajectory.stepper
        start, stop, states = part
        given = trajectory.given(start, stop)
        alone = domain.size == 1 and rows is None and data.source is None
        at_once = stop - start if alone else 1
        emitted = np.zeros(moved.shape[1:])
        for first in range(start, stop, at_once):
            here, there = (
                slice(first, first + at_once),
                slice(first - start, first - start + at_once),
            )
            if self._sharing.readings and rows is not None:
                self._sharing.readings.note(moved, rows[first])
            if data.source is not None:
                emitted = data.source * self._emitted(march.times[first])
            domain.exchange(moved)
            march_on(
                moved, data.medium, tuple(side[here] for side in data.edges), emitted,
                states[there.start :], march.rho, self._spacing, self.problem.wave_speed,
                self._physics, programs, stepper.kinds, stepper.betas, march.rules, domain.wraps,
                march.times[here], tuple(side[there] for side in given),
                tuple(seen[here] for seen in signals), stepper.at_edge, work,
            )  # fmt: skip
        if self._sharing.readings and rows is not None:
            self._sharing.readings.note(moved, rows[stop])

    @property
    def _physics(self) -> tuple[float, float, float]:
        constants = self.problem.constants
        return self._trajectory.march.dt, constants.c, constants.a

    def _programs(self, medium: list[str]) -> Programs:
        block = self._domain.block
        return medium_programs(
            self.problem.material, medium, self._trajectory.march.rho, max(block.nx, block.ny)
        )

    def _emitted(self, t: float) -> np.ndarray:
        """Return Δt S of the step that begins at ``t``, ghosts included."""
        block, dt = self._domain.block, self._trajectory.march.dt
        source = Formula(self.problem.source, ("x", "y", "t"))
        at = source(x=block.x[None, :], y=block.y[:, None], t=np.float64(t + 0.5 * dt))
        emitted: np.ndarray = dt * at
        return emitted

    def _after_simulate(self, what: str) -> None:
        if not self._known:
            raise ValueError(f"{what}: found no density yet, expected simulate(rho) before")


class _Found(NamedTuple):
    """Derivatives by data of one process, or changes of these.

    Attributes
    ----------
    medium : (parameters, ny + 2, nx + 2)
    source : (ny + 2, nx + 2), None where it is not asked for
    edges : per edge (n, own cells)
    """

    medium: np.ndarray
    source: np.ndarray | None
    edges: tuple[np.ndarray, ...]


def _check_blocks(domain: Domain) -> None:
    """Refuse to share the grid so finely that an edge's two cells lie on different processes."""
    block = domain.block
    grid = block.grid
    thin = (block.nx == 1 < grid.nx) or (block.ny == 1 < grid.ny)
    if domain.any(thin):
        raise InputError(
            f"gradient: found {domain.size} processes on {grid.nx} x {grid.ny} cells, expected two "
            "cells or more along x and y on each; start fewer processes"
        )


def _check(problem: Problem) -> None:
    """Refuse what has no gradient."""
    if problem.scheme != "staggered" or problem.dtype != "float64":
        raise InputError(
            f"gradient: found scheme {problem.scheme} in {problem.dtype}, expected staggered in "
            "float64; set 'scheme: staggered'"
        )
    if problem.time.method != "explicit":
        raise InputError(
            f"gradient: found time.method '{problem.time.method}', expected explicit steps; leave "
            "'method' out"
        )
    kinds, _ = edge_kinds(edge_rules(problem.edges, problem.cells.whole), problem.wave_speed)
    for axis, n, sides in (("x", problem.cells.nx, kinds[2:]), ("y", problem.cells.ny, kinds[:2])):
        if n == 1 and OPEN in sides:  # free, or prescribed with neither E nor the flux
            raise InputError(
                f"gradient: found one cell along {axis} between free edges, expected two or more; "
                "make them walls"
            )
