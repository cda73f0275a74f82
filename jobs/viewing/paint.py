"""The easel: a painted density is lit from four sides, and its signals are inverted.

Lighting and the network answer in a moment, in this process. The inversion takes a while: it is
the command lines that a user would type, one after the other in a folder that is removed at the
end.
"""

import math
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opalux.base.axes import EDGES, along
from opalux.base.errors import InputError
from opalux.base.plots import CHANGE_MAP, COLOURS, DENSITY_MAP, LABELS, SHARE_MAP
from opalux.jobs.viewing.scene import Map, palette
from opalux.solver.march import simulate
from opalux.solver.problem import Problem

CELLS = 32
"""Cells of the painting along an axis, where no network says otherwise."""
LIT = 64
"""Cells of the simulation along an axis, at least."""
DENSITIES = (0.1, 10.0)
"""Least and largest density that can be painted [g/cm³]."""
FINER = 128
"""Cells of the measurement that is inverted, so that its grid's error is below the noise."""
FOUND = 16
"""Cells of the map that is searched."""
NOISE = 0.02
STEPS = 120

OPEN = {edge: {"kind": "vacuum", "T": 5} for edge in EDGES}

Density = NDArray[np.floating]


class Easel:
    """What the page to paint on asks for.

    Parameters
    ----------
    run : folder of a training run, whose network is asked, too; None: no network

    Attributes
    ----------
    cells : of the painting, along an axis
    finer, found, steps : of an inversion: cells of the measurement and of the map that is searched,
        along an axis, and gradients at most
    """

    finer, found, steps = FINER, FOUND, STEPS

    def __init__(self, run: Path | None = None) -> None:
        self._trained: Any = None
        self.cells = CELLS
        if run is not None:
            from opalux.jobs.inversion.trained import load_trained

            self._trained = load_trained(run)
            if self._trained.campaign is None or not self._trained.model.objective.is_map:
                raise InputError(
                    f"{run}: found a network that gives no map, or whose data were imported; "
                    "give the run of one that reconstructs maps of a campaign"
                )
            if not self._trained.layout.is_square:
                ny, nx = self._trained.layout.shape
                raise InputError(
                    f"{run}: found a network of {nx} x {ny} cells, expected one of a square, as "
                    "the page to paint on is; give another run"
                )
            self.cells = self._trained.layout.shape[0]
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self._told: dict[str, Any] = {"state": "none"}

    def described(self) -> dict[str, Any]:
        """Return what the page has to know at first."""
        return {
            "cells": self.cells,
            "densities": DENSITIES,
            "network": self._trained is not None,
            "noise": NOISE,
            "palette": palette(DENSITY_MAP),
        }

    def _density(self, body: Any) -> Density:
        """Return the density (ny, nx) of a request, row 0 = bottom."""
        try:
            rho = np.array(body["density"], dtype=np.float64)
        except (TypeError, ValueError, KeyError):
            raise InputError("found no density; send a list of rows of numbers") from None
        low, high = DENSITIES
        if rho.shape != (self.cells, self.cells) or not ((rho >= low) & (rho <= high)).all():
            raise InputError(
                f"density: found an array {rho.shape}, expected {(self.cells, self.cells)} numbers "
                f"from {low} to {high} g/cm³"
            )
        return rho

    def light(self, body: Any) -> dict[str, Any]:
        """Light the density from one edge; return its energy at the end and the signals' change."""
        rho = self._density(body)
        lit = body.get("edge")
        if lit not in EDGES:
            raise InputError(f"edge: found {lit}, expected one of {', '.join(EDGES)}")
        finer = math.ceil(LIT / self.cells)
        problem = Problem.model_validate(
            {
                "scheme": "staggered",
                "signals": {"at": "edge"},
                "material": {"density": rho.repeat(finer, axis=0).repeat(finer, axis=1)},
                "edges": OPEN | {lit: {"kind": "source"}},
            }
        )
        solution = simulate(problem)
        maps = [
            Map(name="E", label=LABELS["E"], colours=COLOURS["E"], values=solution.fields[0],
                extent=(0.0, 1.0, 0.0, 1.0))
        ]  # fmt: skip
        t_end = float(solution.times[-1])
        for edge, signal in solution.signals.items():
            change = signal[:, 0] - signal[:1, 0]
            largest = float(abs(change).max()) or 1.0
            maps.append(
                Map(name=edge, label=f"Δ{LABELS['E']}, {edge} edge", colours=CHANGE_MAP,
                    values=change.T, extent=(0.0, t_end, 0.0, 1.0),
                    axes=(LABELS["t"], LABELS[along(edge)]), limits=(-largest, largest))
            )  # fmt: skip
        return {"maps": [each.to_json() for each in maps]}

    def network_map(self, body: Any) -> dict[str, Any]:
        """Return what the network makes of the density's signals."""
        rho = self._density(body)
        if self._trained is None:
            raise InputError("found no network; start 'opalux view RUN --paint'")
        from opalux.jobs.inversion.reconstruction import reconstruct
        from opalux.jobs.sampling.sample import simulate_sources

        campaign = self._trained.campaign
        places = np.array([place.span(campaign.problem.cells) for place in campaign.sources])
        signals = simulate_sources(campaign, rho.astype(np.float32), places)
        found = reconstruct(self._trained, signals, misfit_maps=0)
        shown = _found_map("network", found.density, rho)
        error = float(np.sqrt(np.mean((found.density - rho) ** 2)) / rho.mean())
        note = f"relative error {error:.1%}. {found.warning or ''}"
        return {"maps": [shown.to_json()], "note": note}

    def start_inversion(self, body: Any) -> dict[str, Any]:
        """Start to measure and invert the density; `inversion` tells how far it is."""
        rho = self._density(body)
        with self._lock:
            if self._told["state"] == "running":
                raise InputError("found an inversion that is running; wait for its end")
            self._told = {"state": "running", "line": "begins"}
        threading.Thread(target=self._invert, args=(rho,), daemon=True).start()
        return self._told

    def inversion(self) -> dict[str, Any]:
        """Return how far the inversion is: state, last line, and at the end its map."""
        return self._told

    def close(self) -> None:
        """Stop what still runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait()

    def _invert(self, rho: Density) -> None:
        try:
            with tempfile.TemporaryDirectory(prefix="opalux-view-") as name:
                self._told = self._inverted(rho, Path(name))
        except OSError as error:
            self._told = {"state": "failed", "line": str(error)}

    def _inverted(self, rho: Density, folder: Path) -> dict[str, Any]:
        finer = max(1, round(self.finer / self.cells))
        np.save(folder / "map.npy", rho.repeat(finer, axis=0).repeat(finer, axis=1))
        (folder / "solve.yaml").write_text(_SOLVE)
        wanted = (
            f"noise={NOISE} steps={self.steps} problem.grid.nx={self.found} "
            f"problem.grid.ny={self.found} start=1"
        )
        lines = [
            f"solve solve.yaml --set edges.{edge}.kind=source --out {edge}" for edge in EDGES
        ] + ["init invert", f"invert invert.yaml {' '.join(EDGES)} --out found --set {wanted}"]
        for line in lines:
            code = self._run(line, folder)
            if code not in (0, 3):
                return {"state": "failed", "line": self._told["line"]}
        import h5py

        with h5py.File(folder / "found" / "inversion.h5") as file:
            maps = [_found_map("inverted", file["density"][:], rho)]
            if "informed" in file:
                maps.append(
                    Map(name="informed", label="informed by the data", colours=SHARE_MAP,
                        values=file["informed"][:], extent=(0.0, 1.0, 0.0, 1.0), limits=(0.0, 1.0))
                )  # fmt: skip
        return {
            "state": "done",
            "line": self._told["line"],
            "maps": [each.to_json() for each in maps],
        }

    def _run(self, line: str, folder: Path) -> int:
        """Run a command line of Opalux; its last line of output is what the page shows."""
        command = [sys.executable, "-m", "opalux", *line.split()]
        with subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            self._process = process
            assert process.stdout is not None
            for said in process.stdout:
                if not said.startswith(("advice", "material.density", "found", "  ")):
                    self._told = {"state": "running", "line": said.strip()}
        return process.returncode


_SOLVE = """
scheme: staggered
signals: {at: edge}
material: {density: map.npy}
output: {signals_every: 16, pictures: false}
edges:
""" + "".join(f"  {edge}: {{kind: vacuum, T: 5}}\n" for edge in EDGES)


def _found_map(name: str, found: Density, rho: Density) -> Map:
    """Return a map that was found, in the colours of the painted one."""
    return Map(
        name=name,
        label=f"{name}, {LABELS['rho']}",
        colours=DENSITY_MAP,
        values=found,
        extent=(0.0, 1.0, 0.0, 1.0),
        limits=(float(rho.min()), float(max(rho.max(), rho.min() * 1.01))),
    )
