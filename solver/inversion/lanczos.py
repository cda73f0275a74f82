"""Lanczos: the directions of which data say the most beside a prior, one product a direction.

For V with VᵀPV = 1 from the Krylov space of the pencil (H, P) and its images Y = P⁻¹HV,

    (H + P)⁻¹ ⪯ P⁻¹ − Y (VᵀHV + YᵀPY)⁻¹ Yᵀ = P⁻¹ − Σ θ/(1 + θ) w wᵀ,

whose right side only falls with further directions. So variances that stop early are too large,
never too small, and all directions count, not only those that have converged to eigenpairs, which
would take two to four times the products. The θ and w are known as harmonic Ritz pairs.

It follows from zᵀ(1 + M)⁻¹z ≥ 2 zᵀy − yᵀ(1 + M)y for all y, in (1 + M)⁻¹ = 1 − √M (1 + M)⁻¹ √M,
where M is H between two inverse roots of P, z = √M x, and y is √M times any vector of the space.

Sources: C. Lanczos, J. Res. Natl. Bur. Stand. 45 (1950) 255; C. C. Paige, B. N. Parlett, H. A. van
der Vorst, Numer. Linear Algebra Appl. 2 (1995) 115. Directions are made orthogonal twice.
"""

from collections.abc import Callable

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Array = NDArray[np.float64]

EXHAUSTED = 1e-8  # length of what is new in a direction, relative to it, below which all is said
FAINT = 0.05  # vᵀHv, vᵀPv being 1, that lowers a variance by a twentieth
ENOUGH = 8  # faint directions in succession, after which no further ones are looked for
NOTHING = 1e-14  # vᵀHv, relative to the largest, of which nothing is known


def harmonic_pairs(
    product: Callable[[Array], Array],
    P: sp.csc_matrix,
    solve: Callable[[Array], Array],
    start: Array,
    steps: int,
) -> tuple[Array, Array]:
    """Return θ (k,), descending, and w (n, k) of a bound of the covariance, with wᵀPw = 1.

    Parameters
    ----------
    product : H v, H being symmetric and not negative
    P : symmetric and positive (n, n)
    solve : P⁻¹ v
    start : (n,) the first direction, of any length but 0
    steps : products at most; k is less where H says hardly anything in further directions
    """
    n, steps = len(start), min(steps, len(start))
    V, Y = np.empty((n, steps), order="F"), np.empty((n, steps), order="F")
    inner = np.zeros((steps, steps))
    v, k, faint = start, 0, 0
    while k < steps and faint < ENOUGH:
        known, length = V[:, :k], _length(v, P)
        for _ in range(2):
            v = v - known @ (known.T @ (P @ v))
        if _length(v, P) <= EXHAUSTED * length:
            break
        V[:, k] = v / _length(v, P)
        Hv = product(V[:, k])
        v = Y[:, k] = solve(Hv)
        inner[: k + 1, k] = inner[k, : k + 1] = V[:, : k + 1].T @ Hv
        faint = faint + 1 if inner[k, k] < FAINT else 0
        k += 1
    values, turned = np.linalg.eigh(inner[:k, :k])
    told = values > NOTHING * values[-1]
    Y = Y[:, :k] @ (turned[:, told] / np.sqrt(values[told]))
    theta, turned = np.linalg.eigh(Y.T @ (P @ Y))
    return theta[::-1], Y @ (turned / np.sqrt(theta))[:, ::-1]


def _length(v: Array, P: sp.csc_matrix) -> float:
    return float(np.sqrt(max(v @ (P @ v), 0.0)))
