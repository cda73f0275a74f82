"""The crooked pipe: radiation goes around corners, between walls that it hardly enters.

Half of a pipe with two bends in an opaque block of 7 x 2 cm, after Gentile. Pipe: σ = 0.2/cm;
walls: σ = 2000/cm, a thousand times heavier. All opacity absorbs. On the left, E = a T⁴ with
T = 0.5 keV is held before the pipe; the other edges reflect. Cells beside the pipe's wall are a
hundred mean free paths thick: a scheme that gives both sides of a face one opacity heats or starves
the wall.

Reference: N. A. Gentile, "Implicit Monte Carlo diffusion – an acceleration method for Monte Carlo
time-dependent radiative transfer simulations", J. Comput. Phys. 172 (2001) 543.
"""

import dataclasses
import math
from typing import Any

import numpy as np

from opalux.solver.march import simulate
from opalux.solver.problem import Constants, Problem
from opalux.solver.verification.convergence import WALLS, centres

A = Constants().a
EXTENT = (7.0, 2.0)  # [cm]
COLD, HOT = 0.05, 0.5  # [keV]
SOURCE = A * HOT**4  # E [g/cm/sh²]
PROBES = ((0.25, 0.05), (2.75, 0.05), (3.5, 1.25), (4.25, 0.05), (6.75, 0.05))  # x, y [cm]

IMPLICIT = {
    140: (0.498, 0.477, 0.467, 0.461, 0.459),
    560: (0.497, 0.465, 0.448, 0.438, 0.432),
}
"""T [keV] at `PROBES` after 2 sh on so many cells along x.

Made with another code, which shares nothing with this solver: the same equations, F on faces,
implicit Euler in time, Newton's method in T, with the Schur complement for E solved by conjugate
gradients to 1e-7; opacities at the temperature of the face. Steps of 0.02 sh on 140 x 40 cells and
of 0.005 sh on 560 x 160. The difference of the two is the mesh's: 140 x 40 cells do not resolve the
wall.
"""


@dataclasses.dataclass(frozen=True)
class CrookedPipe:
    """The pipe up to ``time`` [sh], with k = 1/3."""

    time: float = 2.0
    eddington: float = 1 / 3

    def density(self, nx: int) -> np.ndarray:
        """Return ρ (ny, nx) [g/cm³]: 0.01 in the pipe, 10 in the walls."""
        x, y = centres(nx, EXTENT[0])[None, :], centres(round(nx * 2 / 7), EXTENT[1])[:, None]
        straight = (y < 0.5) & ((x < 2.5) | (x > 4.5))
        upright = (y < 1.5) & (((x > 2.5) & (x < 3)) | ((x > 4) & (x < 4.5)))
        above = (y > 1) & (y < 1.5) & (x > 2.5) & (x < 4.5)
        return np.where(straight | upright | above, 0.01, 10.0)

    def problem(self, nx: int, **changes: Any) -> Problem:
        """Return the problem on ``nx`` x 2/7 ``nx`` cells; ``changes`` go to `Problem`."""
        sigma = "rho < 1 ? 0.2 : 2000"
        return Problem.model_validate(
            {
                "grid": {"nx": nx, "ny": round(nx * 2 / 7), "x": (0, 7.0), "y": (0, 2.0)},
                "time": {"final": self.time, "cfl": 0.49 / math.sqrt(self.eddington)},
                "constants": {"eddington": self.eddington},
                "material": {
                    "density": self.density(nx),
                    "sigma_a": sigma,
                    "sigma_c": sigma,
                    "heat_capacity": "0.1",
                },
                "initial": {"E": f"{A!r}*{COLD!r}^4", "T": COLD},
                "edges": WALLS
                | {
                    "left": {
                        "kind": "prescribed",
                        "E": f"y < 0.5 ? {SOURCE!r} : {A * COLD**4!r}",
                        "T": HOT,
                    }
                },
            }
            | changes
        )

    def solve(self, nx: int, **changes: Any) -> np.ndarray:
        """Return E, Fx, Fy, T at the end, (4, ny, nx)."""
        return simulate(self.problem(nx, **changes)).fields

    @staticmethod
    def probes(T: np.ndarray) -> np.ndarray:
        """Return T in the cells that hold the `PROBES`, (5,) [keV]."""
        ny, nx = T.shape
        return np.array([T[int(y / EXTENT[1] * ny), int(x / EXTENT[0] * nx)] for x, y in PROBES])
