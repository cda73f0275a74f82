"""Removing the error of a coarse grid from the comparison between signals.

A network learns from simulations on one grid. Signals that are measured, or simulated on a finer
grid, differ from them by the discretisation error, which is larger than the effect of some
densities on the signals. Most of that error is the same for all densities. It is estimated from a
few densities simulated on both grids: for each source, edge, quantity and time a straight line
takes the finer signals to the coarser ones.

References
----------
The idea is the approximation error approach of Kaipio and Somersalo, J. Comput. Appl. Math. 198
(2007) 493.
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray

SMALL = 0.01
"""Variation that counts as small, as a share of a channel's standard deviation."""


@dataclasses.dataclass(frozen=True)
class Calibration:
    """Straight lines from finer to coarser signals.

    Attributes
    ----------
    slope, offset : (sources, edges, quantities, n_times, 1)
    """

    slope: NDArray[np.float32]
    offset: NDArray[np.float32]

    def __call__(self, signals: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what the coarse grid would have given for signals of the finer one."""
        return self.slope * signals + self.offset


def fit_calibration(finer: NDArray[np.float32], coarser: NDArray[np.float32]) -> Calibration:
    """Fit the lines by least squares over densities and cells.

    Parameters
    ----------
    finer, coarser : (n, sources, edges, quantities, n_times, n_cells) of the same densities
    """
    axes = (0, 5)
    x, y = finer.astype(np.float64), coarser.astype(np.float64)
    x_mean, y_mean = x.mean(axes, keepdims=True), y.mean(axes, keepdims=True)
    covariance = ((x - x_mean) * (y - y_mean)).mean(axes, keepdims=True)
    variance = ((x - x_mean) ** 2).mean(axes, keepdims=True)
    # Where the signals hardly depend on the density, as before the first light arrives, the slope
    # is drawn to 1: a steep line would raise the noise of a measurement instead.
    small = (SMALL**2) * x.var((0, 4, 5), keepdims=True) + np.finfo(np.float64).tiny
    slope = (covariance + small) / (variance + small)
    offset = y_mean - slope * x_mean
    return Calibration(slope[0].astype(np.float32), offset[0].astype(np.float32))
