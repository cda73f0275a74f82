"""The grid divided over MPI processes, joined by PETSc: the only module that knows of either.

Processes own rectangles, divided as a PETSc DMDA divides them. The ghost cells are filled by a
PETSc star forest over the sides of the blocks alone. A DMDA would hold maps of all cells, 22
float64's worth a cell for four fields, five times what the fields themselves take; the star forest
holds what it sends. One exchange carries all four fields.
"""

import math
import sys
from pathlib import Path
from typing import Any

import numpy as np

from opalux.base.errors import InputError
from opalux.solver.domains.domain import empty_state
from opalux.solver.grid import Block, Grid, bands
from opalux.solver.problem import Problem

try:
    import petsc4py

    # Our command line is not PETSc's. Its signal handlers would take SIGPIPE from Python, which
    # ignores it, and would call Python without its lock.
    petsc4py.init([sys.argv[0], "-no_signal_handler"])
    from mpi4py import MPI
    from petsc4py import PETSc
except ImportError as error:  # pragma: no cover - depends on the installation
    raise InputError(
        f"running on several processes needs mpi4py and petsc4py ({error}); "
        "run './setup.sh --mpi', or 'pip install opalux[mpi]' with PETSC_DIR set"
    ) from None


__all__ = ["PETSc", "PetscDomain", "world"]

# PETSc keeps a communicator of its own beside the world's, and frees it with the last object that
# uses it. Python's garbage collector decides when that is, on each process for itself; but PETSc's
# clean-up at the end asks all processes for it at once and would hang if only some had it left.
_LASTS_TO_THE_END = PETSc.COMM_WORLD.duplicate()


def world() -> Any:
    """Return the communicator of all processes."""
    return MPI.COMM_WORLD


class PetscDomain:
    """One process's block of a grid divided by PETSc; see `opalux.solver.domains.domain.Domain`.

    Parameters
    ----------
    problem : what is solved: its grid, periodic edges, layers of ghost cells and kind of numbers
    comm : communicator
    processes : processes along x and y; PETSc decides what is None

    Raises
    ------
    InputError
        When there are more processes than the grid can be divided among.
    """

    def __init__(
        self,
        problem: Problem,
        comm: Any,
        processes: tuple[int | None, int | None] = (None, None),
    ) -> None:
        grid, periodic = problem.cells, problem.edges.periodic
        layers = problem.variant.layers
        self.comm = comm
        self.rank, self.size = self.comm.Get_rank(), self.comm.Get_size()
        # A single process continues periodic fields itself, as the serial domain does.
        self.wraps = periodic if self.size == 1 else (False, False)
        # What is on an edge is extrapolated from the two cells beside it.
        thinnest = max(layers, 2 if problem.signals.at == "edge" else 1)
        layout = _divide(grid, self.size, thinnest, processes)
        self.block = _share(grid, layout, self.rank)
        self.wide, self.state = empty_state(self.block, problem)
        self._number = MPI.DOUBLE if problem.dtype == "float64" else MPI.FLOAT
        ghosts, sources = _halo(grid, layout, self.rank, layers, periodic)
        self._halo = PETSc.SF().create(comm=comm)
        self._halo.setGraph(self.wide.size, ghosts, sources)
        self._halo.setUp()

    def exchange(self, fields: np.ndarray | None = None) -> None:
        """Fill the inner ghost cells of ``wide``, or ``fields``, from the neighbours, in place."""
        fields = self.wide if fields is None else fields
        self._halo.bcastBegin(self._number, fields, fields, MPI.REPLACE)
        self._halo.bcastEnd(self._number, fields, fields, MPI.REPLACE)

    def any(self, flag: bool) -> bool:
        """Return whether ``flag`` is true on any process."""
        return bool(self.comm.allreduce(bool(flag), op=MPI.LOR))

    def total(self, values: np.ndarray) -> np.ndarray:
        """Return the sums of ``values`` over all processes."""
        sums = np.empty_like(values)
        self.comm.Allreduce(values, sums, op=MPI.SUM)
        return sums

    def gather(self, part: Any) -> list[Any] | None:
        """Return the parts of all processes on rank 0, None elsewhere."""
        parts: list[Any] | None = self.comm.gather(part)
        return parts

    def broadcast(self, value: Any) -> Any:
        """Return rank 0's ``value`` on all processes."""
        return self.comm.bcast(value)

    def write(self, path: Path, offset: int, part: np.ndarray) -> None:
        """Write the block's ``part`` of an array (ny, nx, ...) that starts at byte ``offset``."""
        block, rest = self.block, part.shape[2:]
        view = MPI.DOUBLE.Create_subarray(
            [block.grid.ny, block.grid.nx, *rest],
            part.shape,
            [block.j0, block.i0, *[0] * len(rest)],
        ).Commit()
        cuts = list(bands(part.shape[0], math.prod(part.shape[1:])))
        rounds = self.comm.allreduce(len(cuts), op=MPI.MAX)
        cuts += [slice(0, 0)] * (rounds - len(cuts))  # all take part in every collective write
        failure: Exception | None = None
        try:
            file = MPI.File.Open(self.comm, str(path), MPI.MODE_WRONLY)
            file.Set_view(offset, MPI.DOUBLE, view)
            for rows in cuts:
                try:
                    file.Write_all(np.ascontiguousarray(part[rows], dtype=np.float64))
                except MPI.Exception as error:
                    failure = error
            file.Close()
        except MPI.Exception as error:
            failure = error
        finally:
            view.Free()
        if self.any(failure is not None):
            raise OSError(str(failure or "another process could not write")) from failure


def _divide(
    grid: Grid, size: int, thinnest: int, processes: tuple[int | None, int | None]
) -> tuple[int, int]:
    """Return processes along x and y with the shortest inner sides, and ``thinnest`` blocks."""
    fits = [
        (columns, size // columns)
        for columns in range(1, size + 1)
        if size % columns == 0
        and (columns == 1 or grid.nx // columns >= thinnest)
        and (columns == size or grid.ny // (size // columns) >= thinnest)
        and processes[0] in (None, columns)
        and processes[1] in (None, size // columns)
    ]
    if not fits:
        raise InputError(
            f"found {size} processes for a grid of {grid.nx} x {grid.ny} cells, which cannot be "
            f"divided among them in blocks of {thinnest} cells or more; start fewer processes"
        )
    return min(fits, key=lambda shape: (shape[0] * grid.ny + shape[1] * grid.nx, shape[0]))


def _share(grid: Grid, layout: tuple[int, int], rank: int) -> Block:
    """Return the block of one process; ``layout`` is (processes along x, along y)."""

    def cut(cells: int, parts: int, n: int) -> tuple[int, int]:
        wide = cells % parts  # the first so many have a cell more
        return n * (cells // parts) + min(n, wide), cells // parts + (n < wide)

    i0, nx = cut(grid.nx, layout[0], rank % layout[0])
    j0, ny = cut(grid.ny, layout[1], rank // layout[0])
    return Block(grid=grid, i0=i0, j0=j0, nx=nx, ny=ny)


def _halo(
    grid: Grid, layout: tuple[int, int], rank: int, layers: int, periodic: tuple[bool, bool]
) -> tuple[np.ndarray, np.ndarray]:
    """Return which cells of ``wide`` are ghosts of neighbours, and whose cells they copy.

    Returns
    -------
    ghosts : (n,) places in this process's ``wide``, flat
    sources : (n, 2) rank and place in that process's ``wide``, flat
    """
    columns, rows = layout
    column, row = rank % columns, rank // columns
    mine = _share(grid, layout, rank)
    ghosts, sources = [np.empty(0, PETSc.IntType)], [np.empty((0, 2), PETSc.IntType)]
    for along_x, towards in ((True, -1), (True, 1), (False, -1), (False, 1)):
        x, y = (column + towards, row) if along_x else (column, row + towards)
        if not ((0 <= x < columns or periodic[0]) and (0 <= y < rows or periodic[1])):
            continue
        neighbour = y % rows * columns + x % columns
        theirs = _share(grid, layout, neighbour)
        n_mine, n_theirs = (mine.nx, theirs.nx) if along_x else (mine.ny, theirs.ny)
        for depth in range(layers):
            # The ghosts before the first cells copy the neighbour's last cells, and vice versa.
            ghost = -1 - depth if towards < 0 else n_mine + depth
            source = (-1 - depth if towards < 0 else depth) % n_theirs
            ghosts.append(_line(mine, layers, along_x, ghost))
            origin = _line(theirs, layers, along_x, source)
            sources.append(np.stack([np.full_like(origin, neighbour), origin], axis=1))
    return np.concatenate(ghosts), np.concatenate(sources)


def _line(block: Block, layers: int, column: bool, n: int) -> np.ndarray:
    """Return the places of column (or row) ``n`` of all fields in a block's flat ``wide``."""
    width, height = block.nx + 2 * layers, block.ny + 2 * layers
    along = np.arange(layers, (height if column else width) - layers)
    cells = along * width + (layers + n) if column else (layers + n) * width + along
    return (np.arange(4)[:, None] * (width * height) + cells).reshape(-1).astype(PETSc.IntType)
