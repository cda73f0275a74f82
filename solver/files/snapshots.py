"""snapshots.h5: the fields at times evenly spread over a run, and the XDMF file that shows them.

    /x (nx + 1,), /y (ny + 1,)      ends of the cells [cm]
    /x_centre (nx,), /y_centre (ny,)  centres of the cells [cm]
    /rho (ny, nx)                   density [g/cm³]
    /t (n,), /step (n,)             time [sh] of each snapshot, and the number of steps before it
    /00000/E, T (ny, nx)            snapshot 0, at t = 0
    /00000/F (ny, nx, 2)
    ...

A viewer needs a data set for each array, which is why the snapshots are not one array.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import h5py
import numpy as np

from opalux.base.axes import UNITS
from opalux.base.errors import InputError
from opalux.base.files import write_text
from opalux.solver.files.growing import (
    FORMAT_VERSION,
    Description,
    GrowingFile,
    Shapes,
    cell_coordinates,
)
from opalux.solver.files.solution import fields_of
from opalux.solver.files.thinned import thinned
from opalux.solver.files.xdmf import snapshot_name, xdmf_text
from opalux.solver.grid import Grid
from opalux.solver.time_loop import TimeLoop

MOST_ATTACHED = 1000
"""Snapshots whose axes are attached to scales; of more they are named only. HDF5 lists the users of
a scale in one attribute, which holds at most 64 KiB."""


def snapshot_steps(n_steps: int, count: int) -> list[int]:
    """Return the steps before which ``count`` snapshots are taken: 0, ..., ``n_steps``.

    Raises
    ------
    InputError
        When there are not as many different states.
    """
    if not 2 <= count <= n_steps + 1:
        raise InputError(
            f"output.snapshots: found {count}, expected 0 or 2 to {n_steps + 1}, since the run has "
            f"{n_steps} steps"
        )
    return [(n * n_steps + (count - 1) // 2) // (count - 1) for n in range(count)]


def snapshot_arrays(grid: Grid, count: int) -> dict[str, tuple[int, ...]]:
    """Return the arrays of snapshots.h5 and their shapes."""
    shape = (grid.ny, grid.nx)
    arrays: dict[str, tuple[int, ...]] = {"/x": (grid.nx + 1,), "/y": (grid.ny + 1,)}
    arrays |= {"/t": (count,), "/step": (count,), "/rho": shape}
    for n in range(count):
        arrays |= {
            snapshot_name(n, "E"): shape,
            snapshot_name(n, "F"): (*shape, 2),
            snapshot_name(n, "T"): shape,
        }
    return arrays


def _described(arrays: Shapes, count: int) -> dict[str, Description]:
    """Return units and axes of the arrays of snapshots.h5."""
    described = {
        "/x_centre": Description("cm", ("/x_centre",)),
        "/y_centre": Description("cm", ("/y_centre",)),
        "/component": Description(None, ("/component",)),
        "/x": Description("cm", ("/x",)),
        "/y": Description("cm", ("/y",)),
        "/t": Description("sh", ("/t",)),
        "/step": Description(None, ("/t",)),
    }
    axes = ("/y_centre", "/x_centre", "/component")
    if count > MOST_ATTACHED:
        axes = ("y_centre", "x_centre", "component")
    for name, shape in arrays.items():
        if name not in described:
            described[name] = Description(UNITS[name.rsplit("/", 1)[-1]], axes[: len(shape)])
    return described


class SnapshotFile:
    """snapshots.h5 while it grows; use it collectively on all processes.

    Parameters
    ----------
    path : the final name; the XDMF file is written beside it
    march : the run
    count : number of snapshots, evenly spaced in steps, with the first and the last state
    attributes : attributes of the root group
    resume : continue the unfinished file of an earlier run

    Attributes
    ----------
    steps : steps before which a snapshot is due
    """

    def __init__(
        self,
        path: Path,
        march: TimeLoop,
        count: int,
        attributes: Mapping[str, Any],
        *,
        resume: bool = False,
    ) -> None:
        self.path, self._march = path, march
        self.steps = snapshot_steps(march.n_steps, count)
        grid = march.domain.block.grid
        arrays = snapshot_arrays(grid, count)
        units = "x and y cm, rho g/cm3, E and F g/cm/sh2, T keV, t sh"
        root = {"format_version": FORMAT_VERSION, "units": units, **attributes}
        self._file = GrowingFile(
            path,
            march.domain,
            arrays,
            {"/": root},
            described=_described(arrays, count),
            coordinates=cell_coordinates(grid, "/x_centre", "/y_centre"),
            resume=resume,
        )
        if not resume:
            times = np.append(march.times, march.t_final)[self.steps]
            steps = np.array(self.steps, dtype=np.float64)
            x, y = _ends(grid.x, grid.nx), _ends(grid.y, grid.ny)
            self._file.write_rows({"/x": x, "/y": y, "/t": times, "/step": steps})
            self._file.write("/rho", march.rho[1:-1, 1:-1])

    def take(self) -> None:
        """Write the state if a snapshot is due before the step that comes next."""
        if self._march.step in self.steps:
            n = self.steps.index(self._march.step)
            for name, part in fields_of(self._march).items():
                self._file.write(snapshot_name(n, name), part)

    def sync(self) -> None:
        """Bring the snapshots written so far to the disk."""
        self._file.sync()

    def finish(self) -> None:
        """Write the XDMF file and give the snapshots their name."""
        march = self._march
        times = np.append(march.times, march.t_final)[self.steps]
        xdmf = self.path.with_suffix(".xdmf")
        text = xdmf_text(self.path.name, march.domain.block.grid, times.tolist())
        self._file.on_root(lambda: write_text(xdmf, text))
        self._file.finish()


def _ends(extent: tuple[float, float], cells: int) -> np.ndarray:
    """Return the ends of the cells along one axis, (cells + 1,) [cm]."""
    return np.linspace(*extent, cells + 1)


class Snapshots:
    """snapshots.h5 to be read; use it in a ``with`` statement.

    Attributes
    ----------
    times : (n,) [sh]
    grid : the cells
    """

    def __init__(self, path: Path) -> None:
        self._file = h5py.File(path, "r")
        x, y = self._file["x"], self._file["y"]
        self.times: np.ndarray = self._file["t"][()]
        self.grid = Grid(
            nx=len(x) - 1,
            ny=len(y) - 1,
            x=(float(x[0]), float(x[-1])),
            y=(float(y[0]), float(y[-1])),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def field(self, n: int, name: str, at_most: int | None = None) -> np.ndarray:
        """Return E, F or T of snapshot ``n``, (ny, nx) or (ny, nx, 2); see `thinned`."""
        return thinned(self._file[snapshot_name(n, name)], at_most)
