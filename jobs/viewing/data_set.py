"""A data set: its densities, one after the other, and their signals."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from opalux.base.axes import EDGES, along
from opalux.base.plots import CHANGE_MAP, DENSITY_MAP, LABELS
from opalux.jobs.viewing.scene import Map, Plot
from opalux.learning.data.data_set import DataSet


class DataSetScene:
    """See `opalux.jobs.viewing.scene.Scene`."""

    kind = "data set"

    def __init__(self, folder: Path) -> None:
        self._data = DataSet(folder)
        card = self._data.card
        self.title = card.name
        self.note = (
            f"{len(self._data)} samples of {card.shape[1]} x {card.shape[0]} cells. Signals are "
            "shown as changes from their first value; click on one for the curve."
        )
        self.slider: tuple[str, Sequence[float]] = ("sample", range(len(self._data)))
        self.choices: Mapping[str, Sequence[str]] = {
            "source": list(card.sources),
            "quantity": list(card.quantities),
        }

    def _chosen(self, chosen: Mapping[str, str]) -> tuple[int, int, str]:
        card = self._data.card
        source = chosen.get("source", card.sources[0])
        quantity = chosen.get("quantity", card.quantities[0])
        return list(card.sources).index(source), list(card.quantities).index(quantity), quantity

    def maps(self, position: int, chosen: Mapping[str, str]) -> list[Map]:
        """Return the density, and for each edge the signal (place, time) as a change."""
        source, number, quantity = self._chosen(chosen)
        signals = self._data.signals(position)[source, :, number]
        t = self._data.times
        found = [
            Map(
                name="density",
                label=LABELS["rho"],
                colours=DENSITY_MAP,
                values=self._data.density(position),
                extent=(0.0, 1.0, 0.0, 1.0),
                axes=("x / width", "y / height"),
            )
        ]
        for edge, name in enumerate(EDGES):
            own = signals[edge, :, : self._data.card.cells_on(name)]
            change = own - own[:1]
            largest = float(abs(change).max()) or 1.0
            found.append(
                Map(
                    name=name,
                    label=f"Δ{LABELS[quantity]}, {name} edge",
                    colours=CHANGE_MAP,
                    values=change.T,
                    extent=(float(t[0]), float(t[-1]), 0.0, 1.0),
                    axes=(LABELS["t"], f"{along(name)} / side"),
                    limits=(-largest, largest),
                )
            )
        return found

    def plots(
        self, position: int, chosen: Mapping[str, str], click: tuple[float, float] | None
    ) -> list[Plot]:
        """Return the signals of all edges at the height that was clicked."""
        source, number, quantity = self._chosen(chosen)
        signals = self._data.signals(position)[source, :, number]
        place = click[1] if click else 0.5
        lines = []
        for edge, name in enumerate(EDGES):
            cells = self._data.card.cells_on(name)
            cell = min(cells - 1, max(0, int(place * cells)))
            lines.append((name, self._data.times, signals[edge][:, cell] - signals[edge][0, cell]))
        title = (
            f"Δ{LABELS[quantity]} at {place:.0%} of each edge, family {self._data.family(position)}"
        )
        return [Plot(title=title, across=LABELS["t"], up=f"Δ{LABELS[quantity]}", lines=lines)]
