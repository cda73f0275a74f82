"""How well a reconstruction explains its signals, and how well a network's usually do."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from opalux.base.errors import InputError
from opalux.base.progress import Progress
from opalux.jobs.inversion.metrics import LOWEST, data_misfit
from opalux.jobs.inversion.trained import Trained
from opalux.jobs.sampling.campaign import Campaign
from opalux.jobs.sampling.sample import simulate_sources
from opalux.learning.data.measurement import Measurement
from opalux.learning.data.resampler import resample

Array = NDArray[np.float32]
Ends = NDArray[np.float64]
"""Where each source starts and stops, (sources, 2) [cm]."""


def misfit_of(trained: Trained, signals: Array, density: Array, ends: Ends | None) -> float | None:
    """Simulate a density as the training data were, and compare with the signals.

    Parameters
    ----------
    signals : (sources, edges, quantities, n_times, n_cells) on the network's grid; NaN: not known
    density : (ny, nx) [g/cm³]
    ends : of the sources; None: not known

    Returns
    -------
    ‖F(ρ̂)−d‖/‖d‖; None when the network's data were not simulated here, or the sources are not
    known.
    """
    if trained.campaign is None or ends is None:
        return None
    again = _simulated(trained, trained.campaign, np.maximum(density, LOWEST), ends)
    known = np.isfinite(signals)
    return data_misfit(again[known], signals[known])


def normal_misfit(
    trained: Trained, answer: Callable[[Array], Array], known: NDArray[np.bool_], maps: int
) -> float | None:
    """Return the largest misfit of so many densities that the network was not trained on.

    They are those of its own validation and test sets, evenly chosen, and are simulated again from
    the campaign that the checkpoint keeps.

    Parameters
    ----------
    answer : gives the density for signals, NaN where they are not known
    known : (sources, edges, quantities, n_times, n_cells) what the network is given
    maps : 0: nothing is simulated

    Returns
    -------
    None where there are no such densities, or they cannot be drawn here.
    """
    campaign = trained.campaign
    if campaign is None:
        return None
    held_out = range(campaign.splits.train, campaign.splits.total)
    maps = min(maps, len(held_out))
    chosen = np.unique(np.linspace(0, max(len(held_out) - 1, 0), maps).astype(int))
    found = []
    with Progress("simulating maps that were held out", len(chosen)) as progress:
        for place in chosen:
            try:
                drawn = campaign.draw(held_out[int(place)])
                signals = _simulated(trained, campaign, drawn.density, drawn.sources)
                given = np.where(known, signals, np.float32(np.nan))
                misfit = misfit_of(trained, given, answer(given), drawn.sources)
            except (InputError, ArithmeticError, OSError):  # its maps are gone, or it is bad
                continue
            found.append(misfit or 0.0)
            progress.advance()
    return max(found, default=None)


def ends_of(campaign: Campaign | None, measurements: Sequence[Measurement] = ()) -> Ends | None:
    """Return where the sources are; None where that varies and the files do not say it."""
    if campaign is None:
        return None
    ends = campaign.draw_sources(0)
    for number, (name, place) in enumerate(
        zip(campaign.source_names, campaign.sources, strict=True)
    ):
        if place.start[0] == place.start[1] and (
            place.width is None or place.width[0] == place.width[1]
        ):
            continue
        given = next((one for one in measurements if one.source == name), None)
        if given is None:
            if measurements:
                continue  # not measured, so not compared
            return None
        if given.physics is None:
            return None
        pulse = given.physics["edges"][place.edge]["sources"][0]
        low, high = place.span(campaign.problem.cells)
        ends[number] = (
            low if pulse.get("start") is None else pulse["start"],
            high if pulse.get("stop") is None else pulse["stop"],
        )
    return ends


def _simulated(trained: Trained, campaign: Campaign, density: Array, ends: Ends) -> Array:
    simulated = simulate_sources(campaign, density.astype(np.float32), ends)
    return resample(simulated, campaign.times, trained.times).astype(np.float32)
