"""A closed box with a source: how much energy must be there is known at all times."""

import dataclasses
from typing import Any

import numpy as np

from opalux.solver.march import simulate
from opalux.solver.problem import Problem
from opalux.solver.verification.convergence import WALLS

CAPACITY = 0.3  # C_v [Jerk/g/keV]
SOURCE = 100.0  # S = SOURCE x (1 + t): SOURCE (t + t²/2)/2 per cm² until t [g/cm/sh²]


@dataclasses.dataclass(frozen=True)
class ClosedBox:
    """1 cm² of random density between 10⁻² and 10² g/cm³, opacities ∝ ρ/T, walls all around."""

    seed: int = 0
    time: float = 1.0
    cells: int = 16

    @property
    def density(self) -> np.ndarray:
        """Return ρ (n, n) [g/cm³]."""
        rng = np.random.default_rng(self.seed)
        return np.asarray(10 ** rng.uniform(-2, 2, (self.cells, self.cells)))

    def problem(self, **changes: Any) -> Problem:
        """Return the problem; ``changes`` go to `Problem`."""
        return Problem.model_validate(
            {
                "scheme": "staggered",
                "time": {"final": self.time, "cfl": 0.45},
                "material": {
                    "density": self.density, "sigma_a": "rho/T", "sigma_c": "rho*(1 + 1/T)",
                    "heat_capacity": CAPACITY,
                },
                "source": f"{SOURCE!r}*x*(1 + t)",
                "initial": {"E": "1 + 5*x", "T": "1 + y"},
                "edges": WALLS,
            }
            | changes
        )  # fmt: skip

    def defect(self, **changes: Any) -> float:
        """Return how much energy is missing at the end, as a share of all."""
        rho, n = self.density, self.cells
        centre = (np.arange(n) + 0.5) / n
        start = (1 + 5 * centre)[None, :] + rho * CAPACITY * (1 + centre)[:, None]
        given = SOURCE * (self.time + self.time**2 / 2) / 2
        E, _, _, T = simulate(self.problem(**changes)).fields
        end = float((E + rho * CAPACITY * T).mean())
        return abs(end / (float(start.mean()) + given) - 1)
