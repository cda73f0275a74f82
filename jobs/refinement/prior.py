"""How far a network's map may be from the truth, learned from maps that it was not trained on.

The deviation between the answers to turned signals shows where a map is uncertain, but is several
times too small. So its scale, and the usual error at each depth, are measured on held-out maps;
each gives half of the variance. Errors of neighbouring cells are alike: counted one by one they
would weigh too much, by the number of cells that err together, which is measured as well.
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from opalux.base.axes import depths
from opalux.solver.inversion.priors import Gaussian

Array = NDArray[np.float64]

BLOCK = 4
"""Side of the squares in which errors are held alike [cells]."""
LEAST = 0.02
"""Smallest spread [g/cm³]: a network is never sure beyond that."""


@dataclasses.dataclass(frozen=True, eq=False)
class UsualError:
    """The errors of a network on maps of its own kind.

    Attributes
    ----------
    by_depth : (depths,) root mean square error at each distance from the edge [g/cm³]
    scale : root mean square error over root mean square deviation
    alike : number of cells that err together
    chi2 : usual χ² of its maps
    """

    by_depth: Array
    scale: float
    alike: float
    chi2: float

    def spread(self, deviation: Array) -> Array:
        """Return the standard deviation (ny, nx) [g/cm³] of a map with this deviation."""
        of_depth = self.by_depth[depths(deviation.shape)]
        variance = 0.5 * of_depth**2 + 0.5 * (self.scale * deviation) ** 2
        return np.asarray(np.sqrt(np.maximum(variance, LEAST**2)))

    def prior(self, density: Array, deviation: Array, chi2: float) -> Gaussian:
        """Return the prior around a network's map that explains its signals by this χ².

        Where that is worse than usual, the signals are not of the kind that the network knows, and
        the spread grows by as much.
        """
        loosened = max(1.0, chi2 / self.chi2) ** 0.5
        return Gaussian(density, loosened * self.spread(deviation), weight=1 / self.alike)


def usual_error(truth: Array, found: Array, deviation: Array, chi2: Array) -> UsualError:
    """Measure the errors of a network on maps (n, ny, nx) that it was not trained on.

    ``chi2`` : (n,) of the maps that were found
    """
    error = found - truth
    depth = depths(error.shape[1:])
    by_depth = np.array(
        [np.sqrt((error[:, depth == d] ** 2).mean()) for d in range(depth.max() + 1)]
    )
    scale = float(np.sqrt((error**2).mean() / max((deviation**2).mean(), 1e-12)))
    measured = UsualError(by_depth, scale, 1.0, float(np.median(chi2)))
    far = np.stack([e / measured.spread(d) for e, d in zip(error, deviation, strict=True)])
    return dataclasses.replace(measured, alike=_alike(far))


def _alike(far: Array) -> float:
    """Return how many cells err together: variance of sums over squares, over that of cells."""
    ny, nx = (n // BLOCK * BLOCK for n in far.shape[1:])
    if not ny or not nx:
        return 1.0
    squares = far[:, :ny, :nx].reshape(-1, ny // BLOCK, BLOCK, nx // BLOCK, BLOCK)
    sums = squares.sum((2, 4))
    return float(np.clip((sums**2).sum() / max((squares**2).sum(), 1e-12), 1.0, BLOCK**2))
