"""Calibrating signals of another grid: simulating some training densities on both."""

import numpy as np
from numpy.typing import NDArray

from opalux.base.progress import Progress
from opalux.jobs.inversion.trained import Trained
from opalux.jobs.sampling.campaign import Campaign
from opalux.jobs.sampling.sample import simulate_sources
from opalux.learning.data.resampler import resample
from opalux.learning.training.calibration import Calibration, fit_calibration

USUAL_MAPS = 20
"""Densities that are simulated on both grids."""


def calibration_for(
    trained: Trained, refinement: int, given: NDArray[np.float64], maps: int | None
) -> Calibration | None:
    """Return what makes signals of another grid like those that a network was trained on.

    None when the grid is the network's own, when its data set was not simulated here, or when
    ``maps`` is 0. ``maps`` None: `USUAL_MAPS` for signals of cells, 0 for those of the edge itself,
    whose grid error is so small that calibration gains little for its time (docs/inversion.md has
    the figures). See `simulate_both` for the other parameters.
    """
    campaign = trained.campaign
    if maps is None:
        maps = 0 if trained.card.signals_at == "edge" else USUAL_MAPS
    if campaign is None or refinement == campaign.refinement or not maps:
        return None
    return fit_calibration(*simulate_both(campaign, refinement, given, trained.times, maps))


def on_grid(campaign: Campaign, refinement: int) -> Campaign:
    """Return the campaign on a grid so many times finer than its densities, at every step."""
    # Made anew: a copy would keep the times of the old grid.
    changes = {"refinement": refinement, "n_times": None}
    return Campaign.model_validate(campaign.model_dump(mode="json") | changes)


def simulate_both(
    trained_on: Campaign,
    refinement: int,
    given: NDArray[np.float64],
    times: NDArray[np.float64],
    maps: int,
) -> NDArray[np.float32]:
    """Simulate training densities on another grid and on that of the training data.

    Parameters
    ----------
    trained_on : campaign of the training data; its first densities are used
    refinement : how many times finer than the densities the other grid is
    given : (n,) times at which the other signals are given; the error of interpolating between
        them is a part of the difference [sh]
    times : (n_times,) that the network takes [sh]
    maps : number of densities

    Returns
    -------
    Signals (2, maps, sources, edges, quantities, n_times, n_cells): of the other grid, and of the
    training data's.
    """
    maps = min(maps, trained_on.splits.train)  # what is held out is not calibrated on
    pairs = []
    finer = on_grid(trained_on, refinement)
    with Progress("calibrating", maps) as progress:
        for number in range(maps):
            drawn = trained_on.draw(number)
            there = simulate_sources(finer, drawn.density, drawn.sources)
            here = simulate_sources(trained_on, drawn.density, drawn.sources)
            pairs.append(
                (
                    resample(resample(there, finer.times, given), given, times),
                    resample(here, trained_on.times, times),
                )
            )
            progress.advance()
    return np.array(pairs, dtype=np.float32).swapaxes(0, 1)
