"""Which process owns which cells: the only place where serial and parallel runs differ.

A `Domain` owns the memory of one process's block of the grid, fills its inner ghost cells and
carries small messages; the schemes never know how many processes there are.
"""

from pathlib import Path
from typing import Any, Protocol

import numpy as np

from opalux.solver.grid import Block, bands
from opalux.solver.problem import Problem


class Domain(Protocol):
    """One process's share of the grid.

    Attributes
    ----------
    block : the cells owned
    rank, size : number of this process and of all
    wide : (4, ny + 2 n, nx + 2 n) E, Fx, Fy, T of the block with n layers of ghosts
    state : (4, ny + 2, nx + 2) the innermost of them: a view of one layer of ghosts
    wraps : whether the kernels continue x and y periodically themselves
    """

    block: Block
    rank: int
    size: int
    wide: np.ndarray
    state: np.ndarray
    wraps: tuple[bool, bool]

    def exchange(self, fields: np.ndarray | None = None) -> None:
        """Fill the inner ghost cells of ``wide``, or of ``fields`` like it, from the neighbours."""

    def any(self, flag: bool) -> bool:
        """Return whether ``flag`` is true on any process."""

    def total(self, values: np.ndarray) -> np.ndarray:
        """Return the sums of ``values`` over all processes."""

    def gather(self, part: Any) -> list[Any] | None:
        """Return the parts of all processes on rank 0, None elsewhere."""

    def broadcast(self, value: Any) -> Any:
        """Return rank 0's ``value`` on all processes."""

    def write(self, path: Path, offset: int, part: np.ndarray) -> None:
        """Write the block's ``part`` of an array (ny, nx, ...) that starts at byte ``offset``.

        ``part`` may be any view; it is never copied in full. An OSError on one process is raised
        on all.
        """


def empty_state(block: Block, problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    """Return ``wide`` and ``state`` of a domain, with the ghost cells that the scheme needs."""
    layers = problem.variant.layers
    wide = np.zeros((4, block.ny + 2 * layers, block.nx + 2 * layers), dtype=problem.dtype)
    inner = slice(layers - 1, 1 - layers or None)
    return wide, wide[:, inner, inner]


class SerialDomain:
    """The whole grid of a problem in one process."""

    rank, size = 0, 1

    def __init__(self, problem: Problem) -> None:
        self.block = problem.cells.whole
        self.wide, self.state = empty_state(self.block, problem)
        self.wraps = problem.edges.periodic

    def exchange(self, fields: np.ndarray | None = None) -> None:
        """Nothing to do: there are no neighbours."""

    def any(self, flag: bool) -> bool:
        """Return ``flag``."""
        return flag

    def total(self, values: np.ndarray) -> np.ndarray:
        """Return ``values``."""
        return values

    def gather(self, part: Any) -> list[Any] | None:
        """Return ``[part]``."""
        return [part]

    def broadcast(self, value: Any) -> Any:
        """Return ``value``."""
        return value

    def write(self, path: Path, offset: int, part: np.ndarray) -> None:
        """Write the array ``part`` at byte ``offset``."""
        with path.open("r+b") as file:
            file.seek(offset)
            for rows in bands(len(part), part[0].size):
                file.write(np.ascontiguousarray(part[rows], dtype=np.float64).data)
