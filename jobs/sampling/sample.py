"""Each sample of a campaign as a pure function of its number: drawn, then simulated."""

import dataclasses
import json
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from opalux.base.axes import along
from opalux.jobs.sampling.campaign import Campaign
from opalux.solver.densities.catalogue import choose
from opalux.solver.densities.family import Stream
from opalux.solver.domains.domain import SerialDomain
from opalux.solver.march import March
from opalux.solver.problem import Problem

# Each purpose has a random stream of its own, so that a change in one leaves the others alone.
_CHOICE, _DENSITY, _SOURCES = range(3)


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
        low, high = getattr(grid, along(place.edge))
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
