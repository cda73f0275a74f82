"""Checkpoints: the state before a step, from which any number of processes can continue."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from opalux.base.agreement import on_first
from opalux.base.axes import FIELDS, UNITS
from opalux.base.errors import InputError, StorageError
from opalux.solver.files.growing import (
    CELL_AXES,
    FORMAT_VERSION,
    Description,
    GrowingFile,
    cell_coordinates,
)
from opalux.solver.files.seal import check_seal
from opalux.solver.grid import bands
from opalux.solver.time_loop import TimeLoop

KEPT_UNITS = {name: UNITS[name] for name in FIELDS} | {
    "Fx_left": UNITS["Fx"],
    "Fy_below": UNITS["Fy"],
    "E_rate": "g/cm/sh3",
    "T_rate": "keV/sh",
}
"""Unit of what a time loop keeps."""
MIXER = 0x9E3779B97F4A7C15  # 2⁶⁴ over the golden ratio: spreads neighbouring places far apart


def write_checkpoint(path: Path, march: TimeLoop, attributes: Mapping[str, Any]) -> None:
    """Write the state before step ``march.step``; an older file stays until this is complete.

    Raises
    ------
    SolverFailure
        When the state is not finite or T < 0, so that it is useless to continue from it.
    StorageError
        When it cannot be written.
    """
    march.check()
    grid = march.domain.block.grid
    kept = march.kept
    arrays = {f"/state/{name}": (grid.ny, grid.nx) for name in kept}
    root = {
        "format_version": FORMAT_VERSION,
        "step": march.step,
        "checksum": state_checksum(march, march.step),
        **{f"clock_{name}": value for name, value in march.clock.items()},
        **attributes,
    }
    described = dict(CELL_AXES)
    described |= {f"/state/{name}": Description(KEPT_UNITS[name], ("/y", "/x")) for name in kept}
    file = GrowingFile(
        path,
        march.domain,
        arrays,
        {"/": root},
        described=described,
        coordinates=cell_coordinates(grid),
    )
    try:
        for name, field in kept.items():
            file.write(f"/state/{name}", field)
        file.finish()
    except StorageError:
        file.discard()
        raise


def read_checkpoint(path: Path, march: TimeLoop, config: str) -> None:
    """Put the state of a checkpoint, written by any number of processes, into ``march``.

    All processes call this, and all raise when one of them cannot read its part.

    Raises
    ------
    InputError
        When the file is no checkpoint of the same configuration, or is damaged.
    """
    step, found, checksum, failure = -1, "", "", ""
    try:
        on_first(march.domain.rank, march.domain.broadcast, lambda: check_seal(path))
    except InputError as error:
        raise InputError(f"checkpoint {error}; delete it to start from t = 0") from None
    try:
        with h5py.File(path, "r") as file:
            step, found = int(file.attrs["step"]), str(file.attrs["config"])
            checksum = str(file.attrs["checksum"])
            if found == config:
                _read_state(file, march)
    except Exception as error:  # what a damaged HDF5 file may raise is no closed list
        failure = str(error) or repr(error)
    if march.domain.any(bool(failure)):
        raise InputError(
            f"checkpoint {path}: not readable ({failure or 'by another process'}); delete it to "
            "start from t = 0"
        )
    if found != config:
        raise InputError(
            f"checkpoint {path}: was written with another configuration; resume with the same one"
        )
    if not 0 <= step <= march.n_steps or checksum != state_checksum(march, step):
        raise InputError(
            f"checkpoint {path}: is damaged (step {step} of {march.n_steps}, or other numbers than "
            "were written); delete it to start from t = 0"
        )
    march.restore(step)


def _read_state(file: h5py.File, march: TimeLoop) -> None:
    """Put this process's share of an open checkpoint into ``march``."""
    march.set_clock({name: float(file.attrs[f"clock_{name}"]) for name in march.clock})
    block = march.domain.block
    rows, columns = block.inner
    for name, field in march.kept.items():
        for band in bands(block.ny, block.nx):
            here = slice(rows.start + band.start, rows.start + band.stop)
            field[band] = file[f"/state/{name}"][here, columns]


def state_checksum(march: TimeLoop, step: int) -> str:
    """Return a checksum of the whole grid's state before a step, the same on all processes.

    It is a sum over cells, modulo 2⁶⁴, of the bits of each number times an odd number that its
    place gives: any division of the grid gives the same, and one changed bit changes it.
    """
    block, total, kept = march.domain.block, 0, march.kept.values()
    columns = np.arange(block.i0, block.i0 + block.nx, dtype=np.uint64)
    for n, field in enumerate(kept):
        for band in bands(block.ny, block.nx):
            rows = np.arange(block.j0 + band.start, block.j0 + band.stop, dtype=np.uint64)
            cell = rows[:, None] * np.uint64(block.grid.nx) + columns
            place = cell * np.uint64(len(kept)) + np.uint64(n)
            weight = (place * np.uint64(MIXER)) | np.uint64(1)
            bits = np.ascontiguousarray(field[band], dtype=np.float64).view(np.uint64)
            total += int((bits * weight).sum())
    parts = march.domain.gather(total)
    whole = None if parts is None else (sum(parts) + step * MIXER) % 2**64
    return f"{march.domain.broadcast(whole):016x}"
