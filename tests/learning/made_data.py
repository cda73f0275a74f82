"""Small data sets whose signals follow from the densities by a rule that a network can learn."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from opalux.base.axes import EDGES, At
from opalux.learning.data.card import NAME, Card, Splits, part_name
from opalux.learning.data.finish import finish
from opalux.learning.data.part import Part, write_part


def make_data(
    folder: Path,
    *,
    train: int = 16,
    side: int = 8,
    n_times: int = 8,
    sources: tuple[str, ...] = EDGES,
    spoil: int | None = None,
    change: Callable[[np.ndarray], np.ndarray] | None = None,
    copies: Mapping[int, int] | None = None,
    turn: bool = False,
    failed: tuple[int, ...] = (),
    campaign: dict[str, Any] | None = None,
    signals_at: At = "cell",
) -> Path:
    """Write a data set of smooth random maps.

    ``spoil`` names a sample that gets a NaN; ``change`` makes other signals of the signals.
    ``copies`` gives samples the density of others, turned by a quarter with ``turn``; ``failed``
    names samples that failed; ``campaign`` and ``signals_at`` are those of the card.
    """
    folder.mkdir(parents=True)
    splits = Splits(train=train, validation=4, test=4)
    n = splits.total
    draw = np.random.default_rng(5)
    y, x = np.mgrid[:side, :side] / side
    a, b, c = draw.uniform(-1, 1, (3, n, 1, 1))
    density = (2 + a * np.sin(3 * x) + b * np.cos(3 * y) + c * x * y).astype(np.float32)
    for to, source in (copies or {}).items():
        density[to] = np.rot90(density[source]) if turn else density[source]
    depth = np.minimum(np.arange(n_times) * side // n_times, side - 1)
    frames = {
        "up": density[:, ::-1],
        "down": density,
        "left": density.transpose(0, 2, 1),
        "right": density[:, :, ::-1].transpose(0, 2, 1),
    }
    signals = np.empty((n, len(sources), 4, 3, n_times, side), np.float32)
    for edge, name in enumerate(EDGES):
        seen = frames[name][:, depth]
        for source in range(len(sources)):
            for quantity in range(3):
                signals[:, source, edge, quantity] = (1 + source) * seen ** (
                    1 + quantity
                ) + quantity
    if change is not None:
        signals = change(signals)
    card = Card(
        name="made",
        splits=splits,
        shape=(side, side),
        sources=sources,
        n_times=n_times,
        n_cells=side,
        shard_size=n,
        families=("waves",),
        campaign=campaign or {},
        signals_at=signals_at,
    )
    (folder / NAME).write_text(card.to_yaml())
    part = Part(
        density=density,
        signals=signals,
        times=np.linspace(0.0, 0.01, n_times),
        sample_id=np.arange(n),
        family=["waves"] * n,
        seed=np.zeros(n, np.int64),
        status=np.isin(np.arange(n), failed).astype(np.int8),
        sources=np.tile([0.0, 1.0], (n, len(sources), 1)),
        drawn=["{}"] * n,
        reason=[""] * n,
    )
    write_part(folder / part_name(0), part, card, {})
    finish(folder)
    if spoil is not None:
        part.signals[spoil, 0, 0, 0, 0, 0] = np.nan
        write_part(folder / part_name(0), part, card, {})
    return folder
