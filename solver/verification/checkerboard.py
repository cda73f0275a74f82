"""The checkerboard in E that careless schemes for P1 keep for ever."""

import dataclasses
from typing import Any

import numpy as np

from opalux.solver.march import simulate
from opalux.solver.problem import Constants, Problem
from opalux.solver.verification.convergence import PERIODIC

C = Constants().c


@dataclasses.dataclass(frozen=True)
class Checkerboard:
    """E = 3 ± 1 from cell to cell, F = 0, in an opaque medium that does not absorb.

    Where the difference of E over a face does not act on that face (central differences over two
    cells), odd and even cells do not see each other and the pattern stays. Diffusion on the mesh
    removes it at the rate 8 k c/(σ h²).
    """

    thickness: float
    """Optical thickness σ h of a cell."""
    eddington: float = 1.0
    cells: int = 8
    cfl: float = 0.45
    """At the limit itself, 0.5 for k = 1, each step turns the pattern over: see `survivor`."""

    @property
    def time(self) -> float:
        """When the pattern is looked for [sh]: diffusion has shrunk it by e⁻⁸, or light by 20 h."""
        h = 1 / self.cells
        return max(20 * h, self.thickness * h / self.eddington) / C

    def problem(self, **changes: Any) -> Problem:
        """Return the problem; ``changes`` go to `Problem`."""
        n = self.cells
        return Problem.model_validate(
            {
                "grid": {"nx": n},
                "time": {"final": self.time, "cfl": self.cfl},
                "constants": {"eddington": self.eddington},
                "material": {"density": 1, "sigma_a": "0", "sigma_c": self.thickness * n},
                "initial": {"E": f"3 + sin({n}*pi*x)*sin({n}*pi*y)"},
                "edges": PERIODIC,
            }
            | changes
        )

    def survivor(self, **changes: Any) -> float:
        """Return the height of the pattern that is left, as a share of the first.

        In a transparent medium a step multiplies it by 1 − 4 √k cfl, that is by −1 at the limit:
        only the opacity shrinks it then.
        """
        sign = (-1.0) ** np.arange(self.cells)
        pattern = sign[:, None] * sign[None, :]
        return float(abs((simulate(self.problem(**changes)).fields[0] * pattern).mean()))
