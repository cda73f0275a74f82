"""Each sample of a campaign is a pure function of its number: drawn, then simulated."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from opalux.jobs.sampling.campaign import Campaign, Draw
from opalux.jobs.sampling.recorder import Recorder
from opalux.solver.domains.domain import SerialDomain
from opalux.solver.march import March
from opalux.solver.problem import Problem
from opalux.solver.time_loop import Chunk


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sample(Draw):
    """One density and its signals.

    Attributes
    ----------
    signals : (sources, edges, quantities, n_times, n_cells) float32, in the units of the data card
    detectors : (sources, quantities, n_times, detectors) float32 likewise; None: there are none
    """

    signals: NDArray[np.float32]
    detectors: NDArray[np.float32] | None = None


DETECTORS = "detectors"

SignalChunk = tuple[int, dict[str, NDArray[np.float64]]]
"""Consecutive steps: number of the first, and for each edge (steps, 4, cells) E, F_x, F_y, T;
where there are detectors, (steps, 4, detectors) under their own name."""

Simulation = Callable[[Sequence[Problem], NDArray[np.float64]], Iterator[Iterable[SignalChunk]]]
"""Solves problems on one density (ny, nx), one after the other; the problems may differ only in
their edges. Yields the signals of each problem, chunk after chunk."""


def simulate_here(
    problems: Sequence[Problem], density: NDArray[np.float64]
) -> Iterator[Iterable[SignalChunk]]:
    """Simulate in this process."""
    march = March(problems[0], SerialDomain(problems[0]), density)
    for problem in problems:
        if problem is not problems[0]:
            march.restart(problem.edges)
        yield ((chunk.first, _seen(march, chunk)) for chunk in march.run())


def _seen(march: March, chunk: Chunk) -> dict[str, NDArray[np.float64]]:
    """Return the signals of a chunk, and what the detectors have read in it."""
    if march.readings is None or chunk.noted is None:
        return chunk.signals
    return {**chunk.signals, DETECTORS: march.readings.read([chunk.noted])}


def make_sample(campaign: Campaign, number: int, simulation: Simulation = simulate_here) -> Sample:
    """Draw and simulate sample ``number``: the same bits wherever and whenever it is done.

    Raises
    ------
    ArithmeticError
        When the simulation gives numbers that are not finite.
    """
    draw = campaign.draw(number)
    signals, detectors = simulate_all(campaign, draw.density, draw.sources, simulation)
    return Sample(**vars(draw), signals=signals, detectors=detectors)


def simulate_sources(
    campaign: Campaign,
    density: NDArray[np.float32],
    sources: NDArray[np.float64],
    simulation: Simulation = simulate_here,
    recorder: Recorder | None = None,
) -> NDArray[np.float32]:
    """Simulate one density with each source, for its signals at the edges alone.

    ``recorder`` may keep other times than the campaign's own.

    Returns
    -------
    The signals (sources, edges, quantities, n_times, n_cells).

    Raises
    ------
    ArithmeticError
        When they are not finite.
    """
    problem = campaign.problem.model_copy(update={DETECTORS: ()})
    edges_alone = campaign.model_copy(update={"problem": problem})
    recorder = recorder or campaign.recorder
    return simulate_all(edges_alone, density, sources, simulation, recorder)[0]


def simulate_all(
    campaign: Campaign,
    density: NDArray[np.float32],
    sources: NDArray[np.float64],
    simulation: Simulation = simulate_here,
    recorder: Recorder | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    """Simulate one density with each source; see `simulate_sources`.

    The density is the float32 array that the data set keeps, so that the signals can be made again
    from the data set alone.

    Returns
    -------
    The signals, and what the detectors read (sources, quantities, n_times, detectors); None where
    the problem has none.
    """
    rho = on_solved_grid(campaign, density)
    recorder = recorder or campaign.recorder
    shape = recorder.shape(campaign.n_cells)
    count = len(campaign.problem.detectors)
    single = np.empty((len(sources), *shape), np.float32)
    read = np.empty((len(sources), *shape[1:3], count), np.float32)
    for number, chunks in enumerate(simulation(campaign.problems(sources), rho)):
        recorded, noted = np.zeros(shape), np.zeros(read.shape[1:])
        for first, signals in chunks:
            recorder.add(recorded, signals, first)
            if count:
                recorder.add_detectors(noted, signals[DETECTORS], first)
        single[number], read[number] = recorded, noted
    if not (np.isfinite(single).all() and np.isfinite(read).all()):
        raise ArithmeticError("the simulation gave signals that are not finite")
    return single, read if count else None


def on_solved_grid(campaign: Campaign, density: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return a density on the cells that it is solved on, each of them cut into finer ones."""
    rho = density.astype(np.float64)
    return rho.repeat(campaign.refinement, axis=0).repeat(campaign.refinement, axis=1)
