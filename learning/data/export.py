"""Writing a data set in other formats: plain ``.npy`` arrays, and the HDF5 format of The Well."""

import contextlib
import errno
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import h5py
import numpy as np

from opalux.base.axes import along
from opalux.base.files import atomic, write_text
from opalux.base.new_folder import new_folder
from opalux.base.progress import Progress
from opalux.learning.data.card import SPLITS
from opalux.learning.data.data_set import DataSet

Advance = Callable[[int], None]


def export(data: DataSet, out: Path, form: str) -> None:
    """Write a data set into the new folder ``out`` in another format, and close it.

    Parameters
    ----------
    data : to write
    out : folder that does not exist or is empty; it is removed when the export fails
    form : one of `EXPORTS`

    Raises
    ------
    InputError
        When the folder holds something.
    """
    try:
        with (
            new_folder(out),
            Progress(f"exporting {data.card.name}", len(data)) as progress,
        ):
            EXPORTS[form](data, out, progress.advance)
    finally:
        data.close()


def export_npy(data: DataSet, out: Path, advance: Advance) -> None:
    """Write the good samples as arrays, split after split.

    ``density.npy`` (n, ny, nx), ``signals.npy`` (n, sources, edges, quantities, n_times, n_cells),
    ``detectors.npy`` (n, sources, quantities, n_times, detectors) where there are some,
    ``times.npy``, ``sample_id.npy``, ``splits.json``: the rows [start, stop) of each split, and
    ``signals.json``: what the axes of the signals count, how many cells each edge has, and whether
    they are at the edge itself.
    """
    positions = {name: data.split(name) for name in SPLITS}
    order = np.concatenate(list(positions.values()))
    card = data.card
    with (
        _rows(out / "density.npy", (len(order), *card.shape)) as density,
        _rows(out / "signals.npy", (len(order), *card.signals_shape)) as signals,
        contextlib.ExitStack() as more,
    ):
        if card.detectors:
            shape = (len(order), *card.detectors_shape)
            detectors = more.enter_context(_rows(out / "detectors.npy", shape))
        for position in order:
            if card.detectors:
                detectors.write(data.detectors(position).data)
            density.write(data.density(position).data)
            signals.write(data.signals(position).data)
            advance(1)
    for name, values in (("times", data.times), ("sample_id", order)):
        with atomic(out / f"{name}.npy") as temporary, temporary.open("wb") as file:
            np.save(file, values)
    bounds, start = {}, 0
    for name in SPLITS:
        bounds[name] = [start, start + len(positions[name])]
        start = bounds[name][1]
    axes = {
        "at": card.signals_at,
        "sources": card.sources,
        "edges": card.edges,
        "quantities": card.quantities,
        "cells": {edge: card.cells_on(edge) for edge in card.edges},
        **({"detectors [x, y, width]": card.detectors} if card.detectors else {}),
    }
    for name, words in (("splits", bounds), ("signals", axes)):
        write_text(out / f"{name}.json", json.dumps(words, indent=1) + "\n")


@contextlib.contextmanager
def _rows(path: Path, shape: tuple[int, ...]) -> Iterator[BinaryIO]:
    """Give a .npy file of float32 that is written row after row.

    No memory map: where the disk is full, the system ends a process that writes to one.
    """
    header = {"descr": "<f4", "fortran_order": False, "shape": shape}
    with atomic(path) as temporary, temporary.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        yield file


def export_well(data: DataSet, out: Path, advance: Advance) -> None:
    """Write one HDF5 file for each split, in the format that The Well specifies.

    A density is a field that varies with the sample, x and y; a signal is a field that varies with
    the sample, time and the one coordinate along its edge; what a detector reads is a scalar that
    varies with the sample and time. Spatial axes are (x, y).

    References
    ----------
    R. Ohana et al., "The Well: a large-scale collection of diverse physics simulations for machine
    learning", 2024; data format 2D, cartesian.
    """
    folders = {"train": "train", "validation": "valid", "test": "test"}
    card = data.card
    for split in SPLITS:
        positions = data.split(split)
        if not len(positions):
            continue
        path = out / "data" / folders[split] / f"{card.name}.hdf5"
        path.parent.mkdir(parents=True, exist_ok=True)
        with _well_file(path, card.sample_bytes * len(positions)) as file:
            _well_header(file, data, len(positions))
            density, signals = _well_fields(file, data, len(positions))
            scalars = _well_scalars(file, data, len(positions))
            for row, position in enumerate(positions):
                density[row] = data.density(position).T
                sample = data.signals(position)
                for (source, edge, quantity), field in signals.items():
                    field[row] = sample[source, edge, quantity, :, : field.shape[-1]]
                read = data.detectors(position)
                for (source, quantity, detector), scalar in scalars.items():
                    scalar[row] = read[source, quantity, :, detector]
                advance(1)


@contextlib.contextmanager
def _well_file(path: Path, size: int) -> Iterator[h5py.File]:
    """Give a new HDF5 file of about ``size`` bytes, written atomically.

    HDF5 finds out that a disk is full only when it closes the file, and loses its handle. So the
    room is taken, and given back, before it opens the file.
    """
    with atomic(path) as temporary:
        with temporary.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(1, size))
        try:
            with h5py.File(temporary, "w") as opened:
                yield opened
        except RuntimeError as error:  # h5py, on closing a file
            raise OSError(errno.ENOSPC, str(error), str(path)) from None


def _well_header(file: h5py.File, data: DataSet, count: int) -> None:
    card = data.card
    file.attrs.update(
        dataset_name=card.name,
        grid_type="cartesian",
        n_spatial_dims=2,
        n_trajectories=count,
        signals_at=card.signals_at,
        simulation_parameters=np.array([], dtype=h5py.string_dtype()),
    )
    dimensions = file.create_group("dimensions")
    dimensions.attrs["spatial_dims"] = ["x", "y"]
    time = dimensions.create_dataset("time", data=data.times.astype(np.float32))
    time.attrs["sample_varying"] = False
    x, y = ((np.arange(cells) + 0.5) / cells for cells in card.shape[::-1])
    for name, centres in (("x", x), ("y", y)):
        axis = dimensions.create_dataset(name, data=centres.astype(np.float32))
        axis.attrs.update(sample_varying=False, time_varying=False)
    boundaries = file.create_group("boundary_conditions")
    for name, cells in (("x", card.shape[1]), ("y", card.shape[0])):
        boundary = boundaries.create_group(f"{name}_open")
        mask = np.zeros(cells, dtype=bool)
        mask[[0, -1]] = True
        boundary.attrs.update(
            associated_dims=[name],
            associated_fields=np.array([], dtype=h5py.string_dtype()),
            bc_type="open",
            sample_varying=False,
            time_varying=False,
        )
        boundary.create_dataset("mask", data=mask)
        boundary.create_dataset("values", data=np.zeros(2, dtype=np.float32))
    for name in ("t1_fields", "t2_fields"):
        file.create_group(name).attrs["field_names"] = np.array([], dtype=h5py.string_dtype())


def _well_fields(
    file: h5py.File, data: DataSet, count: int
) -> tuple[h5py.Dataset, dict[tuple[int, int, int], h5py.Dataset]]:
    """Create the fields and return them: the density, and each (source, edge, quantity)."""
    card = data.card
    group = file.create_group("t0_fields")
    ny, nx = card.shape
    density = group.create_dataset("density", (count, nx, ny), np.float32)
    density.attrs.update(dim_varying=[True, True], sample_varying=True, time_varying=False)
    signals = {}
    for s, source in enumerate(card.sources):
        for e, edge in enumerate(card.edges):
            along_x = along(edge) == "x"
            for q, quantity in enumerate(card.quantities):
                name = f"{quantity}_at_{edge}_from_{source}"
                shape = count, card.n_times, card.cells_on(edge)
                field = group.create_dataset(name, shape, np.float32)
                field.attrs.update(
                    dim_varying=[along_x, not along_x], sample_varying=True, time_varying=True
                )
                signals[s, e, q] = field
    group.attrs["field_names"] = ["density", *(name for name in group if name != "density")]
    return density, signals


def _well_scalars(
    file: h5py.File, data: DataSet, count: int
) -> dict[tuple[int, int, int], h5py.Dataset]:
    """Create the scalars and return them: one for each (source, quantity, detector)."""
    card = data.card
    group = file.create_group("scalars")
    scalars = {}
    for s, source in enumerate(card.sources):
        for q, quantity in enumerate(card.quantities):
            for d, (x, y, width) in enumerate(card.detectors):
                name = f"{quantity}_at_detector_{d}_from_{source}"
                scalar = group.create_dataset(name, (count, card.n_times), np.float32)
                scalar.attrs.update(sample_varying=True, time_varying=True, x=x, y=y, width=width)
                scalars[s, q, d] = scalar
    group.attrs["field_names"] = np.array(list(group), dtype=h5py.string_dtype())
    return scalars


EXPORTS = {"npy": export_npy, "well": export_well}
"""What writes each format."""
