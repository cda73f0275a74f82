"""A simulation: its fields in time, and the signals at its edges and detectors."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import h5py
import numpy as np

from opalux.base.axes import QUANTITIES, along
from opalux.base.plots import COLOURS, LABELS
from opalux.jobs.viewing.scene import Array, Map, Plot
from opalux.solver.files.solution import read_solution
from opalux.solver.files.xdmf import snapshot_name
from opalux.solver.solution import edge_quantities

SHOWN_CELLS = 256
"""Cells along an axis that the page shows at most."""
SCANNED = 20
"""Times that are looked through at first for the limits of the colours."""
SHOWN_TIMES = 1000
"""Points of a curve at most."""


class SolutionScene:
    """See `opalux.jobs.viewing.scene.Scene`; times are those of snapshots.h5 where there is one."""

    kind = "simulation"
    choices: Mapping[str, Sequence[str]] = {}

    def __init__(self, folder: Path) -> None:
        self.title = folder.name
        self._solution = read_solution(folder / "solution.h5", at_most=SHOWN_CELLS)
        self._snapshots = folder / "snapshots.h5"
        times: Sequence[float] = [self._solution.t_final]
        if self._snapshots.is_file():
            with h5py.File(self._snapshots) as file:
                times = file["t"][:].tolist()
        self.slider = ("t [sh]", times)
        self.note = f"scheme {self._solution.scheme}. Click for the signal at the nearest edge."
        if len(times) == 1:
            self.note += " For a slider in time, solve with output.snapshots=51."
        self._limits: dict[str, tuple[float, float]] = {}
        for position in np.unique(np.linspace(0, len(times) - 1, SCANNED).astype(int)):
            for name, values in self._fields(int(position)).items():
                self._range(name, values)

    def maps(self, position: int, chosen: Mapping[str, str]) -> list[Map]:
        """Return ρ, E, |F| and T."""
        grid = self._solution.grid
        fields = {"rho": self._solution.rho, **self._fields(position)}
        return [
            Map(
                name=name,
                label=LABELS[name],
                colours=COLOURS[name],
                values=values,
                extent=(*grid.x, *grid.y),
                limits=self._range(name, values),
            )
            for name, values in fields.items()
        ]

    def _range(self, name: str, values: Array) -> tuple[float, float]:
        """Return limits that only grow, so that colours can be compared between times."""
        low, high = self._limits.get(name, (np.inf, -np.inf))
        self._limits[name] = (min(low, float(values.min())), max(high, float(values.max())))
        return self._limits[name]

    def _fields(self, position: int) -> dict[str, Array]:
        if self._snapshots.is_file():
            with h5py.File(self._snapshots) as file:
                step = max(1, -(-max(file["rho"].shape) // SHOWN_CELLS))
                names = (snapshot_name(position, name) for name in ("E", "F", "T"))
                E, F, T = (file[name][::step, ::step] for name in names)
            return {"E": E, "F": np.hypot(F[..., 0], F[..., 1]), "T": T}
        E, Fx, Fy, T = self._solution.fields
        return {"E": E, "F": np.hypot(Fx, Fy), "T": T}

    def plots(
        self, position: int, chosen: Mapping[str, str], click: tuple[float, float] | None
    ) -> list[Plot]:
        """Return the signal at the nearest edge, and as a change from its first value."""
        grid = self._solution.grid
        x, y = click or (grid.x[1], sum(grid.y) / 2)
        away = {
            "left": x - grid.x[0],
            "right": grid.x[1] - x,
            "down": y - grid.y[0],
            "up": grid.y[1] - y,
        }
        edge = min(away, key=lambda name: away[name])
        signal = self._solution.signals[edge]
        low, high = getattr(grid, along(edge))
        place = x if along(edge) == "x" else y
        cells = signal.shape[2]
        cell = int(np.clip((place - low) / (high - low) * cells, 0, cells - 1))
        every = max(1, len(self._solution.times) // SHOWN_TIMES)
        t = self._solution.times[::every]
        where = f"{edge} edge, {along(edge)} = {low + (cell + 0.5) * (high - low) / cells:.3g} cm"
        return [
            Plot(
                title=f"{LABELS[name]}, {where}",
                across=LABELS["t"],
                up=LABELS[name],
                lines=[(name, t, values[::every, cell])],
            )
            for name, values in zip(QUANTITIES, edge_quantities(signal), strict=True)
        ]
