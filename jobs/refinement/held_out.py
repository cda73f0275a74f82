"""The errors of networks on maps that were held out from training, with noise on the signals."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from opalux.base.errors import InputError
from opalux.base.progress import Progress
from opalux.jobs.inversion.metrics import LOWEST
from opalux.jobs.inversion.reconstruction import Reconstruction, reconstruct
from opalux.jobs.inversion.trained import Trained
from opalux.jobs.refinement.physics import campaign_of
from opalux.jobs.refinement.prior import UsualError, usual_error
from opalux.jobs.sampling.sample import simulate_sources
from opalux.learning.data.resampler import resample

FEWEST = 4
"""Maps from which on errors are a measure of anything."""


def usual_errors(
    networks: Sequence[Trained],
    known: NDArray[np.bool_],
    noise: float,
    maps: int,
    *,
    symmetries: bool,
) -> UsualError | None:
    """Return how wrong networks usually are.

    Densities are drawn and simulated again from the campaign that the checkpoint keeps.

    Parameters
    ----------
    networks : whose maps are averaged
    known : (sources, edges, quantities, n_times, n_cells) what they are given
    noise : standard deviation of the noise, relative to each channel's own
    maps : number of maps
    symmetries : average over the symmetries of the square, too

    Returns
    -------
    None where there are fewer than `FEWEST` such maps, or a single answer for each.
    """
    first = networks[0]
    campaign = campaign_of(first)
    held_out = range(campaign.splits.train, campaign.splits.total)
    count = min(maps, len(held_out))
    if count < FEWEST:
        return None
    rng = np.random.default_rng(campaign.seed)
    sigma = noise * first.channels[1][..., None, None]
    truths, found, chi2 = [], list[Reconstruction](), []
    with Progress("simulating maps that were held out", count) as progress:
        for place in np.unique(np.linspace(0, len(held_out) - 1, count).astype(int)):
            try:
                drawn = campaign.draw(held_out[int(place)])
                clean = simulate_sources(campaign, drawn.density, drawn.sources)
                signals = resample(clean, campaign.times, first.times)
                noisy = signals + sigma * rng.standard_normal(signals.shape)
                given = np.where(known, noisy, np.nan).astype(np.float32)
                answer = reconstruct(
                    networks, given, symmetries=symmetries, simulate=False, noise=noise
                )
                again = simulate_sources(
                    campaign, np.maximum(answer.density, LOWEST), drawn.sources
                )
            except (InputError, ArithmeticError, OSError):  # its maps are gone, or it is bad
                continue
            far = (resample(again, campaign.times, first.times) - noisy) / sigma
            truths.append(drawn.density)
            found.append(answer)
            chi2.append(float((far[known] ** 2).mean()))
            progress.advance()
    deviations = [one.uncertainty for one in found if one.uncertainty is not None]
    if len(deviations) < FEWEST:
        return None
    return usual_error(
        np.array(truths, dtype=np.float64),
        np.array([one.density for one in found], dtype=np.float64),
        np.array(deviations, dtype=np.float64),
        np.array(chi2),
    )
