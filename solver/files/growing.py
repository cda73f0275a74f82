"""HDF5 files of float64 arrays that all processes write at once.

Every array is a contiguous data set whose space is reserved on the disk when the file is made.
From then on the file's structure no longer changes, and is sealed: processes write their blocks
straight to the byte offset of each data set (MPI-IO under MPI), no process ever holds the whole
grid, and a process that is killed while it writes cannot break the file. A file has a temporary
name until it is complete. Units and dimension scales are attributes, written when the file is made.
"""

import os
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import h5py
import numpy as np

from opalux.base.agreement import on_first
from opalux.base.errors import InputError, OpaluxError, StorageError
from opalux.base.files import replace, sync
from opalux.base.hdf5 import describe
from opalux.solver.domains.domain import Domain
from opalux.solver.files.seal import block_size, check_seal, seal
from opalux.solver.grid import Grid

FORMAT_VERSION = 1

Shapes = Mapping[str, tuple[int, ...]]


class Description(NamedTuple):
    """What a data set holds.

    Attributes
    ----------
    units : unit of its values; None for numbers without a unit
    axes : for each axis its name, or the path (``/x``) of the data set with its coordinates
    """

    units: str | None
    axes: tuple[str, ...]


Attributes = Mapping[str, Mapping[str, Any]]
Result = TypeVar("Result")


def unfinished(path: Path) -> Path:
    """Return the name under which the file ``path`` grows."""
    return path.with_name(f".{path.name}.part")


def can_go_on(path: Path) -> bool:
    """Return whether an earlier run has left a file ``path`` that can be continued."""
    return unfinished(path).exists() or path.exists()


def cell_coordinates(grid: Grid, x: str = "/x", y: str = "/y") -> dict[str, np.ndarray]:
    """Return the coordinates of fields: centres of the cells [cm], and 0, 1 for Fx, Fy."""
    whole = grid.whole
    return {x: whole.x[1:-1], y: whole.y[1:-1], "/component": np.arange(2.0)}


CELL_AXES = {
    "/x": Description("cm", ("/x",)),
    "/y": Description("cm", ("/y",)),
    "/component": Description(None, ("/component",)),
}
"""Description of `cell_coordinates`."""


class GrowingFile:
    """An HDF5 file while it is written; use it collectively on all processes.

    Parameters
    ----------
    path : the final name
    domain : this process's share of the grid
    arrays : shape per data set name
    attributes : attributes per group name ('/' for the root)
    described : units and axes per data set name
    coordinates : arrays that are written when the file is made, per data set name
    resume : continue the file of an earlier run

    Raises
    ------
    InputError
        When the file of an earlier run cannot be continued.
    StorageError
        When there is no room for it, or the disk fails; here and in all methods.
    """

    def __init__(
        self,
        path: Path,
        domain: Domain,
        arrays: Shapes,
        attributes: Attributes,
        *,
        described: Mapping[str, Description] | None = None,
        coordinates: Mapping[str, np.ndarray] | None = None,
        resume: bool = False,
    ) -> None:
        self.path, self.domain, self.arrays = path, domain, arrays
        self._part = unfinished(path)

        def begin() -> dict[str, int]:
            if not resume:
                return _create(self._part, arrays, attributes, described or {}, coordinates or {})
            if not self._part.exists():  # the run ended between this file and its last one
                os.replace(path, self._part)
            return _offsets(self._part, arrays)

        self._offsets = self.on_root(begin)

    def write(self, name: str, part: np.ndarray) -> None:
        """Write this process's block of the array ``name`` (ny, nx, ...)."""
        try:
            self.domain.write(self._part, self._offsets[name], part)
        except OSError as error:
            raise StorageError(self._message(error)) from error

    def write_rows(self, rows: Mapping[str, np.ndarray], first: int = 0) -> None:
        """Write ``rows`` of some arrays, from row ``first`` on; only those of rank 0 are used."""

        def write() -> None:
            with self._part.open("r+b", buffering=0) as file:
                for name, values in rows.items():
                    row_bytes = 8 * int(np.prod(self.arrays[name][1:]))
                    file.seek(self._offsets[name] + first * row_bytes)
                    left = memoryview(np.asarray(values, dtype="<f8").tobytes())
                    while left:
                        left = left[file.write(left) :]

        self.on_root(write)

    def sync(self) -> None:
        """Bring what has been written to the disk, before a checkpoint counts on it."""
        self.on_root(lambda: sync(self._part))

    def finish(self) -> None:
        """Give the file its name; all processes see it when this returns."""
        self.on_root(lambda: replace(self._part, self.path))

    def discard(self) -> None:
        """Delete the unfinished file."""
        self.on_root(lambda: self._part.unlink(missing_ok=True))

    def on_root(self, work: Callable[[], Result]) -> Result:
        """Return rank 0's ``work()`` on all processes, and raise its failure on all."""

        def told() -> Result:
            try:
                return work()
            except OpaluxError:
                raise
            except (OSError, RuntimeError) as error:  # RuntimeError: h5py, on closing a file
                raise StorageError(self._message(error)) from None

        return on_first(self.domain.rank, self.domain.broadcast, told)

    def _message(self, error: Exception) -> str:
        needed = 8 * sum(int(np.prod(shape)) for shape in self.arrays.values())
        free = shutil.disk_usage(self.path.parent).free
        told = re.search(r"errno = (\d+)", str(error))  # HDF5 wraps it in a page of text
        reason = os.strerror(int(told[1])) if told else getattr(error, "strerror", None) or error
        return (
            f"{self.path}: cannot be written ({reason}); it takes {needed / 2**20:.4g} MiB and "
            f"{free / 2**20:.4g} MiB are free; make room and start again with --resume, or choose "
            "another folder"
        )


def _create(
    path: Path,
    arrays: Shapes,
    attributes: Attributes,
    described: Mapping[str, Description],
    coordinates: Mapping[str, np.ndarray],
) -> dict[str, int]:
    """Make the file, reserve its space, and return the byte offset of each array."""
    try:
        _try_room(path, sum(8 * int(np.prod(shape)) for shape in arrays.values()))
        with h5py.File(path, "w", userblock_size=block_size(len(arrays))) as file:
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
            for name, coordinate in coordinates.items():
                file.create_dataset(name, data=coordinate, dtype="<f8")
            for name, (units, axes) in described.items():
                places = [file[axis] if axis.startswith("/") else axis for axis in axes]
                describe(file[name], units, places)
            offsets = {name: file[name].id.get_offset() for name in arrays}
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
        seal(path, [(offsets[name], 8 * int(np.prod(shape))) for name, shape in arrays.items()])
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return offsets


def _try_room(path: Path, size: int) -> None:
    """Raise an OSError now if ``size`` bytes do not fit: HDF5 would only find out when closing."""
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, size))


def _offsets(path: Path, arrays: Shapes) -> dict[str, int]:
    try:
        check_seal(path)
        with h5py.File(path, "r") as file:
            if any(file[name].shape != shape for name, shape in arrays.items()):
                raise KeyError("other shapes")
            return {name: file[name].id.get_offset() for name in arrays}
    except (InputError, OSError, KeyError) as error:
        raise InputError(
            f"{path}: the unfinished results cannot be resumed ({error}); start again with --force"
        ) from None
