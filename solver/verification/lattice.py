"""The lattice: absorbers in a scattering medium around a source, open on all sides.

Reference: T. A. Brunner, "Forms of approximate radiation transport", SAND2002-1778, Sandia National
Laboratories, 2002.
"""

import dataclasses
import math
from typing import Any

import numpy as np

from opalux.solver.march import simulate
from opalux.solver.problem import Constants, Problem
from opalux.solver.verification.convergence import WALLS

C = Constants().c
SIDE = 7  # squares of 1 cm
ABSORBERS = (
    (1, 1),
    (1, 3),
    (1, 5),
    (2, 2),
    (2, 4),
    (3, 1),
    (5, 3),
    (4, 2),
    (4, 4),
    (5, 1),
    (5, 5),
)  # columns and rows; none above the source, where light gets out
SOURCE = (3, 3)
TINY, COLD = 1e-9, 1e-3  # E and T at the start
CAPACITY = 1e5  # so large that matter stays cold and radiates nothing

FINE = 0.8975
"""The share that is absorbed until c t = 20 cm on a mesh without end, k = 1/3.

`staggered` on 56² to 448² cells: 0.8696, 0.8893, 0.8954, 0.8970, of second order, extrapolated. The
other schemes come to it from 0.8517, 0.8796, 0.8915 (`consistent`, order 2, to 224²) and from
0.8429, 0.8721, 0.8857 (order 1).
"""


@dataclasses.dataclass(frozen=True)
class Lattice:
    """Absorbers of σ_a = 10/cm, else σ_s = 1/cm; a source S = c in the middle; vacuum edges.

    Light is followed until there is a steady state.
    """

    eddington: float = 1 / 3
    path: float = 20.0
    """c t at the end [cm]."""

    def absorbers(self, n: int) -> np.ndarray:
        """Return which of ``n`` x ``n`` cells absorb; ``n`` is a multiple of 7."""
        square = np.zeros((SIDE, SIDE), dtype=bool)
        for column, line in ABSORBERS:
            square[line, column] = True
        return np.kron(square, np.ones((n // SIDE, n // SIDE), dtype=bool))

    def problem(self, n: int, **changes: Any) -> Problem:
        """Return the problem on ``n`` x ``n`` cells; ``changes`` go to `Problem`."""
        x, y = SOURCE
        return Problem.model_validate(
            {
                "grid": {"nx": n, "ny": n, "x": (0.0, SIDE), "y": (0.0, SIDE)},
                "time": {"final": self.path / C, "cfl": 0.45 / math.sqrt(self.eddington)},
                "constants": {"eddington": self.eddington},
                "material": {
                    "density": np.where(self.absorbers(n), 10.0, 1.0),
                    "sigma_a": "rho > 5 ? 10 : 0",
                    "sigma_c": "rho",
                    "heat_capacity": CAPACITY,
                },
                "source": f"x > {x} && x < {x + 1} && y > {y} && y < {y + 1} ? {C!r} : 0",
                "initial": {"E": TINY, "T": COLD},
                "edges": {name: {"kind": "vacuum"} for name in WALLS},
            }
            | changes
        )

    def solve(self, n: int, **changes: Any) -> tuple[np.ndarray, float]:
        """Return E at the end, (n, n), and the share of the source's light that was absorbed.

        What was absorbed is what heated the matter: E itself, as a scheme holds it between two
        steps, may be that before a step's absorption.
        """
        solution = simulate(self.problem(n, **changes))
        E, _, _, T = solution.fields
        heat = float((solution.rho * CAPACITY * (T - COLD)).sum()) * (SIDE / n) ** 2
        return np.asarray(E), heat / self.path
