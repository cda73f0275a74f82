"""The grid divided over MPI processes by a PETSc DMDA: the only module that knows of MPI and PETSc.

The four fields are the third axis of a three-dimensional DMDA, so that each field of a block is a
contiguous plane (what vector instructions want) and one exchange carries all four.
"""

import math
import sys
from pathlib import Path
from typing import Any

import numpy as np

from solver.edges import Edges
from solver.errors import InputError
from solver.grid import Block, Grid, bands

try:
    import petsc4py

    petsc4py.init([sys.argv[0]])  # our command line is not PETSc's
    from mpi4py import MPI
    from petsc4py import PETSc
except ImportError as error:  # pragma: no cover - depends on the installation
    raise InputError(
        f"running on several processes needs mpi4py and petsc4py ({error}); "
        "run 'make setup', or 'pip install opalux[mpi]' with PETSC_DIR set"
    ) from None


def world() -> Any:
    """Return the communicator of all processes."""
    return MPI.COMM_WORLD


class PetscDomain:
    """One process's block of a grid divided by PETSc; see `solver.domain.Domain`.

    Parameters
    ----------
    grid, edges : the whole grid, and its edges (for periodicity)
    comm : communicator (default: all processes)
    processes : processes along x and y; PETSc decides what is None

    Raises
    ------
    InputError
        When there are more processes than the grid can be divided among.
    """

    def __init__(
        self,
        grid: Grid,
        edges: Edges,
        comm: Any,
        processes: tuple[int | None, int | None] = (None, None),
    ) -> None:
        self.comm = comm
        self.rank, self.size = self.comm.Get_rank(), self.comm.Get_size()
        # A single process continues periodic fields itself, as the serial domain does.
        self.wraps = edges.periodic if self.size == 1 else (False, False)
        columns, rows = _divide(grid, self.size, processes)
        boundary = [
            PETSc.DM.BoundaryType.PERIODIC if periodic else PETSc.DM.BoundaryType.GHOSTED
            for periodic in edges.periodic
        ]
        self._dmda = PETSc.DMDA().create(
            sizes=(grid.nx, grid.ny, 4),
            proc_sizes=(columns, rows, 1),
            boundary_type=(*boundary, PETSc.DM.BoundaryType.NONE),
            stencil_type=PETSc.DMDA.StencilType.STAR,
            stencil_width=1,
            dof=1,
            comm=self.comm,
        )
        (i0, i1), (j0, j1), _ = self._dmda.getRanges()
        self.block = Block(grid=grid, i0=i0, j0=j0, nx=i1 - i0, ny=j1 - j0)
        self.state = np.zeros((4, j1 - j0 + 2, i1 - i0 + 2))
        self._local = PETSc.Vec().createWithArray(self.state, comm=PETSc.COMM_SELF)

    def exchange(self) -> None:
        """Fill the inner ghost cells of ``state`` from the neighbours (edges only, in place)."""
        self._dmda.localToLocal(self._local, self._local)

    def any(self, flag: bool) -> bool:
        """Return whether ``flag`` is true on any process."""
        return bool(self.comm.allreduce(bool(flag), op=MPI.LOR))

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


def _divide(grid: Grid, size: int, processes: tuple[int | None, int | None]) -> tuple[int, int]:
    """Return processes along x and y with the shortest inner sides."""
    fits = [
        (columns, size // columns)
        for columns in range(1, size + 1)
        if size % columns == 0
        and columns <= grid.nx
        and size // columns <= grid.ny
        and processes[0] in (None, columns)
        and processes[1] in (None, size // columns)
    ]
    if not fits:
        raise InputError(
            f"found {size} processes for a grid of {grid.nx} x {grid.ny} cells, which cannot be "
            "divided among them; start fewer processes"
        )
    return min(fits, key=lambda shape: (shape[0] * grid.ny + shape[1] * grid.nx, shape[0]))
