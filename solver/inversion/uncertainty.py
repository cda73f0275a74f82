"""How sure the map is: the Laplace approximation of the posterior of log ρ at the map found.

The data's part is the Gauss–Newton Hessian H = Jᵀ W J of the misfit, by the exact tangent of the
simulation and its transpose; the prior's part P is the prior's curvature and a ridge, the width of
the bounds. Of the pencil (H, P), the largest eigenvalues λ are found by Lanczos;
then the covariance is P⁻¹ − Σ λ/(1 + λ) w wᵀ.

It has limits. Directions beyond those that were asked for are held for not informed, so that the
spread is too large there. Sharp maps are not Gaussian: the spread is too small inside of them. And
the Hessian is that of simulations on the map's own grid.

Source: T. Bui-Thanh, O. Ghattas, J. Martin, G. Stadler, SIAM J. Sci. Comput. 35 (2013) A2494.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh, splu

from opalux.solver.inversion.forward import Forward
from opalux.solver.inversion.journal import Journal
from opalux.solver.inversion.priors import Prior
from opalux.solver.inversion.unknown import Unknown

Array = NDArray[np.float64]

LARGEST = 2**14  # cells, up to which the prior's variances are computed one by one
CHUNK = 256  # cells, of whose variances are computed at once
ACCURACY = 1e-2  # of the eigenvalues
RESTARTS = 3  # of Lanczos, after which what has converged is taken


@dataclasses.dataclass(frozen=True, eq=False)
class Uncertainty:
    """How sure each cell is.

    Attributes
    ----------
    spread : (ny, nx) standard deviation of ρ [g/cm³]
    informed : (ny, nx) share of the prior's variance of log ρ that the data take away
    eigenvalues : (modes,) of the data's part relative to the prior's, descending
    """

    spread: Array
    informed: Array
    eigenvalues: Array


def uncertainty(
    forward: Forward, rho: Array, sigma: Array, prior: Prior, unknown: Unknown,
    modes: int, journal: Journal,
) -> Uncertainty:  # fmt: skip
    """Return the spread at a map.

    Parameters
    ----------
    forward : the simulation, which is held at the map
    rho : (ny, nx) the map
    sigma : (rows,) of the noise
    prior, unknown : as in the search
    modes : directions at most
    journal : of what was computed

    Raises
    ------
    ValueError
        When the map has more cells than `LARGEST`.
    """
    n = rho.size
    if n > LARGEST:
        raise ValueError(f"uncertainty: found {n} cells, expected at most {LARGEST}")
    flat = rho.ravel()
    low, high = np.log(unknown.bounds)
    ridge = 12.0 / (high - low) ** 2  # of a uniform density between the bounds
    scale = sp.diags_array(flat)
    P = sp.csc_matrix(scale @ prior.curvature(rho) @ scale + ridge * sp.eye_array(n))
    solve = splu(P).solve
    held = False

    def product(v: Array) -> Array:
        nonlocal held

        def compute() -> tuple[Array, ...]:
            nonlocal held
            if not held:
                forward.values(rho)
                held = True
            slope = forward.push((flat * v.ravel()).reshape(rho.shape))
            return (forward.pull(slope / sigma**2).ravel() * flat,)

        return journal.answer(compute)[0]

    k = min(modes, n - 1)
    try:
        values, vectors = eigsh(
            LinearOperator((n, n), matvec=product, dtype=np.float64),
            k=k,
            M=P,
            Minv=LinearOperator((n, n), matvec=solve, dtype=np.float64),
            v0=np.ones(n),
            tol=ACCURACY,
            ncv=min(n, 2 * k + 1),
            maxiter=RESTARTS,
        )
    except ArpackNoConvergence as found:
        values, vectors = found.eigenvalues, found.eigenvectors
    order = np.argsort(values)[::-1]
    values, vectors = np.maximum(values[order], 0.0), vectors[:, order]
    before = np.concatenate([_diagonal(solve, n, first) for first in range(0, n, CHUNK)])
    taken = (vectors**2 * (values / (1 + values))).sum(1)
    after = np.maximum(before - taken, 0.0)
    return Uncertainty(
        spread=(np.sqrt(after) * flat).reshape(rho.shape),
        informed=np.clip(taken / before, 0.0, 1.0).reshape(rho.shape),
        eigenvalues=values,
    )


def _diagonal(solve: Callable[[Array], Array], n: int, first: int) -> Array:
    """Return entries ``first``, … of the diagonal of P⁻¹."""
    count = min(CHUNK, n - first)
    return np.diag(solve(np.eye(n, count, -first))[first : first + count])
