"""Checkpoints: the state before a step, from which any number of processes can continue."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py

from opalux.base.axes import FIELDS, UNITS
from opalux.base.errors import InputError, StorageError
from opalux.solver.files.growing import (
    CELL_AXES,
    FORMAT_VERSION,
    Description,
    GrowingFile,
    cell_coordinates,
)
from opalux.solver.grid import bands
from opalux.solver.march import March


def write_checkpoint(path: Path, march: March, attributes: Mapping[str, Any]) -> None:
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
    arrays = {f"/state/{name}": (grid.ny, grid.nx) for name in FIELDS}
    root = {"format_version": FORMAT_VERSION, "step": march.step, **attributes}
    described = dict(CELL_AXES)
    described |= {f"/state/{name}": Description(UNITS[name], ("/y", "/x")) for name in FIELDS}
    file = GrowingFile(
        path,
        march.domain,
        arrays,
        {"/": root},
        described=described,
        coordinates=cell_coordinates(grid),
    )
    try:
        for name, field in zip(FIELDS, march.domain.state, strict=True):
            file.write(f"/state/{name}", field[1:-1, 1:-1])
        file.finish()
    except StorageError:
        file.discard()
        raise


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
            block = march.domain.block
            rows, columns = block.inner
            for field, name in zip(march.domain.state, FIELDS, strict=True):
                for band in bands(block.ny, block.nx):
                    here = slice(rows.start + band.start, rows.start + band.stop)
                    field[1:-1, 1:-1][band] = file[f"/state/{name}"][here, columns]
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise InputError(
            f"checkpoint {path}: not readable ({error}); delete it to start from t = 0"
        ) from None
    if found != config:
        raise InputError(
            f"checkpoint {path}: was written with another configuration; resume with the same one"
        )
    march.restore(step)
