"""Light that oscillates at an edge and is damped on its way: how much of it a mesh keeps.

In a medium whose T stays as it is, waves e^{iωt − κx} of P1 obey

    k c² κ² = (iω + c σ_a)(iω + c σ_c),    F̂ = k c κ Ê/(iω + c σ_c)

and an edge that lets in E + F/w = g, w = √k, of the height ĝ, starts Ê = ĝ/(1 + F̂/(w Ê)).
"""

import cmath
import dataclasses
import math
from typing import Any

import numpy as np

from opalux.solver.domains.domain import SerialDomain
from opalux.solver.march import March
from opalux.solver.problem import Constants, Problem
from opalux.solver.verification.convergence import WALLS, row

CONSTANTS = Constants()
C, A = CONSTANTS.c, CONSTANTS.a
LENGTH = 2.0  # [cm]; what the far edge sends back is damped away


@dataclasses.dataclass(frozen=True)
class DrivenWave:
    """A source edge as published, E = a T⁴ + 5 sin 2πft, before σ_a = σ_c = 5/cm.

    The heat capacity is so large that T keeps its 5 keV.
    """

    eddington: float = 1.0
    frequency: float = 500.0
    """f [1/sh]."""
    sigma: float = 5.0
    """σ_a = σ_c [1/cm]."""
    height: float = 5.0

    @property
    def kappa(self) -> complex:
        """κ [1/cm]: damping, and i times the wave number."""
        return (2j * math.pi * self.frequency / C + self.sigma) / math.sqrt(self.eddington)

    def exact(self, x: float) -> complex:
        """Return Ê at the place ``x`` [cm], for E − a T⁴ = Im Ê e^{iωt}."""
        # With σ_a = σ_c, F̂ = w Ê: the medium does not reflect.
        return self.height / 2 * cmath.exp(-self.kappa * x)

    def problem(self, n: int, **changes: Any) -> Problem:
        """Return the problem with ``n`` cells a centimetre; ``changes`` go to `Problem`.

        `consistent` takes the source to stand half a cell outside at first order.
        """
        w = math.sqrt(self.eddington)
        # Until the first front is far behind 1 cm, and for one period of which signals are taken.
        final = 2.5 / (w * C) + 1 / self.frequency
        pulse = {"amplitude": self.height, "frequency": self.frequency}
        return Problem.model_validate(
            {
                "grid": row(round(LENGTH * n), 0.0, LENGTH),
                "time": {"final": final, "cfl": 0.49 / w},
                "constants": {"eddington": self.eddington},
                "material": {
                    "density": 1,
                    "sigma_a": self.sigma,
                    "sigma_c": self.sigma,
                    "heat_capacity": 1e9,
                },
                "edges": WALLS | {"left": {"kind": "source", "sources": [pulse]}},
            }
            | changes
        )

    def found(self, n: int, **changes: Any) -> tuple[complex, float]:
        """Return Ê in the first cell behind 1 cm, over the last period, and its place [cm]."""
        problem = self.problem(n, **changes)
        march = March(problem, SerialDomain(problem))
        last = march.t_final - 1 / self.frequency
        times, E = [], []
        for _ in march.run(pauses=np.flatnonzero(march.times > last).tolist()):
            if march.t > last:
                times.append(march.t)
                E.append(march.fields[0, 0, n])
        phase = 2 * math.pi * self.frequency * np.array(times)
        shapes = np.stack([np.sin(phase), np.cos(phase), np.ones_like(phase)], axis=1)
        sine, cosine, _ = np.linalg.lstsq(shapes, np.array(E), rcond=None)[0]
        return complex(sine, cosine), 1 + 0.5 / n

    def kept(self, n: int, **changes: Any) -> tuple[float, float]:
        """Return the amplitude after 1 cm as a share of the exact one, and the phase it is off."""
        found, place = self.found(n, **changes)
        share = found / self.exact(place)
        return abs(share), cmath.phase(share)
