"""A scattering slab between open edges, lit from one side: what P1 lets through, and transport."""

import dataclasses
import math
from typing import Any, Literal

import numpy as np

from opalux.solver.march import simulate
from opalux.solver.problem import Constants, Problem
from opalux.solver.verification.convergence import WALLS, row

A = Constants().a
TRANSPORT = (0.0292, 0.0525)
"""F and E on the far side of a slab of optical depth 10 by transport (S32, steady, 400 cells)."""


@dataclasses.dataclass(frozen=True)
class LitSlab:
    """A slab of 1 cm, σ_a = 0, σ_c = τ, with surroundings of a T⁴ = 1 on the left, none right.

    In steady state F is the same everywhere, E falls by τ F/k, and E + β F = 1 on the left,
    E = β F on the right: F = 1/(β_left + β + τ/k), with β = 1/√k after Mark and 2 after Marshak.
    """

    tau: float
    eddington: float = 1 / 3
    condition: Literal["mark", "marshak"] = "mark"
    """That of the right edge; the left one is after Mark."""

    @property
    def beta(self) -> float:
        """β of the right edge."""
        return 2.0 if self.condition == "marshak" else 1 / math.sqrt(self.eddington)

    @property
    def exact(self) -> tuple[float, float]:
        """F, and E on the right edge, in steady state."""
        F = 1 / (1 / math.sqrt(self.eddington) + self.beta + self.tau / self.eddington)
        return F, self.beta * F

    def problem(self, n: int, **changes: Any) -> Problem:
        """Return the problem on ``n`` cells; ``changes`` go to `Problem`."""
        w = math.sqrt(self.eddington)
        return Problem.model_validate(
            {
                "grid": row(n),
                "time": {"final": 0.06 + 0.024 * self.tau, "cfl": 0.49 / w},
                "constants": {"eddington": self.eddington},
                "material": {"density": 1, "sigma_a": "0", "sigma_c": self.tau},
                "initial": {"E": "1e-9", "T": "0.01"},
                "edges": WALLS
                | {
                    "left": {"kind": "vacuum", "T": A**-0.25},
                    "right": {"kind": "vacuum", "condition": self.condition},
                },
            }
            | changes
        )

    def solve(self, n: int, **changes: Any) -> tuple[float, float]:
        """Return the mean F, and E extrapolated to the right edge, at the end."""
        E, F = simulate(self.problem(n, **changes)).fields[:2, 0]
        return float(np.mean(F)), float(1.5 * E[-1] - 0.5 * E[-2])

    def error(self, n: int, **changes: Any) -> float:
        """Return the larger relative error of the two."""
        return max(
            abs(found / exact - 1)
            for found, exact in zip(self.solve(n, **changes), self.exact, strict=True)
        )
