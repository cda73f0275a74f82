"""A training run: its curves, and what the network makes of maps that it has not seen."""

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from opalux.base.plots import CHANGE_MAP, DENSITY_MAP, LABELS, SPREAD_MAP
from opalux.jobs.inversion.reconstruction import reconstruct
from opalux.jobs.inversion.trained import load_trained
from opalux.jobs.viewing.scene import Array, Map, Plot
from opalux.learning.training import logbook


class TrainingScene:
    """See `opalux.jobs.viewing.scene.Scene`."""

    kind = "training"
    choices: Mapping[str, Sequence[str]] = {}

    def __init__(self, folder: Path) -> None:
        self.title = folder.name
        self._entries = logbook.read(folder)
        self._trained = load_trained(folder)
        self._data = self._trained.training_data()
        held_out = self._data.split("test")
        self._positions = held_out if len(held_out) else self._data.split("validation")
        self.slider: tuple[str, Sequence[float]] = ("held-out map", range(len(self._positions)))
        self.note = (
            f"network {self._trained.settings.model.kind}, {self._trained.weights:,} weights"
        )
        self._answer = functools.lru_cache(maxsize=64)(self._reconstruct)

    def _reconstruct(self, position: int) -> tuple[Array, Array | None]:
        signals = self._data.signals(position)
        found = reconstruct(self._trained, signals, simulate=False)
        return found.density, found.uncertainty

    def maps(self, position: int, chosen: Mapping[str, str]) -> list[Map]:
        """Return truth, reconstruction, its deviation between symmetries, and error."""
        number = int(self._positions[position])
        truth = self._data.density(number)
        found, deviation = self._answer(number)
        limits = (float(min(truth.min(), found.min())), float(max(truth.max(), found.max())))
        error = found - truth
        largest = float(abs(error).max()) or 1.0
        extent = (0.0, 1.0, 0.0, 1.0)
        axes = ("x / width", "y / height")
        label = LABELS["rho"]
        shown = [
            Map(name="truth", label=f"truth, {label}", colours=DENSITY_MAP, values=truth,
                extent=extent, axes=axes, limits=limits),
            Map(name="network", label=f"network, {label}", colours=DENSITY_MAP, values=found,
                extent=extent, axes=axes, limits=limits),
            Map(name="error", label=f"error, {label}", colours=CHANGE_MAP, values=error,
                extent=extent, axes=axes, limits=(-largest, largest)),
        ]  # fmt: skip
        if deviation is not None:
            shown.append(
                Map(name="uncertainty", label=f"uncertainty, {label}", colours=SPREAD_MAP,
                    values=deviation, extent=extent, axes=axes)
            )  # fmt: skip
        return shown

    def plots(
        self, position: int, chosen: Mapping[str, str], click: tuple[float, float] | None
    ) -> list[Plot]:
        """Return the loss and the scores against the step."""
        found = []
        for kind, title in (("train", "loss"), ("validation", "scores on the validation split")):
            entries = [entry for entry in self._entries if entry["kind"] == kind]
            names = ["loss"] if kind == "train" else ["r2_pooled", "r2_mean"]
            lines = [
                (
                    name,
                    np.array([entry["step"] for entry in entries if name in entry], float),
                    np.array([entry[name] for entry in entries if name in entry], float),
                )
                for name in names
            ]
            lines = [line for line in lines if len(line[1])]
            if lines:
                found.append(Plot(title=title, across="step", up=title, lines=lines))
        return found
