"""The error of a coarse grid as one more noise to train with.

Signals of a finer grid, or of a measurement, are calibrated before a network sees them
(`calibration`). The error that the straight lines leave depends on the density, and a network that
reads small echoes takes it for structure. So it is measured on some training densities that were
simulated on both grids, and added to the signals in training: the network learns to ignore features
smaller than this error.

References
----------
The approximation error approach of Kaipio and Somersalo, J. Comput. Appl. Math. 198 (2007) 493; a
Gaussian of the errors' covariance, drawn as one of them times a normal number.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from opalux.base.errors import InputError
from opalux.learning.data.data_set import DataSet
from opalux.learning.data.identity import physics_difference
from opalux.learning.data.resampler import Resampler
from opalux.learning.training import calibration

MOST_MAPS = 64
"""Densities that are used at most: their errors are kept in memory."""

FEWEST_MAPS = 8
"""With fewer densities the straight lines would fit the very errors that are to be measured."""

HOW = "make it by the configuration of the training data with --set refinement=2"


def grid_errors(
    data: DataSet, folder: Path, times: NDArray[np.float64], seen: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Return the difference between calibrated signals of another grid and the training signals.

    Parameters
    ----------
    data : the training data
    folder : data set that holds some of its densities, under the same numbers
    times : (n_times,) that the network takes [sh]
    seen : positions of the training samples

    Returns
    -------
    The errors (n, sources, edges, quantities, n_times, n_cells), one for each density.

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
    return calibration.fit_calibration(finer, coarser)(finer) - coarser
