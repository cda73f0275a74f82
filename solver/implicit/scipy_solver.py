"""Linear systems of five points solved by scipy's Krylov methods, on one process."""

from collections.abc import Callable

import numpy as np
import scipy.sparse.linalg

from opalux.solver.domains.linear import Solved
from opalux.solver.implicit.incomplete_factors import factor, multiply, precondition

MOST = 2000  # iterations


class ScipySolver:
    """Krylov methods of scipy with incomplete factors, on one process; see `LinearSolver`.

    Conjugate gradients, or BiCGStab where open edges make the matrix unsymmetric. Iterations grow
    as the square root of the cells along an axis, where those of multigrid do not.
    """

    def __init__(self, shape: tuple[int, int], *, symmetric: bool) -> None:
        self.matrix = np.zeros((*shape, 5))
        self.right, self.found = np.zeros(shape), np.zeros(shape)
        self._inverse = np.zeros(shape)
        self._krylov = scipy.sparse.linalg.cg if symmetric else scipy.sparse.linalg.bicgstab
        self.name = f"scipy {'cg' if symmetric else 'bicgstab'}, modified incomplete factors"

    def _operator(
        self, work: Callable[[np.ndarray, np.ndarray], None]
    ) -> scipy.sparse.linalg.LinearOperator:
        n, shape = self.right.size, self.right.shape

        def apply(x: np.ndarray) -> np.ndarray:
            out = np.empty(shape)
            work(x.reshape(shape), out)
            return out.reshape(n)

        return scipy.sparse.linalg.LinearOperator((n, n), apply, dtype=np.float64)

    def solve(self, tolerance: float) -> Solved:
        """Fill ``found``; see `LinearSolver`."""
        factor(self.matrix, self._inverse)
        count = [0]

        def counted(_: object) -> None:
            count[0] += 1

        with np.errstate(all="ignore"):  # numbers without a limit are a failure, told as such
            found, code = self._krylov(
                self._operator(lambda x, out: multiply(self.matrix, x, out)),
                self.right.reshape(-1),
                rtol=tolerance,
                maxiter=MOST,
                M=self._operator(lambda x, out: precondition(self.matrix, self._inverse, x, out)),
                callback=counted,
            )
        self.found[...] = found.reshape(self.right.shape)
        if code == 0 and np.isfinite(found).all():
            return Solved(count[0])
        return Solved(count[0], "no convergence" if code >= 0 else "breakdown")
