"""A sampling campaign: its configuration, and each sample as a pure function of its number."""

import dataclasses
import functools
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal

import numpy as np
import pydantic
from numpy.typing import NDArray

from jobs.sample_record import Recorder
from learning.dataset_card import Splits
from solver.domain import SerialDomain
from solver.edges import EDGES, Pulse, Source
from solver.families.catalogue import AnyFamily, choose
from solver.families.family import Interval, Stream
from solver.march import March, time_steps
from solver.problem import Material, Problem

Edge = Literal["up", "down", "left", "right"]
Quantity = Literal["E", "F", "T"]

# Each purpose has a random stream of its own, so that a change in one leaves the others alone.
_CHOICE, _DENSITY, _SOURCES = range(3)


class _Config(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")


class Place(_Config):
    """Where one source sits; the rest of its edge is held at equilibrium."""

    edge: Edge
    start: Interval = (0.0, 0.0)
    """Lower end along the edge [cm]; [low, high]: drawn anew for each density."""
    width: Interval | None = None
    """Length along the edge [cm]; left out: to the end of the edge."""


class Emission(_Config):
    """What the sources radiate: E = a T⁴ + amplitude·sin(2π·frequency·t)."""

    amplitude: float = pydantic.Field(5.0, allow_inf_nan=False)
    """[g/cm/sh²]."""
    frequency: float = pydantic.Field(500.0, allow_inf_nan=False)
    """[1/sh]."""
    T: str = "5"
    """Temperature of the source edge, a formula of t and the place [keV]."""


class Campaign(_Config):
    """Everything that a sample depends on, besides its number."""

    name: str = pydantic.Field("densities", pattern=r"^[A-Za-z0-9._-]+$")
    """Of the data set."""
    seed: int = pydantic.Field(0, ge=0, lt=2**63)
    splits: Splits
    """Numbers of samples for training, validation and test."""
    shard_size: int = pydantic.Field(32, ge=1)
    """Samples in a file; what a killed worker loses at most."""
    problem: Problem
    """What is solved; densities come from the families and sources from ``sources``."""
    refinement: int = pydantic.Field(1, ge=1, le=16)
    """Solve on a grid so many times finer than the densities, and average the signals back."""
    families: tuple[AnyFamily, ...] = pydantic.Field(min_length=1)
    sources: tuple[Place, ...] = pydantic.Field(
        tuple(Place(edge=edge) for edge in EDGES), min_length=1
    )
    """One simulation of each density for each of them."""
    emission: Emission = Emission()
    quantities: tuple[Quantity, ...] = pydantic.Field(("E", "F", "T"), min_length=1)
    """What is recorded; F stands for |F|."""
    n_times: int | None = pydantic.Field(64, ge=2)
    """Recorded times, evenly spaced over the run; null: every step."""
    compression: Literal["none", "lzf", "gzip"] = "none"
    """Lossless filter of the signals; it saves a tenth to a half and makes reading much slower."""

    @pydantic.model_validator(mode="after")
    def _consistent(self) -> "Campaign":
        grid = self.problem.cells
        if grid.nx != grid.ny:
            raise ValueError(
                f"problem.grid: found {grid.nx} x {grid.ny} cells, expected nx = ny, since the "
                "signals of all four edges go into one array"
            )
        labels = [family.label for family in self.families]
        twice = {label for label in labels if labels.count(label) > 1}
        if twice:
            raise ValueError(
                f"families: found '{twice.pop()}' more than once; give each a 'name' of its own"
            )
        if len(set(self.quantities)) < len(self.quantities):
            raise ValueError(f"quantities: found {list(self.quantities)}, expected each one once")
        if self.problem.material.density != Material().density:
            raise ValueError(
                "problem.material.density: the families give the density; leave it out"
            )
        for place in self.sources:
            low, high = grid.x if place.edge in ("up", "down") else grid.y
            stop = place.start[1] + (place.width[1] if place.width else 0.0)
            if place.start[0] < low or stop > high + 1e-12:
                raise ValueError(
                    f"sources: found [{place.start[0]}, {stop}] on '{place.edge}', expected a part "
                    f"of [{low}, {high}]"
                )
        self.problem_for(self.sources[0].edge, *grid.x)
        return self

    @property
    def shape(self) -> tuple[int, int]:
        """(ny, nx) of the densities."""
        grid = self.problem.cells
        return grid.ny, grid.nx

    @functools.cached_property
    def steps(self) -> NDArray[np.float64]:
        """Times before each step of a simulation (n,) [sh]."""
        low, high = self.problem.cells.x
        return time_steps(self.problem_for(self.sources[0].edge, low, high))[1]

    @functools.cached_property
    def times(self) -> NDArray[np.float64]:
        """Times of the recorded signals (n_times,) [sh]."""
        if self.n_times is None:
            return self.steps
        return np.linspace(self.steps[0], self.steps[-1], self.n_times)

    @functools.cached_property
    def recorder(self) -> Recorder:
        """What turns the signals of a simulation into what the data set keeps."""
        return Recorder(self.steps, self.times, self.quantities, self.refinement)

    @property
    def source_names(self) -> tuple[str, ...]:
        """A name for each source: its edge, numbered where an edge has several."""
        edges = [place.edge for place in self.sources]
        names = []
        for k, edge in enumerate(edges):
            names.append(f"{edge}-{edges[:k].count(edge)}" if edges.count(edge) > 1 else edge)
        return tuple(names)

    def problem_for(self, edge: str, start: float, stop: float) -> Problem:
        """Return the problem with the source on [start, stop] of ``edge``, on the fine grid."""
        pulse = Pulse(
            start=start,
            stop=stop,
            amplitude=self.emission.amplitude,
            frequency=self.emission.frequency,
        )
        source = Source(kind="source", sources=(pulse,), T=self.emission.T)
        grid = self.problem.grid
        if self.refinement > 1:
            ny, nx = self.shape
            fine = {"nx": nx * self.refinement, "ny": ny * self.refinement}
            grid = grid.model_copy(update=fine)
        edges = self.problem.edges.model_copy(update={edge: source})
        return self.problem.model_copy(update={"edges": edges, "grid": grid})

    def problems(self, sources: NDArray[np.float64]) -> list[Problem]:
        """Return the problem of each source that starts and stops at ``sources`` (n, 2) [cm]."""
        return [
            self.problem_for(place.edge, float(start), float(stop))
            for place, (start, stop) in zip(self.sources, sources, strict=True)
        ]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sample:
    """One density and its signals.

    Attributes
    ----------
    density : (ny, nx) float32 [g/cm³], row 0 = bottom
    signals : (sources, edges, quantities, n_times, n_cells) float32
    family : label
    sources : (sources, 2) where each source starts and stops [cm]
    drawn : what was drawn for the density, as JSON
    """

    density: NDArray[np.float32]
    signals: NDArray[np.float32]
    family: str
    sources: NDArray[np.float64]
    drawn: str


Chunk = tuple[int, dict[str, NDArray[np.float64]]]
"""Some consecutive steps: the first one's number, and per edge (steps, 4, cells) E, F_x, F_y, T."""

Simulation = Callable[[Sequence[Problem], NDArray[np.float64]], Iterator[Iterable[Chunk]]]
"""Solves problems that differ in their edges alone, on one density (ny, nx), one after the other;
gives the signals of each, chunk after chunk."""


def simulate_here(
    problems: Sequence[Problem], density: NDArray[np.float64]
) -> Iterator[Iterable[Chunk]]:
    """Simulate in this process."""
    march = March(problems[0], SerialDomain(problems[0]), density)
    for problem in problems:
        if problem is not problems[0]:
            march.restart(problem.edges)
        yield ((chunk.first, chunk.signals) for chunk in march.run())


def make_sample(campaign: Campaign, number: int, simulation: Simulation = simulate_here) -> Sample:
    """Draw and simulate sample ``number``: the same bits wherever and whenever it is done.

    Raises
    ------
    ArithmeticError
        When the simulation gives numbers that are not finite.
    """
    density, family, drawn = draw_density(campaign, number)
    sources = draw_sources(campaign, number)
    signals = simulate_sources(campaign, density, sources, simulation)
    return Sample(
        density=density,
        signals=signals,
        family=family,
        sources=sources,
        drawn=drawn,
    )


def draw_density(campaign: Campaign, number: int) -> tuple[NDArray[np.float32], str, str]:
    """Return the density (ny, nx) of a sample, the label of its family and what was drawn."""
    family = choose(campaign.families, Stream(campaign.seed, number, _CHOICE))
    rho, drawn = family.draw(Stream(campaign.seed, number, _DENSITY), campaign.shape, number)
    return rho.astype(np.float32), family.label, json.dumps(drawn)


def draw_sources(campaign: Campaign, number: int) -> NDArray[np.float64]:
    """Return where each source of a sample starts and stops, (sources, 2) [cm]."""
    stream = Stream(campaign.seed, number, _SOURCES)
    grid = campaign.problem.cells
    ends = []
    for place in campaign.sources:
        low, high = grid.x if place.edge in ("up", "down") else grid.y
        start = max(low, stream.uniform(place.start))
        stop = high if place.width is None else start + stream.uniform(place.width)
        ends.append((start, min(high, stop)))
    return np.array(ends)


def simulate_sources(
    campaign: Campaign,
    density: NDArray[np.float32],
    sources: NDArray[np.float64],
    simulation: Simulation = simulate_here,
) -> NDArray[np.float32]:
    """Simulate one density with each source.

    The density goes in as the float32 numbers that the data set keeps, so that the signals can be
    made again from the data set alone.

    Returns
    -------
    The signals (sources, edges, quantities, n_times, n_cells).

    Raises
    ------
    ArithmeticError
        When they are not finite.
    """
    rho = density.astype(np.float64)
    if campaign.refinement > 1:
        rho = rho.repeat(campaign.refinement, axis=0).repeat(campaign.refinement, axis=1)
    recorder, cells = campaign.recorder, campaign.shape[0]
    shape = recorder.shape(cells)
    single = np.empty((len(sources), *shape), np.float32)
    for out, chunks in zip(single, simulation(campaign.problems(sources), rho), strict=True):
        recorded = np.zeros(shape)
        for first, signals in chunks:
            recorder.add(recorded, signals, first)
        out[...] = recorded
    if not np.isfinite(single).all():
        raise ArithmeticError("the simulation gave signals that are not finite")
    return single
