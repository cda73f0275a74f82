"""The diagonal of the Hessian with respect to log ρ, estimated by a few adjoints.

For signs ξ drawn at random, one a row, (Jᵀ σ⁻¹ ξ)² has the mean diag(Jᵀ σ⁻² J): its other terms
cancel. A few draws leave noise, which is smoothed away over neighbouring cells.

Source: C. Bekas, E. Kokiopoulou, Y. Saad, Appl. Numer. Math. 57 (2007) 1214.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from opalux.solver.inversion.priors import Prior

Array = NDArray[np.float64]

DRAWS = 4
SMOOTHED = 1.5  # [cells], standard deviation
LEAST = 0.5  # curvature of cells that signals and prior say nothing of


def data_curvature(pull: Callable[[Array], Array], rho: Array, sigma: Array, seed: int) -> Array:
    """Return the estimated curvature (ny, nx) of the misfit.

    Parameters
    ----------
    pull : returns ∂(Σ weights · values)/∂ρ (ny, nx) at the map
    rho : (ny, nx) the map
    sigma : (rows,) of the noise
    seed : of the draws
    """
    signs = np.random.default_rng(seed)
    total = np.zeros_like(rho)
    for _ in range(DRAWS):
        drawn = signs.choice([-1.0, 1.0], len(sigma))
        total += (rho * pull(drawn / sigma)) ** 2
    tiny = np.finfo(np.float64).tiny
    smoothed: Array = np.exp(gaussian_filter(np.log(total / DRAWS + tiny), SMOOTHED))
    return smoothed


def prior_curvature(prior: Prior, rho: Array) -> Array:
    """Return the diagonal of the prior's curvature (ny, nx), and a least one."""
    root = prior.root(rho)
    squares = np.asarray(root.multiply(root).sum(axis=0)).reshape(rho.shape)
    found: Array = squares * rho**2 + LEAST
    return found
