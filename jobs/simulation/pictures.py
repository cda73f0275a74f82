"""Pictures of a solution: fields at the final time, signals along the edges."""

from pathlib import Path

import h5py
import matplotlib.pyplot as plt
import numpy as np

from opalux.base.axes import QUANTITIES, along, flux_magnitude
from opalux.base.plots import COLOURS, LABELS, save
from opalux.solver.files.solution import read_grid
from opalux.solver.pictures import fields_figure

SHOWN_CELLS = 1024  # cells along an axis that a picture shows at most


def thinned(field: h5py.Dataset) -> np.ndarray:
    """Read a field (ny, nx, ...), of a large one every few cells: never more than can be seen."""
    rows, columns = (-(-cells // SHOWN_CELLS) for cells in field.shape[:2])
    values: np.ndarray = field[::rows, ::columns]
    return values


def draw_fields(solution: Path, path: Path) -> None:
    """Draw density, energy, flux and temperature at the final time."""
    with h5py.File(solution, "r") as file:
        fields = {name: thinned(file[f"fields/{name}"]) for name in ("rho", "E", "F", "T")}
        t, scheme = float(file["fields"].attrs["t"]), file.attrs["scheme"]
        grid = read_grid(file)
    fields["F"] = flux_magnitude(fields["F"])
    save(fields_figure(fields, grid, f"t = {t:.6g} sh, scheme: {scheme}"), path)


def draw_signals(solution: Path, path: Path) -> None:
    """Draw E, |F| and T along the four edges against time."""
    edges = ("left", "right", "down", "up")
    with h5py.File(solution, "r") as file:
        t = file["signals/t"][()]
        grid = read_grid(file)
        signals = {}
        for edge in edges:
            group = file[f"signals/{edge}"]
            F = thinned(group["F"])
            signals[edge] = {
                "E": thinned(group["E"]),
                "F": flux_magnitude(F),
                "T": thinned(group["T"]),
            }
    figure, axes = plt.subplots(3, 4, figsize=(14, 8.6), layout="constrained", sharex=True)
    for row, name in enumerate(QUANTITIES):
        low = min(float(signals[edge][name].min()) for edge in edges)
        high = max(float(signals[edge][name].max()) for edge in edges)
        for column, edge in enumerate(edges):
            axis, place = axes[row, column], along(edge)
            extent = getattr(grid, place)
            image = axis.imshow(
                signals[edge][name].T, origin="lower", aspect="auto", cmap=COLOURS[name],
                vmin=low, vmax=high, extent=(t[0], max(t[-1], t[0] + 1e-12), *extent),
            )  # fmt: skip
            axis.set_ylabel(LABELS[place])
            if row == 0:
                axis.set_title(f"{edge} edge")
            if row == 2:
                axis.set_xlabel(LABELS["t"])
        figure.colorbar(image, ax=axes[row], label=LABELS[name], aspect=12, pad=0.01)
    figure.suptitle("signals in the cells along the edges")
    save(figure, path)
