"""From a map to the values that detectors would measure, and back with weights: all sources."""

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from opalux.base.axes import FIELDS
from opalux.base.errors import InputError
from opalux.solver.checkpointing import LEAST
from opalux.solver.gradient import SignalGradient
from opalux.solver.inversion.observation import Observation, Signals, detectors_of
from opalux.solver.inversion.rows import Rows
from opalux.solver.inversion.unknown import gathered, refined
from opalux.solver.problem import Problem

Array = NDArray[np.float64]

MEMORY = 2**31  # bytes for the states of all sources


class Simulator(Protocol):
    """Signals of one source for any density, with their derivative; see `SignalGradient`."""

    times: Array

    def simulate(self, rho: Array) -> Signals:
        """Return the signals, per edge (n, 4, cells)."""
        ...

    def push(self, change: Array) -> Signals:
        """Return the change of the signals of the last `simulate` for a small ``change`` of ρ."""
        ...

    def pull(self, weights: Mapping[str, Array]) -> Array:
        """Return ∂(Σ weights · signals)/∂ρ for the last `simulate`."""
        ...


class Forward:
    """The values of all rows for a map, on a simulation grid that refines it.

    Parameters
    ----------
    problems : per source, without a density, on the grid of the map
    rows : what was measured
    refinement : simulate on a grid so many times finer than the map
    make : makes the simulator of a problem
    at_once : whether sources are simulated side by side, in threads
    memory : bytes for the states of all sources; three states of each are always kept
    """

    def __init__(
        self,
        problems: Mapping[str, Problem],
        rows: Rows,
        refinement: int = 1,
        make: Callable[[Problem, int], Simulator] = SignalGradient,
        *,
        at_once: bool = True,
        memory: int = MEMORY,
    ) -> None:
        self._at_once = at_once
        self.refinement, self.size = refinement, len(rows)
        self._simulators: list[Simulator] = []
        self._observations: list[Observation] = []
        self._where: list[NDArray[np.int64]] = []
        for name in rows.sources:
            where = np.flatnonzero(rows.source == name)
            own = rows.take(where)
            problem = on_finer_grid(problems[name], refinement, float(own.time.max()))
            problem = problem.model_copy(update={"detectors": detectors_of(own)})
            simulator = make(problem, max(memory // len(rows.sources), _three_states(problem)))
            self._simulators.append(simulator)
            self._observations.append(Observation(own, problem.cells, simulator.times))
            self._where.append(where)

    def values(self, rho: Array) -> Array:
        """Return the values (rows,) for a map (ny, nx).

        Raises
        ------
        InputError
            When the simulation does not stay finite.
        """
        fine = refined(rho, self.refinement)
        values = np.empty(self.size)

        def one(number: int) -> None:
            signals = self._simulators[number].simulate(fine)
            values[self._where[number]] = self._observations[number].values(signals)

        self._for_all(one)
        if not np.isfinite(values).all():
            raise InputError(
                "the simulation for a map within the bounds does not stay finite; narrow 'bounds' "
                "or lower problem.time.cfl"
            )
        return values

    def push(self, change: Array) -> Array:
        """Return the change of the values (rows,) for a small ``change`` (ny, nx) of the map."""
        fine = refined(change, self.refinement)
        pushed = np.empty(self.size)

        def one(number: int) -> None:
            signals = self._simulators[number].push(fine)
            pushed[self._where[number]] = self._observations[number].push(signals)

        self._for_all(one)
        return pushed

    def pull(self, weights: Array) -> Array:
        """Return ∂J/∂ρ (ny, nx) of J = Σ weights · values, at the map of the last `values`."""

        def one(number: int) -> Array:
            back = self._observations[number].pull(weights[self._where[number]])
            return gathered(self._simulators[number].pull(back), self.refinement)

        parts = self._for_all(one)
        total = parts[0].copy()
        for part in parts[1:]:  # one after the other, so that threads change no bit
            total += part
        return total

    def _for_all(self, one: Callable[[int], Array | None]) -> list[Array]:
        count = len(self._simulators)
        if not self._at_once:
            return [one(number) for number in range(count)]  # type: ignore[misc]
        with ThreadPoolExecutor(min(count, len(os.sched_getaffinity(0)))) as threads:
            return list(threads.map(one, range(count)))  # type: ignore[arg-type]


def _three_states(problem: Problem) -> int:
    """Return the bytes without which no gradient can be taken."""
    grid, itemsize = problem.cells, np.dtype(np.float64).itemsize
    return LEAST * itemsize * len(FIELDS) * (grid.ny + 2) * (grid.nx + 2)


def on_finer_grid(problem: Problem, times: int, until: float) -> Problem:
    """Return a problem on a finer grid, with signals up to ``until`` [sh].

    The last signals of a run are those before its last step, so it goes on a step beyond.
    """
    grid = problem.cells
    ny, nx = grid.ny * times, grid.nx * times
    step = problem.time.cfl * min(grid.dx, grid.dy) / times / problem.constants.c
    data = problem.model_dump(exclude={"material": {"density"}})
    data["grid"] = {"nx": nx, "ny": ny, "x": grid.x, "y": grid.y}
    data["time"]["final"] = max(until + 1.001 * step, 2.001 * step)
    data["material"].pop("sigma_s", None)  # is in sigma_c already
    return Problem.model_validate(data)
