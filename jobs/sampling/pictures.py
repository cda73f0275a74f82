"""A page of pictures for each family of a data set: densities and their signals."""

from pathlib import Path

import numpy as np

from opalux.base.plots import LABELS, save
from opalux.learning.data.data_set import DataSet
from opalux.learning.data.part import GOOD
from opalux.learning.data.pictures import Row, draw_rows

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
    """Draw the chosen samples; the rows go through the sources, to show more than one of them."""
    card = data.card
    quantity = card.quantities[0]
    rows = []
    for number, position in enumerate(chosen):
        source = number % len(card.sources)
        rows.append(
            Row(
                title=f"sample {position}, source: {card.sources[source]}",
                density=data.density(position),
                signals=data.signals(position)[source, :, 0],
            )
        )
    figure = draw_rows(card, data.times, quantity, rows)
    figure.suptitle(f"{card.name}, family {label}: ρ [g/cm³] and {LABELS[quantity]}")
    save(figure, path)
