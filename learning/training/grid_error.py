"""The error of a coarse grid as one more noise to train with.

Signals of a finer grid, or of a measurement, are calibrated before a network sees them
(`calibration`). The error that the straight lines leave depends on the density, and a network that
reads small echoes takes it for structure. So it is measured on some training densities that were
simulated on both grids, and added to the signals in training: the network learns to ignore features
smaller than this error.

Signals on the edge itself are not calibrated when they are used: there the straight lines lead the
other way, from the training signals to those of the finer grid, and each sample is moved along them
by a random share. So the network learns to answer alike on both grids, and between and beyond.

References
----------
The approximation error approach of Kaipio and Somersalo, J. Comput. Appl. Math. 198 (2007) 493; a
Gaussian of the errors' covariance, drawn as one of them times a normal number.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from opalux.base.errors import InputError
from opalux.learning.data.data_set import DataSet
from opalux.learning.data.identity import physics_difference
from opalux.learning.data.resampler import Resampler
from opalux.learning.training.calibration import Calibration, fit_calibration

MOST_MAPS = 64
"""Densities that are used at most: their errors are kept in memory."""

FEWEST_MAPS = 8
"""With fewer densities the straight lines would fit the very errors that are to be measured."""

HOW = "make it by the configuration of the training data with --set refinement=2"


FARTHEST = 4 / 3
"""Where on the way to a twice finer grid, counted as 1, an error of second order is gone."""


class GridErrors(NamedTuple):
    """What another grid does to signals.

    Attributes
    ----------
    left : (n, sources, edges, quantities, n_times, n_cells) what straight lines leave of it
    towards : the lines from the training signals to those of the other grid; None where signals are
        calibrated before the network gets them
    """

    left: NDArray[np.float32]
    towards: Calibration | None = None


def grid_errors(
    data: DataSet, folder: Path, times: NDArray[np.float64], seen: NDArray[np.int64]
) -> GridErrors:
    """Measure what another grid does to the signals of some training densities.

    Parameters
    ----------
    data : the training data
    folder : data set that holds some of its densities, under the same numbers
    times : (n_times,) that the network takes [sh]
    seen : positions of the training samples

    Raises
    ------
    InputError
        When the data set holds other densities, sources or too few maps, or the same signals.
    """
    other = DataSet(folder)
    ours, theirs = data.card, other.card
    for name in ("shape", "sources", "edges", "quantities", "n_cells"):
        if getattr(ours, name) != getattr(theirs, name):
            raise InputError(
                f"augmentation.other_grid: found {name} = {getattr(theirs, name)} in {folder}, "
                f"expected {getattr(ours, name)} as in {data.folder}; {HOW}"
            )
    key = physics_difference(ours, theirs, grids=False)
    if key:
        raise InputError(
            f"augmentation.other_grid: found other physics in {folder} than in {data.folder} "
            f"({key}), expected the same on another grid; {HOW}"
        )
    both = np.intersect1d(other.split("train"), seen)[:MOST_MAPS]
    if len(both) < FEWEST_MAPS:
        raise InputError(
            f"augmentation.other_grid: found {len(both)} training densities in {folder}, expected "
            f"at least {FEWEST_MAPS}; {HOW}"
        )
    for position in both:
        if not np.array_equal(other.density(int(position)), data.density(int(position))):
            raise InputError(
                f"augmentation.other_grid: found another density {position} in {folder} than in "
                f"{data.folder}, expected the same; {HOW}"
            )
    finer, coarser = (
        np.stack([Resampler(one.times, times)(one.signals(int(p))) for p in both])
        for one in (other, data)
    )
    if np.array_equal(finer, coarser):
        raise InputError(
            f"augmentation.other_grid: found the same signals in {folder} as in {data.folder}, "
            f"expected those of another grid; {HOW}"
        )
    if ours.signals_at == "edge":
        towards = fit_calibration(coarser, finer)
        return GridErrors(finer - towards(coarser), towards)
    return GridErrors(fit_calibration(finer, coarser)(finer) - coarser)
