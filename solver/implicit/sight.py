"""What the edges and the detectors see of a state: linear in it, so that it may be interpolated."""

import numpy as np

from opalux.base.axes import EDGES, along
from opalux.solver.domains.domain import Domain
from opalux.solver.implicit.runge_kutta import RungeKutta
from opalux.solver.problem import Problem
from opalux.solver.readings import Readings
from opalux.solver.schemes.staggered_signals import record
from opalux.solver.time_loop import Chunk

Seen = tuple[np.ndarray, ...]
"""E, Fx, Fy, T along each edge (4, cells), of size 0 where the block does not lie on it; and, where
there are detectors, what the process reads for them (m,)."""


class Sight:
    """Looks at one process's state.

    Parameters
    ----------
    problem, domain : what is solved, and the cells it is solved on
    readings : reads the detectors, or None
    """

    def __init__(self, problem: Problem, domain: Domain, readings: Readings | None) -> None:
        block = domain.block
        self._state, self._readings = domain.state, readings
        self._at_edge = problem.signals.at == "edge"
        self._cells = [
            (block.nx if along(name) == "x" else block.ny) if block.touches[name] else 0
            for name in EDGES
        ]

    def look(self) -> Seen:
        """Return what is seen now, fluxes included: all of it lies at one time."""
        signals = tuple(np.empty((4, cells)) for cells in self._cells)
        record(self._state, 1.0, signals, self._at_edge)
        if self._readings is None:
            return signals
        row = self._readings.empty(0)[0]
        self._readings.note(self._state, row)
        return (*signals, row)

    def chunk(self, first: int, times: np.ndarray, seen: list[np.ndarray]) -> Chunk:
        """Return the records from ``first`` on at ``times`` (n,): what is seen, each (n, ...)."""
        noted = self._readings.on_time(seen[-1]) if self._readings else None
        signals = dict(zip(EDGES, seen, strict=False))
        return Chunk(first, first + len(times), times, signals, noted)

    def between(
        self, method: RungeKutta, first: int, times: np.ndarray, share: np.ndarray, seen: list[Seen]
    ) -> Chunk:
        """Return the records at ``times``, ``share`` (n,) of a step between what is ``seen``."""
        return self.chunk(
            first, times, [method.between(share, *three) for three in zip(*seen, strict=True)]
        )
