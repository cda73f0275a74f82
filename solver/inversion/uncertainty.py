"""How sure the map is: the Laplace approximation of the posterior of log ρ at the map found.

The data's part is the Gauss–Newton Hessian H = Jᵀ W J of the misfit, by the exact tangent of the
simulation and its transpose, less what unknown gains would take up; the prior's part P is that of
a Gaussian as wide as the prior near the map, and a ridge, the width of the bounds. Of the pencil
(H, P), Lanczos gives Ritz values θ and vectors w; then the covariance is P⁻¹ − Σ θ/(1 + θ) w wᵀ.

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
from scipy.sparse.linalg import splu

from opalux.solver.inversion.coupling import Seen
from opalux.solver.inversion.forward import Forward
from opalux.solver.inversion.journal import Journal
from opalux.solver.inversion.lanczos import harmonic_pairs
from opalux.solver.inversion.priors import Prior
from opalux.solver.inversion.unknown import Unknown

Array = NDArray[np.float64]

LARGEST = 2**14  # cells, up to which the prior's variances are computed one by one
CHUNK = 256  # cells, of whose variances are computed at once


@dataclasses.dataclass(frozen=True, eq=False)
class Uncertainty:
    """How sure each cell is.

    Attributes
    ----------
    spread : (ny, nx) standard deviation of ρ [g/cm³]
    informed : (ny, nx) share of the prior's variance of log ρ that the data take away
    eigenvalues : (modes,) of the data's part relative to the prior's, descending; the largest are
        exact, the others Ritz values
    samples : (samples, ny, nx) maps that the data and the prior allow [g/cm³]
    gain_spread : (groups,) standard deviation of each gain, the map's own being counted
    """

    spread: Array
    informed: Array
    eigenvalues: Array
    samples: Array
    gain_spread: Array


def uncertainty(
    forward: Forward, rho: Array, seen: Seen, prior: Prior, unknown: Unknown,
    modes: int, journal: Journal, samples: int = 0, seed: int = 0,
) -> Uncertainty:  # fmt: skip
    """Return the spread at a map.

    Parameters
    ----------
    forward : the simulation, which is held at the map
    rho : (ny, nx) the map
    seen : what it makes of the signals
    prior, unknown : as in the search
    modes : directions at most
    journal : of what was computed
    samples : maps to draw
    seed : of the draws

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
    root = sp.csr_matrix(
        sp.vstack([prior.width_root(rho) @ sp.diags_array(flat), np.sqrt(ridge) * sp.eye_array(n)])
    )
    P = sp.csc_matrix(root.T @ root)
    solve = splu(P).solve
    data = _Data(forward, rho, seen, journal)
    drawing = np.random.default_rng(seed)
    start = solve(root.T @ drawing.standard_normal(root.shape[0]))  # drawn from the prior
    values, vectors = harmonic_pairs(data.product, P, solve, start, modes)
    before = np.concatenate([_diagonal(solve, n, first) for first in range(0, n, CHUNK)])
    taken = (vectors**2 * (values / (1 + values))).sum(1)
    after = np.maximum(before - taken, 0.0)
    # x − Σ (1 − 1/√(1 + θ)) w wᵀ P x has the posterior's covariance where x has P⁻¹, as P⁻¹ Bᵀξ has
    white = drawing.standard_normal((root.shape[0], samples))
    drawn = solve(root.T @ white) if samples else np.empty((n, 0))
    drawn -= vectors @ ((1 - 1 / np.sqrt(1 + values))[:, None] * (vectors.T @ (P @ drawn)))
    return Uncertainty(
        spread=(np.sqrt(after) * flat).reshape(rho.shape),
        informed=np.clip(taken / before, 0.0, 1.0).reshape(rho.shape),
        eigenvalues=values,
        samples=np.clip(flat[:, None] * np.exp(drawn), *unknown.bounds).T.reshape(-1, *rho.shape),
        gain_spread=data.gain_spread(vectors / np.sqrt(1 + values)),
    )


class _Data:
    """The data's part of the Hessian, at one map."""

    def __init__(self, forward: Forward, rho: Array, seen: Seen, journal: Journal) -> None:
        self._forward, self._rho, self._seen, self._journal = forward, rho, seen, journal
        self._gain = seen.coupling.of_rows(seen.gains)
        self._held = False

    def _push(self, v: Array) -> Array:
        """Return the change of the values with that of log ρ."""
        if not self._held:
            self._forward.values(self._rho)
            self._held = True
        return self._gain * self._forward.push(self._rho * v.reshape(self._rho.shape))

    def product(self, v: Array) -> Array:
        """Return H v (cells,)."""
        seen = self._seen

        def compute() -> tuple[Array, ...]:
            weighted = seen.coupling.left(self._push(v), seen.values, seen.sigma)
            return ((self._forward.pull(self._gain * weighted) * self._rho).ravel(),)

        return self._journal.answer(compute)[0]

    def gain_spread(self, directions: Array) -> Array:
        """Return the spread of each gain, the map varying by unit normal steps along directions."""
        seen = self._seen
        variance = seen.coupling.spreads(seen.values, seen.sigma) ** 2
        if not seen.coupling.free:
            return variance
        for direction in directions.T:

            def compute(direction: Array = direction) -> tuple[Array, ...]:
                change = self._push(direction)
                return (seen.coupling.response(change, seen.values, seen.sigma),)

            variance = variance + self._journal.answer(compute)[0] ** 2
        return np.sqrt(variance)


def _diagonal(solve: Callable[[Array], Array], n: int, first: int) -> Array:
    """Return entries ``first``, … of the diagonal of P⁻¹."""
    count = min(CHUNK, n - first)
    return np.diag(solve(np.eye(n, count, -first))[first : first + count])
