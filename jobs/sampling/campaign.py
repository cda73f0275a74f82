"""A sampling campaign: what all of its samples depend on, and what is drawn for each of them."""

import dataclasses
import functools
import json
from pathlib import Path
from typing import Literal

import numpy as np
import pydantic
from numpy.typing import NDArray

from opalux.base.axes import EDGES, QUANTITIES, Quantity
from opalux.base.config import check
from opalux.base.errors import InputError
from opalux.base.settings import Settings
from opalux.jobs.sampling.recorder import Recorder
from opalux.jobs.sampling.sources import Emission, Place, draw_sources, names_of
from opalux.learning.data.card import NAME, Card, Splits
from opalux.solver.densities.catalogue import AnyFamily, choose
from opalux.solver.densities.family import Family, Stream
from opalux.solver.densities.user import FROM_A_CARD
from opalux.solver.detectors import detector_places
from opalux.solver.problem import Material, Problem
from opalux.solver.start import time_steps

# Each purpose has a random stream of its own, so that a change in one does not change the others.
_CHOICE, _DENSITY, _SOURCES, _ORDER = range(4)

MOST_TIMES = 10**7
"""Most recorded times; more would fill the memory."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Draw:
    """What is drawn for one sample, before anything is simulated.

    Attributes
    ----------
    density : (ny, nx) float32 [g/cm³], row 0 = bottom
    family : label of the family that the density was drawn from
    drawn : the numbers that were drawn for the density (positions, heights, …), as JSON
    sources : (sources, 2) where each source starts and stops along its edge [cm]
    """

    density: NDArray[np.float32]
    family: str
    drawn: str
    sources: NDArray[np.float64]


class Campaign(Settings):
    """Everything that a sample depends on, besides its number.

    >>> campaign = Campaign(
    ...     splits={"train": 8}, problem={"grid": {"nx": 16}}, families=[{"kind": "discs"}]
    ... )
    >>> campaign.draw(3).density.shape
    (16, 16)
    """

    name: str = pydantic.Field("densities", pattern=r"^[A-Za-z0-9._-]+$")
    """Of the data set."""
    seed: int = pydantic.Field(0, ge=0, lt=2**63)
    """Of all that is drawn: the same seed gives the same samples."""
    splits: Splits
    """Numbers of samples for training, validation and test."""
    shard_size: int = pydantic.Field(32, ge=1)
    """Samples in each part, ``part-*.h5``; a killed worker loses at most this many. The key
    keeps the name that it has in existing files."""
    problem: Problem
    """What is solved; densities come from the families and sources from ``sources``."""
    refinement: int = pydantic.Field(1, ge=1, le=16)
    """Solve on a grid that is this many times finer than the densities, and average the signals."""
    families: tuple[AnyFamily, ...] = pydantic.Field(min_length=1)
    sources: tuple[Place, ...] = pydantic.Field(
        tuple(Place(edge=edge) for edge in EDGES), min_length=1
    )
    """One simulation of each density for each of them."""
    emission: Emission = Emission()
    quantities: tuple[Quantity, ...] = pydantic.Field(QUANTITIES, min_length=1)
    """What is recorded; F stands for |F|."""
    n_times: int | None = pydantic.Field(64, ge=2, le=MOST_TIMES)
    """Recorded times, evenly spaced over the run; null: every step."""
    compression: Literal["none", "lzf", "gzip"] = "none"
    """Lossless filter of the signals; it saves a tenth to a half of the size, and reading is much
    slower."""

    @pydantic.model_validator(mode="after")
    def _consistent(self) -> "Campaign":
        grid = self.problem.cells
        labels = [family.label for family in self.families]
        twice = {label for label in labels if labels.count(label) > 1}
        if twice:
            raise ValueError(
                f"families: found '{twice.pop()}' more than once; give each a 'name' of its own"
            )
        for number, family in enumerate(self.families):
            if family.length is not None and family.length < self.splits.total:
                raise ValueError(
                    f"families.{number}: found {family.length} maps for {self.splits.total} "
                    "samples, expected at least as many maps as samples, since a map that comes "
                    "twice may be in two splits; add maps, or lower splits"
                )
        if len(set(self.quantities)) < len(self.quantities):
            raise ValueError(f"quantities: found {list(self.quantities)}, expected each one once")
        if self.problem.material.density != Material().density:
            raise ValueError(
                "problem.material.density: the families give the density; leave it out"
            )
        for place in self.sources:
            if getattr(self.problem.edges, place.edge).kind == "periodic":
                raise ValueError(
                    f"sources: found one on '{place.edge}', which is periodic; put sources on "
                    "other edges, or leave problem.edges out"
                )
            low, high = place.span(grid)
            stop = place.start[1] + (place.width[1] if place.width else 0.0)
            if place.start[0] < low or stop > high + 1e-12:
                raise ValueError(
                    f"sources: found [{place.start[0]}, {stop}] on '{place.edge}', expected a part "
                    f"of [{low}, {high}]"
                )
        self.problem_for(self.sources[0].edge, *self.sources[0].span(grid))
        return self

    @classmethod
    def of(cls, card: Card, source: str = NAME) -> "Campaign":
        """Return the campaign that a data card keeps; read once for each content.

        Parameters
        ----------
        card : of a data set that was simulated
        source : names the card in messages

        Raises
        ------
        InputError
            When the data set was imported, so that there is no campaign, or when the campaign is
            not valid.
        """
        if not card.campaign:
            raise InputError(
                f"{source}: found no campaign (the data set is {card.origin}), expected a data set "
                "that `opalux sample` made; simulate one"
            )
        return _campaign_in(json.dumps(card.campaign, sort_keys=True), source)

    @property
    def shape(self) -> tuple[int, int]:
        """(ny, nx) of the densities."""
        grid = self.problem.cells
        return grid.ny, grid.nx

    @property
    def n_cells(self) -> int:
        """Cells along the longest edges."""
        return max(self.shape)

    @functools.cached_property
    def steps(self) -> NDArray[np.float64]:
        """Times before each step of a simulation (n,) [sh]."""
        first = self.sources[0]
        return time_steps(self.problem_for(first.edge, *first.span(self.problem.cells)))[1]

    @functools.cached_property
    def times(self) -> NDArray[np.float64]:
        """Times of the recorded signals (n_times,) [sh]."""
        if self.n_times is None:
            return self.steps
        return np.linspace(self.steps[0], self.steps[-1], self.n_times)

    @functools.cached_property
    def recorder(self) -> Recorder:
        """Reduces the signals of a simulation to those that the data set keeps."""
        return Recorder(self.steps, self.times, self.quantities, self.refinement)

    @property
    def detectors(self) -> tuple[tuple[float, float, float], ...]:
        """x, y and width of each detector of the problem [cm]."""
        places = detector_places(self.problem.detectors, self.problem.cells)
        return tuple((x, y, width) for x, y, width in places.T.tolist())

    @property
    def source_names(self) -> tuple[str, ...]:
        """A name for each source: its edge, numbered where an edge has several."""
        return names_of(self.sources)

    def draw(self, number: int) -> Draw:
        """Draw sample ``number``: the same bits wherever and whenever it is done."""
        density, family, drawn = self.draw_density(number)
        return Draw(density=density, family=family, drawn=drawn, sources=self.draw_sources(number))

    def family_of(self, number: int) -> Family:
        """Return the family that the density of a sample is drawn from."""
        return choose(self.families, Stream(self.seed, number, _CHOICE))

    def draw_density(self, number: int) -> tuple[NDArray[np.float32], str, str]:
        """Return density (ny, nx) [g/cm³], label of the family, and what was drawn, as JSON."""
        family = self.family_of(number)
        index = number
        if family.length is not None:
            index = _shuffled(self.seed, family.length)[number]
        rho, drawn = family.draw(Stream(self.seed, number, _DENSITY), self.shape, index)
        return rho.astype(np.float32), family.label, json.dumps(drawn)

    def draw_sources(self, number: int) -> NDArray[np.float64]:
        """Return where each source of a sample starts and stops, (sources, 2) [cm]."""
        stream = Stream(self.seed, number, _SOURCES)
        return draw_sources(self.sources, stream, self.problem.cells)

    def problem_for(self, edge: str, start: float, stop: float) -> Problem:
        """Return the problem with the source on [start, stop] of ``edge``, on the fine grid."""
        grid = self.problem.grid
        if self.refinement > 1:
            ny, nx = self.shape
            fine = {"nx": nx * self.refinement, "ny": ny * self.refinement}
            grid = grid.model_copy(update=fine)
        edges = self.problem.edges.model_copy(update={edge: self.emission.on(start, stop)})
        return self.problem.model_copy(update={"edges": edges, "grid": grid})

    def problems(self, sources: NDArray[np.float64]) -> list[Problem]:
        """Return the problem of each source that starts and stops at ``sources`` (n, 2) [cm]."""
        return [
            self.problem_for(place.edge, float(start), float(stop))
            for place, (start, stop) in zip(self.sources, sources, strict=True)
        ]


@functools.lru_cache(maxsize=8)
def _shuffled(seed: int, length: int) -> tuple[int, ...]:
    """Return the order in which the entries of a list are dealt out to the samples."""
    stream = Stream(seed, 0, _ORDER)
    draws = [stream.uniform((0.0, 1.0)) for _ in range(length)]
    return tuple(sorted(range(length), key=draws.__getitem__))


@functools.lru_cache(maxsize=8)
def _campaign_in(content: str, source: str) -> Campaign:
    return check(
        Campaign,
        json.loads(content),
        source=source,
        folder=Path.cwd(),
        context={FROM_A_CARD: True},
    )
