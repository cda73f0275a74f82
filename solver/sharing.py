"""What is whole and what is a process's own: signals, their weights, and maps on a divided grid."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from opalux.base.axes import EDGES, along
from opalux.base.errors import InputError
from opalux.solver.domains.domain import Domain
from opalux.solver.media import cut_block
from opalux.solver.problem import Problem
from opalux.solver.readings import Readings
from opalux.solver.schemes.ghosts import wrap

Signals = dict[str, np.ndarray]


class Sharing:
    """Cuts whole arrays into a process's own, and joins these on all processes.

    Parameters
    ----------
    problem : what is solved
    domain : this process's share of the grid
    times : (n,) of the signals [sh]

    Attributes
    ----------
    readings : of the problem's detectors, if it has any
    """

    def __init__(self, problem: Problem, domain: Domain, times: np.ndarray) -> None:
        self.problem, self.domain, self.times = problem, domain, times
        self.readings = Readings(problem, domain.block) if problem.detectors else None

    def empty(self) -> tuple[np.ndarray, ...]:
        """Return room for the own block's signals; no cells on edges that it does not touch."""
        block = self.domain.block
        return tuple(
            np.empty((len(self.times), 4, block.touches[name] * self.cells_along(name)))
            for name in EDGES
        )

    def rows(self) -> np.ndarray | None:
        """Return room for what the readings note before each step and after the last."""
        return self.readings.empty(len(self.times)) if self.readings else None

    def cells_along(self, edge: str) -> int:
        """Return how many of the own cells lie along an edge, whether it touches them or not."""
        block = self.domain.block
        return block.nx if along(edge) == "x" else block.ny

    def own_side(self, edge: str, change: Any) -> np.ndarray:
        """Return the own part (n, cells) of a change of what an edge prescribes."""
        block = self.domain.block
        whole = fitting(edge, change, (len(self.times), _cells(self.problem, edge)))
        first = block.i0 if along(edge) == "x" else block.j0
        own = np.zeros((len(self.times), self.cells_along(edge)))
        if block.touches[edge]:
            own[...] = whole[:, first : first + own.shape[1]]
        return own

    def weights(
        self, weights: Mapping[str, np.ndarray], name: str, start: int, stop: int
    ) -> np.ndarray:
        """Return the weights of the own cells on an edge, and of the next one; see `march_back`."""
        block, axis = self.domain.block, along(name)
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

    def points(
        self, weights: Mapping[str, np.ndarray], start: int, stop: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return own places that detectors read, and the weights of these in some steps.

        The face between periodic sides is one of them for the signals of the left and the lower
        side: its owner is the cell on the other side.
        """
        block, steps = self.domain.block, slice(start, stop)
        places, values = [np.zeros((3, 0), dtype=np.int64)], [np.zeros((stop - start, 0))]
        if self.readings and "detectors" in weights:
            given = np.asarray(weights["detectors"], dtype=np.float64)[steps]
            places.append(self.readings.own)
            values.append(self.readings.spread(given))
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

    def with_ghosts(self, change: np.ndarray) -> np.ndarray:
        """Return the own part of a change of a parameter, continued as the medium is."""
        domain = self.domain
        wide = np.zeros(domain.state.shape)
        wide[0] = cut_block(change, domain.block, "change")
        domain.exchange(wide)
        wrap(wide, *domain.wraps)
        return wide[0].copy()

    def whole_signals(self, signals: tuple[np.ndarray, ...], rows: np.ndarray | None) -> Signals:
        """Return the signals of all processes, on all of them."""
        domain = self.domain
        whole: Signals = {}
        for name, own in zip(EDGES, signals, strict=True):
            whole[name] = self.whole_side(name, own)
        if self.readings and rows is not None:
            read = domain.gather(self.readings.noted(rows, self.times))
            found = self.readings.read(read) if read is not None else None
            whole["detectors"] = domain.broadcast(found)
        return whole

    def whole_side(self, edge: str, own: np.ndarray) -> np.ndarray:
        """Return what all processes have (n, ..., own cells) on an edge, on all of them."""
        domain, block = self.domain, self.domain.block
        first = block.i0 if along(edge) == "x" else block.j0
        parts = domain.gather((first, own if block.touches[edge] else own[..., :0]))
        joined = None
        if parts is not None:
            joined = np.empty((*own.shape[:-1], _cells(self.problem, edge)))
            for low, part in parts:
                joined[..., low : low + part.shape[-1]] = part
        whole: np.ndarray = domain.broadcast(joined)
        return whole

    def whole_map(self, own: np.ndarray) -> np.ndarray:
        """Return a map (ny, nx) of all processes' cells, on all of them."""
        domain = self.domain
        parts = domain.gather((domain.block.inner, own))
        whole = None
        if parts is not None:
            whole = np.empty((self.problem.cells.ny, self.problem.cells.nx))
            for place, part in parts:
                whole[place] = part
        joined: np.ndarray = domain.broadcast(whole)
        return joined


def fitting(name: str, change: Any, shape: tuple[int, int]) -> np.ndarray:
    """Return a change of the right shape; one number is for all."""
    array = np.asarray(change, dtype=np.float64)
    if array.shape not in ((), shape):
        raise InputError(
            f"push: found a change of {name} of shape {array.shape}, expected {shape} or a number"
        )
    return np.broadcast_to(array, shape)


def _cells(problem: Problem, edge: str) -> int:
    return problem.cells.nx if along(edge) == "x" else problem.cells.ny
