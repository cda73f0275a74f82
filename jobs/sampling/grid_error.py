"""What the grid of a campaign gets wrong in its signals, in units of a measurement's noise."""

import dataclasses
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from opalux.base.errors import InputError
from opalux.jobs.sampling.campaign import Campaign
from opalux.jobs.sampling.recorder import Recorder
from opalux.jobs.sampling.sample import simulate_sources

NOISE = 0.01
"""Of the standard deviation of each channel (source, edge, quantity) over places and times."""
TOLERATED = 2.0
"""Units of noise; beyond a few, neither a network nor an inversion can take such signals for
those of a measurement."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class GridError:
    """Errors of signals on grids of some refinements.

    Attributes
    ----------
    refinements : (n,) of the grids that are judged
    reference : refinement of the grid that they are compared with
    errors : (n, maps) root mean square over all channels, in units of the noise
    """

    refinements: tuple[int, ...]
    reference: int
    errors: NDArray[np.float64]

    @property
    def advised(self) -> int | None:
        """The smallest refinement whose error is tolerable for half of the maps; None: none is."""
        fits = np.median(self.errors, axis=1) <= TOLERATED
        return self.refinements[int(fits.argmax())] if fits.any() else None

    def __str__(self) -> str:
        lines = [
            f"grid error of the signals of {self.errors.shape[1]} maps, against refinement "
            f"{self.reference}, in units of 1 % noise:",
            "refinement   median   9 of 10   largest",
        ]
        for refinement, errors in zip(self.refinements, self.errors, strict=True):
            of_ten = np.quantile(errors, 0.9)
            lines.append(
                f"{refinement:10d}{np.median(errors):9.2f}{of_ten:10.2f}{errors.max():10.2f}"
            )
        if self.advised is None:
            lines.append(
                f"no median is below {TOLERATED:g} units; try a finer --reference, or "
                "'scheme: staggered' with 'signals: {at: edge}'"
            )
        else:
            lines.append(f"refinement: {self.advised} keeps the median below {TOLERATED:g} units")
        return "\n".join(lines)


def measure_grid_error(
    campaign: Campaign, maps: int, reference: int, advance: Callable[[int], None]
) -> GridError:
    """Simulate the first maps of a campaign on finer and finer grids, and compare.

    Parameters
    ----------
    campaign : its own refinement plays no part
    maps : how many samples are drawn
    reference : refinement of the grid that counts as right: 2, 4, 8 or 16
    advance : is told of each map that is done

    Raises
    ------
    InputError
        When the reference is none of those, or there are fewer samples.
    """
    if reference not in (2, 4, 8, 16):
        raise InputError(f"--reference: found {reference}, expected 2, 4, 8 or 16")
    if not 1 <= maps <= campaign.splits.total:
        raise InputError(
            f"--maps: found {maps}, expected 1 to {campaign.splits.total}, which is all samples"
        )
    refinements = tuple(2**n for n in range(reference.bit_length()))
    grids = [campaign.model_copy(update={"refinement": refinement}) for refinement in refinements]
    # Times that all of them reach: the last step of a coarse grid starts earlier.
    times = np.linspace(0.0, min(grid.steps[-1] for grid in grids), campaign.n_times or 64)
    recorders = [
        Recorder(grid.steps, times, campaign.quantities, grid.refinement) for grid in grids
    ]
    errors = np.empty((len(grids) - 1, maps))
    for number in range(maps):
        draw = campaign.draw(number)
        *found, exact = (
            simulate_sources(grid, draw.density, draw.sources, recorder=recorder)
            for grid, recorder in zip(grids, recorders, strict=True)
        )
        noise = NOISE * exact.std(axis=(-2, -1), keepdims=True)
        for signals, out in zip(found, errors, strict=True):
            # A channel without any light has no noise, and no error.
            units = np.divide(signals - exact, noise, out=np.zeros_like(exact), where=noise > 0)
            out[number] = np.sqrt(np.mean(units**2, dtype=np.float64))
        advance(1)
    return GridError(refinements=refinements[:-1], reference=reference, errors=errors)
