"""Results on disk: solution.h5, checkpoints and snapshots, written by all processes at once.

Every array is a contiguous HDF5 data set whose space is allocated when the file is made. From then
on the file's structure no longer changes: processes write their blocks straight to the byte offset
of each data set (MPI-IO under MPI), no process ever holds the whole grid, and a process killed in
mid-write cannot break the file. Files grow under a temporary name and get their own in the end.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from solver.edges import EDGES
from solver.errors import InputError
from solver.grid import Grid
from solver.march import Chunk, March

FORMAT_VERSION = 1

Offsets = dict[str, int]


def create(
    path: Path,
    arrays: Mapping[str, tuple[int, ...]],
    attributes: Mapping[str, Mapping[str, Any]],
) -> Offsets:
    """Make an HDF5 file of float64 arrays and return the byte offset of each.

    Parameters
    ----------
    path : file to make
    arrays : shape per data set name
    attributes : attributes per group name ('/' for the root)
    """
    with h5py.File(path, "w") as file:
        for name, shape in arrays.items():
            space = h5py.h5s.create_simple(shape)
            plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            plan.set_layout(h5py.h5d.CONTIGUOUS)
            plan.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
            plan.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
            file.require_group(str(Path(name).parent))
            h5py.h5d.create(file.id, name.encode(), h5py.h5t.IEEE_F64LE, space, dcpl=plan)
        for group, values in attributes.items():
            file.require_group(group).attrs.update(values)
        return {name: file[name].id.get_offset() for name in arrays}


def solution_arrays(grid: Grid, n_rows: int) -> dict[str, tuple[int, ...]]:
    """Return the arrays of solution.h5 and their shapes."""
    shape = (grid.ny, grid.nx)
    arrays: dict[str, tuple[int, ...]] = {f"/fields/{name}": shape for name in ("rho", "E", "T")}
    arrays["/fields/F"] = (*shape, 2)
    arrays["/signals/t"] = (n_rows,)
    for edge in EDGES:
        cells = grid.nx if edge in ("up", "down") else grid.ny
        arrays[f"/signals/{edge}/E"] = arrays[f"/signals/{edge}/T"] = (n_rows, cells)
        arrays[f"/signals/{edge}/F"] = (n_rows, cells, 2)
    return arrays


class SolutionFile:
    """solution.h5 while it grows; use it collectively on all processes.

    Parameters
    ----------
    path : the final name
    march : the run whose results it takes
    attributes : attributes of the root group
    resume : go on with the unfinished file of an earlier run, if there is one
    """

    def __init__(
        self, path: Path, march: March, attributes: Mapping[str, Any], *, resume: bool = False
    ) -> None:
        self.path = path
        self.unfinished = path.with_name(f".{path.name}.part")
        self._march = march
        domain = march.domain
        if domain.rank == 0:
            arrays = solution_arrays(domain.block.grid, march.n_steps)
            if resume and self.unfinished.exists():
                offsets = _offsets(self.unfinished, arrays)
            else:
                root = {"format_version": FORMAT_VERSION, **attributes}
                t = {"t": march.t_final, "units": "rho g/cm3, E and F g/cm/sh2, T keV, t sh"}
                offsets = create(self.unfinished, arrays, {"/": root, "/fields": t})
        self._offsets: Offsets = domain.broadcast(offsets if domain.rank == 0 else None)
        self._views: dict[str, np.ndarray] = {}
        if domain.rank == 0:
            for name, shape in arrays.items():
                if name.startswith("/signals"):
                    self._views[name] = np.memmap(
                        self.unfinished, "<f8", "r+", offset=self._offsets[name], shape=shape
                    )

    def add(self, chunk: Chunk) -> None:
        """Write the signals of one chunk of steps."""
        block = self._march.domain.block
        place = {"up": block.i0, "down": block.i0, "left": block.j0, "right": block.j0}
        parts = self._march.domain.gather((place, chunk.signals))
        if parts is None:
            return
        rows = slice(chunk.first, chunk.stop)
        self._views["/signals/t"][rows] = chunk.times
        for places, signals in parts:
            for edge, signal in signals.items():
                cells = slice(places[edge], places[edge] + signal.shape[2])
                if signal.shape[2] > 0:
                    self._views[f"/signals/{edge}/E"][rows, cells] = signal[:, 0]
                    self._views[f"/signals/{edge}/T"][rows, cells] = signal[:, 3]
                    self._views[f"/signals/{edge}/F"][rows, cells] = np.moveaxis(
                        signal[:, 1:3], 1, 2
                    )

    def flush(self) -> None:
        """Bring the signals written so far to the disk (before a checkpoint counts on them)."""
        for view in self._views.values():
            assert isinstance(view, np.memmap)
            view.flush()

    def finish(self) -> None:
        """Write the fields and give the file its name."""
        domain = self._march.domain
        E, Fx, Fy, T = domain.state[:, 1:-1, 1:-1]
        fields = {"rho": self._march.rho[1:-1, 1:-1], "E": E, "T": T, "F": np.stack([Fx, Fy], -1)}
        self.flush()
        self._views.clear()
        for name, part in fields.items():
            domain.write(self.unfinished, self._offsets[f"/fields/{name}"], part)
        domain.any(False)  # all have written
        if domain.rank == 0:
            os.replace(self.unfinished, self.path)
        domain.any(False)  # all see the name


def write_checkpoint(path: Path, march: March, attributes: Mapping[str, Any]) -> None:
    """Write the state before step ``march.step`` so that `read_checkpoint` can go on from there."""
    domain = march.domain
    temporary = path.with_name(f".{path.name}.part")
    grid = domain.block.grid
    names = ("E", "Fx", "Fy", "T")
    offsets = None
    if domain.rank == 0:
        arrays = {f"/state/{name}": (grid.ny, grid.nx) for name in names}
        root = {"format_version": FORMAT_VERSION, "step": march.step, **attributes}
        offsets = create(temporary, arrays, {"/": root})
    offsets = domain.broadcast(offsets)
    for name, field in zip(names, domain.state, strict=True):
        domain.write(temporary, offsets[f"/state/{name}"], field[1:-1, 1:-1])
    domain.any(False)
    if domain.rank == 0:
        os.replace(temporary, path)


def read_checkpoint(path: Path, march: March, config: str) -> None:
    """Put the state of a checkpoint, written by any number of processes, into ``march``.

    Raises
    ------
    InputError
        When the file is no checkpoint of the same configuration.
    """
    try:
        with h5py.File(path, "r") as file:
            step, found = int(file.attrs["step"]), str(file.attrs["config"])
            for field, name in zip(march.domain.state, ("E", "Fx", "Fy", "T"), strict=True):
                field[1:-1, 1:-1] = file[f"/state/{name}"][march.domain.block.inner]
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise InputError(
            f"checkpoint {path}: not readable ({error}); delete it to start from t = 0"
        ) from None
    if found != config:
        raise InputError(
            f"checkpoint {path}: was written with another configuration; resume with the same one"
        )
    march.restore(step)


def _offsets(path: Path, arrays: Mapping[str, tuple[int, ...]]) -> Offsets:
    try:
        with h5py.File(path, "r") as file:
            if any(file[name].shape != shape for name, shape in arrays.items()):
                raise KeyError("other shapes")
            return {name: file[name].id.get_offset() for name in arrays}
    except (OSError, KeyError) as error:
        raise InputError(
            f"{path}: the unfinished results cannot be gone on with ({error}); start afresh "
            "with --force"
        ) from None
