"""The Su–Olson problem for P1: a slab that radiates into a cold medium, and heats it.

In a medium with ρ C_v = 4 a T³ and σ_a = σ_c = κ the equations are linear in W = E/(a T_H⁴) and
V = (T/T_H)⁴. With x in mean free paths 1/κ, τ = c κ t and the source Q = 1 for |x| <= 1/2:

    ∂τ W + ∂x F = V − W + Q,    ∂τ F + k ∂x W = −F,    ∂τ V = W − V,    all zero at τ = 0

References: B. Su and G. L. Olson, "An analytical benchmark for non-equilibrium radiative transfer
in an isotropically scattering medium", Ann. Nucl. Energy 24 (1997) 1035-1055 (the problem);
J. Abate and P. P. Valkó, "Multi-precision Laplace transform inversion", Int. J. Numer. Meth. Engng
60 (2004) 979-993 (the fixed Talbot contour).
"""

import dataclasses
import math
from typing import Any

import numpy as np
import scipy.linalg

from opalux.solver.march import simulate
from opalux.solver.problem import Problem
from opalux.solver.verification.convergence import WALLS, centres

HALF = 0.5  # the source covers |x| <= HALF
COLD = 1e-3  # T at the start; its T⁴ is far below all that is compared
NODES = 24  # of the Talbot contour: about 13 digits, as many as double precision carries

PLACES = (0.01, 0.31623, 0.5, 1.0, 1.77828, 3.16228)
"""The places [1/κ] of `TABLE` (those of the published transport and diffusion tables)."""

TABLE = {
    (1 / 3, 1.0): (
        (0.66167, 0.51534, 0.35808, 0.02720, 0.0, 0.0),
        (0.28024, 0.22561, 0.14192, 0.00176, 0.0, 0.0),
    ),
    (1 / 3, 10.0): (
        (1.91840, 1.79892, 1.61931, 1.09224, 0.53249, 0.09838),
        (1.80899, 1.69103, 1.51366, 0.99716, 0.46278, 0.07404),
    ),
    (1.0, 1.0): (
        (0.45435, 0.41590, 0.35808, 0.13089, 0.0, 0.0),
        (0.22577, 0.19233, 0.14192, 0.02902, 0.0, 0.0),
    ),
    (1.0, 10.0): (
        (1.18928, 1.14523, 1.07906, 0.87297, 0.60799, 0.28638),
        (1.12562, 1.08186, 1.01614, 0.81224, 0.55319, 0.24709),
    ),
}
"""(k, τ): W and V at `PLACES`, five decimals.

Found once by inverting the Laplace transform in extended precision and by a mesh refinement study,
which agree to 1e-5 (8e-4 at the source's edge). `exact` and `series` find them again.
"""


def exact(x: np.ndarray, tau: float, eddington: float) -> tuple[np.ndarray, np.ndarray]:
    """Return W and V at the places ``x`` (n,) >= 0 and the time ``tau``, by Laplace inversion.

    The transform solves k W″ = s (s + 2) W − (s + 1) Q/s:

        W = (s + 1)/(s² (s + 2)) · [1 − (e^{−β(1/2 − x)} + e^{−β(1/2 + x)})/2]    inside
        W = (s + 1)/(s² (s + 2)) · [e^{−β(x − 1/2)} − e^{−β(x + 1/2)}]/2           outside

    with β = √(s (s + 2)/k) and V = W/(s + 1). Each exponential is a wave that arrives at the time
    d/√k: that delay is taken out before the inversion, which makes it exact at the fronts too.
    """
    W, V = np.zeros(len(x)), np.zeros(len(x))
    for i, place in enumerate(np.abs(x)):
        inside = place <= HALF
        near = -0.5 if inside else 0.5
        parts = [(near, abs(HALF - place)), (-0.5, HALF + place)]
        for weight, distance in [(1.0, 0.0), *parts] if inside else parts:
            late = tau - distance / math.sqrt(eddington)
            if late > 0:
                W[i] += weight * _invert(late, distance / math.sqrt(eddington), matter=False)
                V[i] += weight * _invert(late, distance / math.sqrt(eddington), matter=True)
    return W, V


def _invert(t: float, delay: float, *, matter: bool) -> float:
    """Return one wave of W or V (``matter``), a time ``t`` after its arrival."""
    r = 2 * NODES / (5 * t)
    theta = np.arange(1, NODES) * np.pi / NODES
    cot = 1 / np.tan(theta)
    s = np.concatenate([[r + 0j], r * theta * (cot + 1j)])
    weights = np.concatenate([[0.5], 1 + 1j * (theta + (theta * cot - 1) * cot)])
    root = np.sqrt(s) * np.sqrt(s + 2)  # cut along [−2, 0] only
    image = (s + 1) / (s**2 * (s + 2)) * np.exp(-(root - s) * delay)
    if matter:
        image = image / (s + 1)
    return float(r / NODES * (np.exp(t * s) * image * weights).real.sum())


def series(
    x: np.ndarray, tau: float, eddington: float, modes: int, length: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return W and V by a cosine series on [0, ``length``] and matrix exponentials in time.

    Independent of `exact`, and slower to converge. Nothing comes back from the wall at ``length``
    before τ = (2 length − 1/2 − x)/√k.
    """
    q = np.arange(modes) * np.pi / length
    source = 2 * HALF / length * np.sinc(q * HALF / np.pi)
    source[0] /= 2
    A = np.zeros((modes, 4, 4))  # for (Ŵ, F̂, V̂, 1): the last column is the source
    A[:, 0, 0], A[:, 0, 1], A[:, 0, 2], A[:, 0, 3] = -1, -q, 1, source
    A[:, 1, 0], A[:, 1, 1] = eddington * q, -1
    A[:, 2, 0], A[:, 2, 2] = 1, -1
    found = scipy.linalg.expm(tau * A)[:, :, 3]
    shapes = np.cos(q[:, None] * x[None, :])
    return found[:, 0] @ shapes, found[:, 2] @ shapes


CELLS = {1.0: 250, 1 / 3: 380}
"""k: cells per mean free path with which the scheme of first order meets `TABLE` to 2e-3."""


@dataclasses.dataclass(frozen=True)
class SuOlson:
    """The problem as the solver sees it: c = a = κ = T_H = 1, one row of cells, a wall at x = 0."""

    eddington: float
    tau: float

    @property
    def length(self) -> float:
        """Where the grid ends: nothing comes back from there to x <= 3.5."""
        return math.ceil((math.sqrt(self.eddington) * self.tau + HALF + 3.5) / 2 + HALF)

    def problem(self, cells_per_length: int, **changes: Any) -> Problem:
        """Return the problem with so many cells per mean free path; time steps at the limit."""
        return Problem.model_validate(
            {
                "grid": {
                    "nx": round(cells_per_length * self.length),
                    "ny": 1,
                    "x": (0.0, self.length),
                    "y": (0.0, 1000.0),
                },
                "time": {"final": self.tau, "cfl": 0.98 / math.sqrt(self.eddington)},
                "constants": {"c": 1, "a": 1, "eddington": self.eddington},
                "material": {
                    "density": 1, "sigma_a": "1", "sigma_c": "1", "heat_capacity": "4*T^3",
                },
                "source": f"x <= {HALF} ? 1 : 0",
                "initial": {"E": COLD**4, "T": COLD},
                "edges": WALLS,
            }
            | changes
        )  # fmt: skip

    def solve(
        self, cells_per_length: int, **changes: Any
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return x, W and V at the cell centres."""
        problem = self.problem(cells_per_length, **changes)
        fields = simulate(problem).fields[:, 0]
        return centres(problem.cells.nx, self.length), fields[0], fields[3] ** 4

    def table_errors(self, cells_per_length: int, **changes: Any) -> np.ndarray:
        """Return |W − W_exact| and |V − V_exact| at the `PLACES`, (2, 6)."""
        x, W, V = self.solve(cells_per_length, **changes)
        found = np.array([np.interp(PLACES, x, W), np.interp(PLACES, x, V)])
        return np.abs(found - np.array(TABLE[self.eddington, self.tau]))

    def mean_error(self, cells_per_length: int, **changes: Any) -> float:
        """Return the mean of |W − W_exact| and |V − V_exact| over 0 <= x <= 3.5."""
        x, W, V = self.solve(cells_per_length, **changes)
        some = np.flatnonzero(x <= 3.5)[:: max(1, cells_per_length // 20)]
        found = np.array([W[some], V[some]])
        return float(np.abs(found - np.array(exact(x[some], self.tau, self.eddington))).mean())
