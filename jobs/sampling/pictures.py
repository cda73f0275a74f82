"""A page of pictures for each family of a data set: densities and the signals they send out."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from opalux.base.axes import along
from opalux.base.plots import DENSITY_MAP, ENERGY_MAP, LABELS, save
from opalux.learning.data.data_set import DataSet
from opalux.learning.data.part import GOOD

SHOWN = 4  # samples on a page


def draw_pages(data: DataSet, out: Path) -> list[Path]:
    """Write ``FAMILY.png`` for each family of ``data`` into ``out`` and return the paths."""
    families = np.array([bytes(label).decode() for label in data.index("family")])
    out.mkdir(parents=True, exist_ok=True)
    paths = []
    for label in data.card.families:
        chosen = np.flatnonzero((families == label) & (data.status == GOOD))[:SHOWN]
        if len(chosen):
            paths.append(out / f"{label}.png")
            _draw_page(data, label, chosen, paths[-1])
    return paths


def _draw_page(data: DataSet, label: str, chosen: np.ndarray, path: Path) -> None:
    """Draw each chosen sample in a row: its density, then one quantity along the four edges.

    The rows go through the sources, so that a page shows more than one of them.
    """
    card = data.card
    quantity = card.quantities[0]
    figure, grid = plt.subplots(
        len(chosen),
        1 + len(card.edges),
        figsize=(13, 2.6 * len(chosen)),
        squeeze=False,
        layout="constrained",
    )
    for row, (axes, position) in enumerate(zip(grid, chosen, strict=True)):
        density, source = data.density(position), row % len(card.sources)
        image = axes[0].imshow(density, origin="lower", cmap=DENSITY_MAP, extent=(0, 1, 0, 1))
        figure.colorbar(image, ax=axes[0], shrink=0.75)
        title = f"sample {position}, source: {card.sources[source]}"
        axes[0].set_title(title, fontsize="medium")
        axes[0].set(xlabel="x", ylabel="y")
        signals = data.signals(position)[source, :, 0]
        for axis, edge, signal in zip(axes[1:], card.edges, signals, strict=True):
            image = axis.imshow(
                signal.T,
                origin="lower",
                aspect="auto",
                cmap=ENERGY_MAP,
                extent=(data.times[0], data.times[-1], 0, 1),
            )
            figure.colorbar(image, ax=axis)
            axis.set(title=f"{quantity} at {edge}", xlabel="t [sh]", ylabel=along(edge))
    figure.suptitle(f"{card.name}, family {label}: ρ [g/cm³] and {LABELS[quantity]}")
    save(figure, path)
