"""What is checked before a simulation starts: memory, room on the disk, where exports go."""

import math
import os
import shutil
from pathlib import Path

from opalux.base.errors import InputError
from opalux.jobs.simulation.settings import SolveSettings
from opalux.solver.density_files import is_hdf5, said_of_rows
from opalux.solver.files.snapshots import snapshot_arrays
from opalux.solver.files.solution import solution_arrays
from opalux.solver.legacy.export import check_addition, check_target
from opalux.solver.media import ArrayDensity
from opalux.solver.start import time_steps

CELL_BYTES = (
    8 * 8
)  # bytes of a cell: the state, the density, and arrays that are needed at the start


def check_memory(settings: SolveSettings, size: int) -> None:
    """Refuse a grid that cannot fit into this machine's memory, shared by ``size`` processes."""
    grid = settings.cells
    needed = CELL_BYTES * grid.nx * grid.ny / size
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > memory:
        raise InputError(
            f"grid: found {grid.nx} x {grid.ny} cells, {needed / 2**30:.3g} GiB for each of {size} "
            f"processes, but this machine has {memory / 2**30:.3g} GiB; coarsen the grid or use "
            "more processes on more machines"
        )


def check_export(settings: SolveSettings, *, replace: bool) -> None:
    """Refuse an export that does not fit to what its file holds; see `check_addition`."""
    if settings.export is not None:
        check_addition(settings, settings.export, replace=replace)


def check_targets(settings: SolveSettings, out: Path) -> None:
    """Refuse an export that cannot be written, and results that do not fit into ``out``."""
    if settings.export is not None:
        check_target(settings.export)
    n_rows = -(-len(time_steps(settings)[1]) // settings.output.signals_every)
    arrays = list(solution_arrays(settings.cells, n_rows, len(settings.detectors)).values())
    if settings.output.snapshots:
        arrays += snapshot_arrays(settings.cells, settings.output.snapshots).values()
    needed = 8 * sum(math.prod(shape) for shape in arrays)
    existing = next(folder for folder in (out, *out.absolute().parents) if folder.exists())
    disk = shutil.disk_usage(existing)
    # The files of an earlier run are continued or replaced.
    free = disk.free + sum(512 * path.stat().st_blocks for path in out.glob("*") if path.is_file())
    if needed > free and disk.total > 0:  # /proc and the like have no size: told when opened
        raise InputError(
            f"--out {out}: the results take {needed / 2**30:.3g} GiB, but {free / 2**30:.3g} GiB "
            "are free there; shorten the run, coarsen the grid or choose another folder"
        )


def reading(settings: SolveSettings) -> str:
    """Return how the file of the density is read where the configuration does not say it."""
    density = settings.material.density
    if not isinstance(density, ArrayDensity) or is_hdf5(density.file):
        return ""
    return said_of_rows(f"material.density, {density.file.name}", density.model_fields_set)


def plan(settings: SolveSettings) -> str:
    """Return what a run would do, for ``--dry-run``."""
    grid = settings.cells
    dt, times, t_final = time_steps(settings)
    mesh = (
        f"scheme {settings.scheme}, {grid.nx} x {grid.ny} cells of {grid.dx:.4g} x {grid.dy:.4g} cm"
    )
    if settings.time.method == "steady":
        return f"{mesh}, the steady state of edges and sources at t = {t_final:.6g} sh"
    if settings.time.method == "implicit":
        return f"{mesh}, implicit steps and {len(times)} records to t = {t_final:.6g} sh"
    return f"{mesh}, {len(times)} steps of {dt:.6g} sh to t = {t_final:.6g} sh"
