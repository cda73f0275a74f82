"""Calibrating signals of another grid: simulating some training densities on both."""

import numpy as np
from numpy.typing import NDArray

from opalux.base.progress import Progress
from opalux.jobs.sampling.campaign import Campaign
from opalux.jobs.sampling.sample import simulate_sources
from opalux.learning.data.card import Card
from opalux.learning.data.resampler import resample
from opalux.learning.training.calibration import Calibration, fit


def campaign_of(card: Card, source: str) -> Campaign:
    """Return the campaign that a data card keeps; ``source`` names it in messages."""
    return Campaign.of(card, source)


def on_grid(campaign: Campaign, refinement: int) -> Campaign:
    """Return the campaign on a grid so many times finer than its densities, at every step."""
    # Made anew: a copy would keep the times of the old grid.
    changes = {"refinement": refinement, "n_times": None}
    return Campaign.model_validate(campaign.model_dump(mode="json") | changes)


def calibrate(
    trained_on: Campaign,
    refinement: int,
    given: NDArray[np.float64],
    times: NDArray[np.float64],
    maps: int,
) -> Calibration:
    """Fit a calibration from signals of another grid to those of the training data.

    Parameters
    ----------
    trained_on : campaign of the training data; its first densities are used
    refinement : how many times finer than the densities the other grid is
    given : (n,) times at which the other signals are given; interpolating from there is a part of
        what they differ by [sh]
    times : (n_times,) that the network takes [sh]
    maps : number of densities
    """
    pairs = []
    finer = on_grid(trained_on, refinement)
    with Progress("calibrating", maps) as progress:
        for number in range(maps):
            density, _, _ = trained_on.draw_density(number)
            sources = trained_on.draw_sources(number)
            there = simulate_sources(finer, density, sources)
            here = simulate_sources(trained_on, density, sources)
            pairs.append(
                (
                    resample(resample(there, finer.times, given), given, times),
                    resample(here, trained_on.times, times),
                )
            )
            progress.advance()
    return fit(*np.array(pairs, dtype=np.float32).swapaxes(0, 1))
