"""The unknown: log ρ, bounded, in cells that may be coarser than those of the simulation."""

import numpy as np
from numpy.typing import NDArray

from opalux.base.errors import InputError


class Unknown:
    """z = log ρ on a grid that simulations refine, cutting each cell into equal ones.

    Parameters
    ----------
    shape : (ny, nx) of the map
    bounds : smallest and largest density [g/cm³]

    Raises
    ------
    InputError
        When the bounds are no densities in ascending order.
    """

    def __init__(self, shape: tuple[int, int], bounds: tuple[float, float]) -> None:
        low, high = bounds
        if not 0 < low < high:
            raise InputError(
                f"bounds: found {list(bounds)}, expected [low, high] with 0 < low < high"
            )
        self.shape, self.bounds = shape, bounds

    @property
    def box(self) -> tuple[float, float]:
        """Bounds of each entry of z."""
        low, high = np.log(self.bounds)
        return float(low), float(high)

    def inside(self, rho: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return z (ny · nx,) of a map, brought within the bounds."""
        return np.log(np.clip(rho, *self.bounds)).ravel()

    def density(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return ρ (ny, nx) [g/cm³]."""
        return np.clip(np.exp(z), *self.bounds).reshape(self.shape)


def refined(rho: NDArray[np.float64], times: int) -> NDArray[np.float64]:
    """Return a map with each cell cut into ``times`` × ``times`` of the same value."""
    return np.repeat(np.repeat(rho, times, axis=0), times, axis=1)


def gathered(fine: NDArray[np.float64], times: int) -> NDArray[np.float64]:
    """Return the sums over the blocks that `refined` makes: its transpose."""
    ny, nx = fine.shape
    return fine.reshape(ny // times, times, nx // times, times).sum((1, 3))
