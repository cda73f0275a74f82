"""Which part of the signals a network is given: drawn at random in training, chosen in judging."""

import numpy as np
import pydantic
from numpy.typing import NDArray

from opalux.base.errors import InputError
from opalux.base.settings import Settings
from opalux.learning.data.layout import Layout

Known = NDArray[np.bool_]
"""(sources, edges, quantities, n_times, n_cells): what was measured."""

COMPLETE = 0.25  # of the samples lack nothing
SHARE_OF_DETECTORS = (0.25, 1.0)
SHARE_OF_TIMES = (0.4, 1.0)


def draw_known(draw: np.random.Generator, shape: tuple[int, ...]) -> Known:
    """Draw what was measured: some sources, edges, quantities, detectors and times.

    All of them in a quarter of the samples. Otherwise any number of sources and of edges; all
    quantities in half of the cases, else some; all detectors of an edge in half, else a random
    share of them; and in a third, signals that end early.
    """
    known = np.ones(shape, dtype=bool)
    if draw.random() < COMPLETE:
        return known
    sources, edges, quantities, n_times, n_cells = shape
    known &= _some(draw, sources)[:, None, None, None, None]
    known &= _some(draw, edges)[:, None, None, None]
    if draw.random() < 0.5:
        known &= _some(draw, quantities)[:, None, None]
    for edge in range(edges):
        if draw.random() < 0.5:
            detectors = draw.random(n_cells) < draw.uniform(*SHARE_OF_DETECTORS)
            detectors[draw.integers(n_cells)] = True
            known[:, edge] &= detectors
    if draw.random() < 1 / 3:
        known[..., max(1, round(n_times * draw.uniform(*SHARE_OF_TIMES))) :, :] = False
    return known


def _some(draw: np.random.Generator, count: int) -> Known:
    """Return which of ``count`` are kept; at least one, each number equally often."""
    kept = np.zeros(count, dtype=bool)
    kept[draw.permutation(count)[: draw.integers(1, count + 1)]] = True
    return kept


class Subset(Settings):
    """A part of the signals.

    Attributes
    ----------
    sources, edges, quantities : names; null: all
    every : each so-manieth detector of an edge
    until : last time [sh]; null: the last one
    noise : standard deviation of the noise, relative to each channel's own
    """

    sources: tuple[str, ...] | None = pydantic.Field(None, min_length=1)
    edges: tuple[str, ...] | None = pydantic.Field(None, min_length=1)
    quantities: tuple[str, ...] | None = pydantic.Field(None, min_length=1)
    every: int = pydantic.Field(1, ge=1)
    until: float | None = pydantic.Field(None, ge=0)
    noise: float = pydantic.Field(0.0, ge=0, le=1000)

    def known(self, layout: Layout, times: NDArray[np.float64]) -> Known:
        """Return what is measured.

        Raises
        ------
        InputError
            When a name is not one of the layout's, or nothing is left.
        """
        known = layout.everything
        for axis, name in enumerate(("sources", "edges", "quantities")):
            wanted, there = getattr(self, name), getattr(layout, name)
            if wanted is None:
                continue
            wrong = sorted(set(wanted) - set(there))
            if wrong:
                raise InputError(
                    f"subset.{name}: found {', '.join(wrong)}, expected some of {', '.join(there)}"
                )
            kept = np.array([one in wanted for one in there])
            known &= np.expand_dims(kept, tuple(a for a in range(5) if a != axis))
        known[..., np.arange(layout.n_cells) % self.every != self.every // 2] = False
        if self.until is not None:
            known[..., times > self.until, :] = False
        if not known.any():
            raise InputError(
                "subset: found nothing that is measured, expected some; raise until, or lower every"
            )
        return known


STANDARD: dict[str, Subset] = {
    "all": Subset(),
    "1 % noise": Subset(noise=0.01),
    "5 % noise": Subset(noise=0.05),
    "half the detectors, 1 %": Subset(every=2, noise=0.01),
    "two edges, 1 %": Subset(edges=("up", "left"), noise=0.01),
    "one edge, 1 %": Subset(edges=("up",), noise=0.01),
    "two sources, 1 %": Subset(sources=("up", "left"), noise=0.01),
    "E alone, 1 %": Subset(quantities=("E",), noise=0.01),
    "E on two edges, 1 %": Subset(edges=("up", "left"), quantities=("E",), noise=0.01),
}
"""The table of ``opalux evaluate --set subset=table``."""
