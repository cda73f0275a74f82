"""Signals of a problem as a function of the density, with its exact derivative."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from opalux.base.axes import EDGES, along
from opalux.base.errors import InputError
from opalux.solver.domains.domain import Domain, SerialDomain
from opalux.solver.edges import edge_rules
from opalux.solver.formulas.derivative import derivative
from opalux.solver.formulas.formula import Formula
from opalux.solver.formulas.joint import Rows, joint_rows
from opalux.solver.formulas.pairs import VARIABLES, pair_tree
from opalux.solver.march import March
from opalux.solver.media import cut_block
from opalux.solver.problem import Problem
from opalux.solver.readings import Readings
from opalux.solver.schemes.ghosts import wrap
from opalux.solver.schemes.staggered import Stepper
from opalux.solver.schemes.staggered_adjoint import march_back, step_cells_back, step_faces_back
from opalux.solver.schemes.staggered_edges import OPEN, edge_kinds
from opalux.solver.schemes.staggered_tangent import march_on, scratch
from opalux.solver.schemes.strips import strip_rows
from opalux.solver.start import time_steps
from opalux.solver.trajectory import Part, Trajectory

MEMORY = 2**31  # bytes that the states kept for the way back may take

Signals = dict[str, np.ndarray]


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
        block = self._domain.block
        self.times = time_steps(problem)[1]
        self._trajectory = Trajectory(self._domain, len(self.times), memory)
        self._readings = Readings(problem, block) if problem.detectors else None
        self._spacing = (problem.cells.dx, problem.cells.dy)
        width = block.nx + 2
        self._strip = strip_rows(block.ny, width) * width
        self._programs = _programs(problem, max(self._strip, block.ny) + width)
        self._wide = {name: (len(self.times), 4, _cells(problem, name)) for name in EDGES}
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
        trajectory.start(march, signals := self._empty(len(self.times)), rows := self._rows())
        self._known = True
        return self._whole(signals, rows)

    def pull(self, weights: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return ∂J/∂ρ (ny, nx) at the density of the last `simulate`, J = Σ weights · signals.

        Parameters
        ----------
        weights : like the signals, ∂J/∂signals; an edge left out has none, nor have detectors
        """
        self._after_simulate("pull")
        domain = self._domain
        bar = np.zeros(domain.state.shape)
        rho_bar = np.zeros(bar.shape[1:])
        ny, nx = domain.block.ny, domain.block.nx
        strip = self._strip
        work = (
            np.zeros(rho_bar.size), np.zeros((12, strip)), np.zeros((7, strip)), np.zeros(strip),
            np.zeros((6, strip + 1)), np.zeros((6, strip + nx + 2)),
            tuple(np.zeros(n) for n in (nx, nx, ny, ny)), np.zeros((4, max(nx, ny))),
        )  # fmt: skip
        for part in self._trajectory.backwards():
            self._part_back(bar, rho_bar, part, weights, work)
        return self._joined(rho_bar[1:-1, 1:-1])

    def push(self, change: np.ndarray) -> Signals:
        """Return the change of the signals for a small ``change`` (ny, nx) of the density.

        It is the Jacobian at the density of the last `simulate`, times ``change``: the transpose of
        `pull` to rounding.
        """
        self._after_simulate("push")
        domain, block = self._domain, self._domain.block
        moved = np.zeros(domain.state.shape)
        moved[0] = cut_block(change, block, "change")
        domain.exchange(moved)
        wrap(moved, *domain.wraps)
        drho = moved[0].copy()
        moved[...] = 0.0
        signals, rows = self._empty(len(self.times)), self._rows()
        work = scratch(block.nx, block.ny)
        for part in self._trajectory.forwards():
            self._part_on(moved, drho, part, signals, rows, work)
        return self._whole(signals, rows)

    def _part_back(
        self,
        bar: np.ndarray,
        rho_bar: np.ndarray,
        part: Part,
        weights: Mapping[str, np.ndarray],
        work: tuple[Any, ...],
    ) -> None:
        trajectory, domain = self._trajectory, self._domain
        march, stepper = trajectory.march, trajectory.stepper
        start, stop, states = part
        times, rho = march.times[start:stop], march.rho
        given = trajectory.given(start, stop)
        given_bar = tuple(np.zeros(side.shape[::2]) for side in given)
        own = tuple(self._own_weights(weights, name, start, stop) for name in EDGES)
        points = self._points(weights, start, stop)
        if domain.size == 1:
            march_back(
                bar, rho_bar, states, rho, self._spacing, self.problem.wave_speed, self._physics,
                self._programs, stepper.kinds, stepper.betas, march.rules, domain.wraps, times,
                given, own, given_bar, stepper.at_edge, points, work,
            )  # fmt: skip
            return
        for n in reversed(range(stop - start)):
            step_cells_back(
                n, bar, rho_bar, states, rho, self._physics, self._programs, times, own,
                stepper.at_edge, points, work,
            )  # fmt: skip
            domain.exchange(bar)
            step_faces_back(
                n, bar, rho_bar, states, rho, self._spacing, self.problem.wave_speed,
                self._physics, self._programs, stepper.kinds, stepper.betas, march.rules,
                domain.wraps, times, given, own, given_bar, stepper.at_edge, points, work,
            )  # fmt: skip

    def _part_on(
        self,
        moved: np.ndarray,
        drho: np.ndarray,
        part: Part,
        signals: tuple[np.ndarray, ...],
        rows: np.ndarray | None,
        work: tuple[Any, ...],
    ) -> None:
        trajectory, domain = self._trajectory, self._domain
        march, stepper = trajectory.march, trajectory.stepper
        start, stop, states = part
        given = trajectory.given(start, stop)
        at_once = stop - start if domain.size == 1 and rows is None else 1
        for first in range(start, stop, at_once):
            here, there = (
                slice(first, first + at_once),
                slice(first - start, first - start + at_once),
            )
            if self._readings and rows is not None:
                self._readings.note(moved, rows[first])
            domain.exchange(moved)
            march_on(
                moved, drho, states[there.start :], march.rho, self._spacing,
                self.problem.wave_speed, self._physics, self._programs, stepper.kinds,
                stepper.betas, march.rules, domain.wraps, march.times[here],
                tuple(side[there] for side in given), tuple(seen[here] for seen in signals),
                stepper.at_edge, work,
            )  # fmt: skip
        if self._readings and rows is not None:
            self._readings.note(moved, rows[stop])

    @property
    def _physics(self) -> tuple[float, float, float, float]:
        problem = self.problem
        constants = problem.constants
        return (
            self._trajectory.march.dt, constants.c, constants.a, problem.heat_capacity or 1.0
        )  # fmt: skip

    def _after_simulate(self, what: str) -> None:
        if not self._known:
            raise ValueError(f"{what}: found no density yet, expected simulate(rho) before")

    def _empty(self, steps: int) -> tuple[np.ndarray, ...]:
        """Return room for the own block's signals; no cells on edges that it does not touch."""
        block = self._domain.block
        sizes = {name: block.nx if along(name) == "x" else block.ny for name in EDGES}
        return tuple(
            np.empty((steps, 4, sizes[name] if block.touches[name] else 0)) for name in EDGES
        )

    def _rows(self) -> np.ndarray | None:
        return self._readings.empty(len(self.times)) if self._readings else None

    def _own_weights(
        self, weights: Mapping[str, np.ndarray], name: str, start: int, stop: int
    ) -> np.ndarray:
        """Return the weights of the own cells on an edge, and of the next one; see `march_back`."""
        block, axis = self._domain.block, along(name)
        if name not in weights or not block.touches[name]:
            return np.zeros((stop - start, 4, 0))
        given = np.asarray(weights[name], dtype=np.float64)[start:stop]
        first, count = (block.i0, block.nx) if axis == "x" else (block.j0, block.ny)
        own = np.zeros((stop - start, 4, count + 1))
        own[:, :, :-1] = given[:, :, first : first + count]
        follows = first + count
        if follows < given.shape[2]:
            own[:, :, -1] = given[:, :, follows]
        elif self.problem.edges.periodic[0 if axis == "x" else 1]:
            own[:, :, -1] = given[:, :, 0]
        return own

    def _points(
        self, weights: Mapping[str, np.ndarray], start: int, stop: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return own places that detectors read, and the weights of these in some steps.

        The face between periodic sides is one of them for the signals of the left and the lower
        side: its owner is the cell on the other side.
        """
        block, steps = self._domain.block, slice(start, stop)
        places, values = [np.zeros((3, 0), dtype=np.int64)], [np.zeros((stop - start, 0))]
        if self._readings and "detectors" in weights:
            given = np.asarray(weights["detectors"], dtype=np.float64)[steps]
            places.append(self._readings.own)
            values.append(self._readings.spread(given))
        share = 1.0 if self.problem.signals.at == "edge" else 0.5
        for name, opposite, field in (("left", "right", 1), ("down", "up", 2)):
            if not (self.problem.edges.periodic[field - 1] and block.touches[opposite]):
                continue
            if name not in weights:
                continue
            count, last = (block.ny, block.nx) if field == 1 else (block.nx, block.ny)
            first = block.j0 if field == 1 else block.i0
            along_edge, beside = np.arange(1, count + 1), np.full(count, last)
            j, i = (along_edge, beside) if field == 1 else (beside, along_edge)
            places.append(np.stack([np.full(count, field), j, i]))
            given = np.asarray(weights[name], dtype=np.float64)[steps, field]
            values.append(share * given[:, first : first + count])
        return np.concatenate(places, axis=1), np.concatenate(values, axis=1)

    def _whole(self, signals: tuple[np.ndarray, ...], rows: np.ndarray | None) -> Signals:
        """Return the signals of all processes, on all of them."""
        domain = self._domain
        whole: Signals = {}
        for name, own in zip(EDGES, signals, strict=True):
            first = domain.block.i0 if along(name) == "x" else domain.block.j0
            parts = domain.gather((first, own))
            joined = None
            if parts is not None:
                joined = np.empty(self._wide[name])
                for low, part in parts:
                    joined[:, :, low : low + part.shape[2]] = part
            whole[name] = domain.broadcast(joined)
        if self._readings and rows is not None:
            read = domain.gather(self._readings.noted(rows, self.times))
            found = self._readings.read(read) if read is not None else None
            whole["detectors"] = domain.broadcast(found)
        return whole

    def _joined(self, own: np.ndarray) -> np.ndarray:
        """Return a map (ny, nx) of all processes' cells, on all of them."""
        domain = self._domain
        parts = domain.gather((domain.block.inner, own))
        whole = None
        if parts is not None:
            whole = np.empty((self.problem.cells.ny, self.problem.cells.nx))
            for place, part in parts:
                whole[place] = part
        joined: np.ndarray = domain.broadcast(whole)
        return joined


def _cells(problem: Problem, edge: str) -> int:
    return problem.cells.nx if along(edge) == "x" else problem.cells.ny


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


def _programs(problem: Problem, width: int) -> tuple[Rows, bool, tuple[Rows, Rows], Rows]:
    """Return the programs of the opacities and the heat capacity, with their derivatives."""
    material = problem.material
    sigma_c = Formula(material.sigma_c, ("rho", "T"))
    pair = pair_tree(sigma_c)
    slopes = [derivative(pair, name) for name in ("rho", "rho_l", "T")]

    def with_slopes(text: str) -> Rows:
        tree = Formula(text, ("rho", "T")).tree
        slopes = [derivative(tree, name) for name in ("rho", "T")]
        return joint_rows([tree, *slopes], ("rho", "T"), width)

    none = np.empty((0, 4), np.int64), np.empty(0, np.int64), np.empty((0, width))
    return (
        joint_rows([pair, *slopes], VARIABLES, width),
        "T" in sigma_c.uses,
        (with_slopes(material.sigma_a), with_slopes(material.sigma_a)),
        none if problem.heat_capacity is not None else with_slopes(material.heat_capacity),
    )
