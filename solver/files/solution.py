"""solution.h5: the fields at the final time and the signals along the edges.

    /x (nx,), /y (ny,)                  centres of the cells [cm]; row 0 is the bottom
    /fields/rho, E, T (ny, nx)          F (ny, nx, 2); attribute t [sh]
    /signals/t (n,)                     time before each step [sh]
    /signals/{left,right,down,up}/E, T  (n, cells), F (n, cells, 2)
    /detectors/x, y, width (m,)         where there are some: centres and widths [cm]
    /detectors/E, T (n, m)              F (n, m, 2): means over the widths

The attribute ``at`` of /signals says where they are: ``cell``, in the cells along the edges, or
``edge``, on the edges themselves. Files of earlier versions have none, which means ``cell``.

Every data set has its unit and named axes (dimension scales). Attributes of the root: config,
scheme, format_version, opalux_version, git_revision, seed.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast, get_args

import h5py
import numpy as np

from opalux.base.axes import EDGES, UNITS, At, along
from opalux.base.yaml_text import parse_yaml
from opalux.solver.files.growing import (
    CELL_AXES,
    FORMAT_VERSION,
    Description,
    GrowingFile,
    Shapes,
    cell_coordinates,
)
from opalux.solver.files.thinned import thinned
from opalux.solver.grid import Grid
from opalux.solver.solution import DetectorSignals, Solution
from opalux.solver.time_loop import Chunk, TimeLoop

DETECTOR_PLACES = ("x", "y", "width")


def solution_arrays(grid: Grid, n_rows: int, detectors: int = 0) -> dict[str, tuple[int, ...]]:
    """Return the arrays of solution.h5 and their shapes."""
    shape = (grid.ny, grid.nx)
    arrays: dict[str, tuple[int, ...]] = {f"/fields/{name}": shape for name in ("rho", "E", "T")}
    arrays["/fields/F"] = (*shape, 2)
    arrays["/signals/t"] = (n_rows,)
    for edge in EDGES:
        cells = grid.nx if along(edge) == "x" else grid.ny
        arrays[f"/signals/{edge}/E"] = arrays[f"/signals/{edge}/T"] = (n_rows, cells)
        arrays[f"/signals/{edge}/F"] = (n_rows, cells, 2)
    if detectors:
        arrays["/detectors/E"] = arrays["/detectors/T"] = (n_rows, detectors)
        arrays["/detectors/F"] = (n_rows, detectors, 2)
    return arrays


def _described(arrays: Shapes) -> dict[str, Description]:
    """Return units and axes of the arrays of solution.h5."""
    described = dict(CELL_AXES)
    for name in arrays:
        *_, group, field = name.split("/")
        if name == "/signals/t":
            axes: tuple[str, ...] = (name,)
        elif group == "fields":
            axes = ("/y", "/x")
        else:
            place = "detector" if group == "detectors" else f"/{along(group)}"
            axes = ("/signals/t", place)
        if field == "F":
            axes += ("/component",)
        described[name] = Description(UNITS[field], axes)
    if "/detectors/E" in arrays:
        for name in DETECTOR_PLACES:
            described[f"/detectors/{name}"] = Description("cm", ("detector",))
    return described


def fields_of(march: TimeLoop) -> dict[str, np.ndarray]:
    """Return views of a block's E, F (ny, nx, 2) and T, without ghosts."""
    fields = march.fields
    return {"E": fields[0], "F": np.moveaxis(fields[1:3], 0, -1), "T": fields[3]}


class SolutionFile:
    """solution.h5 while it grows; use it collectively on all processes.

    Parameters
    ----------
    path : the final name
    march : the run whose results it takes
    attributes : attributes of the root group
    every : keep the signals before each so many steps: row r is the state before step r·every
    resume : continue the unfinished file of an earlier run
    """

    def __init__(
        self,
        path: Path,
        march: TimeLoop,
        attributes: Mapping[str, Any],
        *,
        every: int = 1,
        resume: bool = False,
    ) -> None:
        self._march, self._every = march, every
        grid, detectors = march.domain.block.grid, march.problem.detectors
        arrays = solution_arrays(grid, -(-march.n_steps // every), len(detectors))
        coordinates = cell_coordinates(grid)
        groups = {
            "/": {"format_version": FORMAT_VERSION, **attributes},
            "/fields": {
                "t": march.t_final,
                "units": "rho g/cm3, E and F g/cm/sh2, T keV, t sh",
            },
            "/signals": {"every": every, "at": march.problem.signals.at},
        }
        if march.readings:
            groups["/detectors"] = {"shape": [one.shape for one in detectors]}
            for name, values in zip(DETECTOR_PLACES, march.readings.places, strict=True):
                coordinates[f"/detectors/{name}"] = values
        self._file = GrowingFile(
            path,
            march.domain,
            arrays,
            groups,
            described=_described(arrays),
            coordinates=coordinates,
            resume=resume,
        )

    def add(self, chunk: Chunk) -> None:
        """Write the signals of one chunk of steps."""
        skip = -chunk.first % self._every  # steps to the next one that is kept
        kept = slice(skip, None, self._every)
        times = chunk.times[kept]
        if not len(times):
            return
        block = self._march.domain.block
        place = {"up": block.i0, "down": block.i0, "left": block.j0, "right": block.j0}
        own = {edge: signal[kept] for edge, signal in chunk.signals.items()}
        parts = self._march.domain.gather((place, own))
        rows = {"/signals/t": times} | ({} if parts is None else _join(parts, block.grid))
        if self._march.readings and chunk.noted:
            noted = chunk.noted._replace(values=chunk.noted.values[kept])
            if (all_noted := self._march.domain.gather(noted)) is not None:
                rows |= _detector_rows(self._march.readings.read(all_noted))
        self._file.write_rows(rows, (chunk.first + skip) // self._every)

    def sync(self) -> None:
        """Bring the signals written so far to the disk."""
        self._file.sync()

    def finish(self) -> None:
        """Write the fields and give the file its name."""
        self._file.write("/fields/rho", self._march.rho[1:-1, 1:-1])
        for name, part in fields_of(self._march).items():
            self._file.write(f"/fields/{name}", part)
        self._file.finish()


def _join(
    parts: list[tuple[dict[str, int], dict[str, np.ndarray]]], grid: Grid
) -> dict[str, np.ndarray]:
    """Join the parts of the processes along each edge to complete rows of the signals."""
    rows = {}
    for edge in EDGES:
        pieces = [(place[edge], own[edge]) for place, own in parts if own[edge].shape[2]]
        pieces.sort(key=lambda piece: piece[0])
        signal = np.concatenate([piece for _, piece in pieces], axis=2)
        rows[f"/signals/{edge}/E"], rows[f"/signals/{edge}/T"] = signal[:, 0], signal[:, 3]
        rows[f"/signals/{edge}/F"] = np.moveaxis(signal[:, 1:3], 1, 2)
    return rows


def _detector_rows(signals: np.ndarray) -> dict[str, np.ndarray]:
    """Return the rows of the detectors' arrays from E, Fx, Fy, T (n, 4, m)."""
    F = np.moveaxis(signals[:, 1:3], 1, 2)
    return {"/detectors/E": signals[:, 0], "/detectors/F": F, "/detectors/T": signals[:, 3]}


def read_solution(path: Path, at_most: int | None = None) -> Solution:
    """Read solution.h5.

    Parameters
    ----------
    path : the file
    at_most : values along each axis that are enough: of a larger file every few cells and times are
        read (None: all)

    Raises
    ------
    OSError, KeyError
        When the file cannot be read, or is not a solution.h5.
    """

    def four(group: h5py.Group, axis: int) -> np.ndarray:
        """Return E, Fx, Fy, T of a group, put together along a new axis."""
        F = thinned(group["F"], at_most)
        fields = thinned(group["E"], at_most), F[..., 0], F[..., 1], thinned(group["T"], at_most)
        return np.stack(fields, axis=axis)

    with h5py.File(path, "r") as file:
        detectors = None
        if "detectors" in file:
            x, y, width = (thinned(file[f"detectors/{name}"], at_most) for name in DETECTOR_PLACES)
            signals = four(file["detectors"], axis=1)
            detectors = DetectorSignals(x=x, y=y, width=width, signals=signals)
        return Solution(
            times=thinned(file["signals/t"], at_most),
            signals={edge: four(file[f"signals/{edge}"], axis=1) for edge in EDGES},
            fields=four(file["fields"], axis=0),
            t_final=float(file["fields"].attrs["t"]),
            rho=thinned(file["fields/rho"], at_most),
            grid=_grid(file),
            scheme=str(file.attrs["scheme"]),
            at=_at(file),
            detectors=detectors,
        )


def _at(file: h5py.File) -> At:
    """Return where the signals of an open solution.h5 are."""
    at = file["signals"].attrs.get("at", "cell")
    if at not in get_args(At):
        raise ValueError(f"signals: found at = {at!r}, expected cell or edge")
    return cast(At, at)


def _grid(file: h5py.File) -> Grid:
    """Return the grid of an open solution.h5, from its shape and its resolved configuration."""
    ny, nx = file["fields/rho"].shape
    grid = parse_yaml(str(file.attrs["config"]), file.filename)["grid"]
    x_min, x_max = grid["x"]
    y_min, y_max = grid["y"] or (0.0, ny * (x_max - x_min) / nx)
    return Grid(nx=nx, ny=ny, x=(x_min, x_max), y=(y_min, y_max))
