"""The directions of discrete ordinates: a product quadrature of the unit sphere.

Nothing depends on z, so that Ω and its mirror image in z are one direction. Polar cosines are those
of Gauss and Legendre, azimuths are evenly spaced (Chebyshev). Unlike level-symmetric sets, it has
positive weights at every order. Means of 1, Ω and Ω ⊗ Ω are exact: equilibrium and the diffusion
limit are not left to the number of directions.
"""

import dataclasses

import numpy as np

LARGEST_ORDER = 64

# Signs of (Ωx, Ωy) in each quadrant: `quadrant ^ 1` is its mirror image in x, `^ 2` that in y.
SIGNS = np.array([(1, 1), (-1, 1), (1, -1), (-1, -1)])


@dataclasses.dataclass(frozen=True)
class Quadrature:
    """N² directions: N²/4 in each quadrant of the plane.

    Attributes
    ----------
    x, y : (N²/4, 4 quadrants) components of Ω in the plane
    weights : (N²/4,) weight of a direction of each of the four quadrants; 4·Σ = 1
    """

    x: np.ndarray
    y: np.ndarray
    weights: np.ndarray


def product_quadrature(order: int) -> Quadrature:
    """Return the product quadrature S_N of an even ``order`` N from 2 to `LARGEST_ORDER`."""
    half = order // 2
    cosines, weights = np.polynomial.legendre.leggauss(order)
    sines = np.sqrt(1 - cosines[half:] ** 2)
    azimuths = (np.arange(half) + 0.5) * (np.pi / 2 / half)
    x = np.outer(sines, np.cos(azimuths)).ravel()
    y = np.outer(sines, np.sin(azimuths)).ravel()
    return Quadrature(
        x=x[:, None] * SIGNS[:, 0],
        y=y[:, None] * SIGNS[:, 1],
        weights=np.repeat(weights[half:], half) / (4 * half),
    )
