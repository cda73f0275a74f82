"""Opacities that differ a million times from cell to cell: no scheme may focus energy there."""

import dataclasses
from typing import Any

import numpy as np

from opalux.solver.domains.domain import SerialDomain
from opalux.solver.march import March
from opalux.solver.problem import Constants, Problem
from opalux.solver.verification.convergence import WALLS

A = Constants().a


@dataclasses.dataclass(frozen=True)
class Contrasts:
    """ρ at random in [10⁻³, 10³] in each of 16 x 16 cells; on the left, a source of 1 keV."""

    seed: int
    opacity: str = "rho*T"
    flux: str = "0"
    """F of the source; `free` leaves an edge that holds E alone, and reflects."""
    cells: int = 16

    def problem(self, **changes: Any) -> Problem:
        """Return the problem; ``changes`` go to `Problem`."""
        n = self.cells
        return Problem.model_validate(
            {
                "grid": {"nx": n},
                "time": {"final": 0.01},
                "material": {
                    "density": 10 ** np.random.default_rng(self.seed).uniform(-3, 3, (n, n)),
                    "sigma_a": self.opacity,
                    "sigma_c": self.opacity,
                },
                "initial": {"E": f"{A}*0.5^4", "T": "0.5"},
                "edges": WALLS
                | {
                    "left": {"kind": "prescribed", "E": A, "Fx": self.flux, "T": 1},
                    "right": {"kind": "vacuum"} if self.seed else {"kind": "free"},
                },
            }
            | changes
        )

    def highest(self, **changes: Any) -> float:
        """Return the highest E that there ever is, in units of the source's."""
        problem = self.problem(**changes)
        march = March(problem, SerialDomain(problem))
        steps = march.run(pauses=range(march.n_steps))
        return max(float(march.fields[0].max()) for _ in steps) / A
