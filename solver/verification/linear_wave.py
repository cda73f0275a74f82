"""A small plane wave about an equilibrium: transport, absorption and heat capacity at once."""

import dataclasses
from typing import Any

import numpy as np
import scipy.linalg

from opalux.solver.formulas.formula import Formula
from opalux.solver.march import simulate
from opalux.solver.problem import Constants, Problem
from opalux.solver.verification.convergence import PERIODIC, centres, relative_l2

CONSTANTS = Constants()
SMALL = 1e-5  # relative height of the wave; what is left out of the linear problem is of this order


@dataclasses.dataclass(frozen=True)
class LinearWave:
    """E = a T₀⁴ (1 + ε cos q·x), T = T₀, F = 0 at t = 0, in a periodic square of 1 cm.

    To first order in ε, with F along q and θ = 4 a T₀³ (T − T₀), the Fourier coefficients obey

        d/dt (Ê, F̂, θ̂) = A (Ê, F̂, θ̂)

            ⎡ −c σ_a     −c |q|    c σ_a   ⎤
        A = ⎢ k c |q|    −c σ_c    0       ⎥,   β = 4 a T₀³ / (ρ C_v)
            ⎣ β c σ_a     0       −β c σ_a ⎦

    with E, θ ~ cos q·x and F ~ sin q·x. The opacities' own variation with T is of second order, as
    E = a T⁴ at equilibrium, so that formulas of T are tested at no price.
    """

    sigma_a: str = "4*rho*T^0.5"
    sigma_c: str = "6*rho/T"
    heat_capacity: str = "0.14361"
    waves: tuple[int, int] = (1, 0)
    eddington: float = 1.0
    density: float = 2.0
    temperature: float = 1.5
    time: float = 0.4 / CONSTANTS.c

    @property
    def q(self) -> np.ndarray:
        """Wave vector [1/cm]."""
        return 2 * np.pi * np.array(self.waves)

    def _at_equilibrium(self, text: str) -> float:
        return float(Formula(text, ("rho", "T"))(rho=self.density, T=self.temperature))

    @property
    def matrix(self) -> np.ndarray:
        """The matrix A [1/sh] of the equations above."""
        c, q = CONSTANTS.c, float(np.linalg.norm(self.q))
        sigma_a, sigma_c, C_v = map(
            self._at_equilibrium, (self.sigma_a, self.sigma_c, self.heat_capacity)
        )
        beta = 4 * CONSTANTS.a * self.temperature**3 / (self.density * C_v)
        return c * np.array(
            [
                [-sigma_a, -q, sigma_a],
                [self.eddington * q, -sigma_c, 0],
                [beta * sigma_a, 0, -beta * sigma_a],
            ]
        )

    def amplitudes(self) -> np.ndarray:
        """Return (Ê, F̂, θ̂) at the final time; Ê was 1 at the start."""
        return np.asarray(scipy.linalg.expm(self.time * self.matrix)[:, 0])

    def problem(self, n: int, **changes: Any) -> Problem:
        """Return the problem on ``n`` x ``n`` cells (one row for a wave along x)."""
        qx, qy = self.q.tolist()
        E_0 = CONSTANTS.a * self.temperature**4
        flat = {"ny": 1, "y": (0.0, 1000.0)} if qy == 0 else {}
        return Problem.model_validate(
            {
                "grid": {"nx": n, **flat},
                "time": {"final": self.time},
                "constants": {"eddington": self.eddington},
                "material": {
                    "density": self.density,
                    "sigma_a": self.sigma_a,
                    "sigma_c": self.sigma_c,
                    "heat_capacity": self.heat_capacity,
                },
                "initial": {
                    "E": f"{E_0!r} * (1 + {SMALL!r}*cos({qx!r}*x + {qy!r}*y))",
                    "T": self.temperature,
                },
                "edges": PERIODIC,
            }
            | changes
        )

    def error(self, n: int, **changes: Any) -> float:
        """Return the L2 error of (E, F, θ) on ``n`` x ``n`` cells, relative to all three."""
        found, exact = self._fields(n, **changes)
        return relative_l2(np.array(found), np.array(exact))

    def distance(self, n: int, **changes: Any) -> float:
        """Return the L2 error of E in units of the wave at the start."""
        found, exact = self._fields(n, **changes)
        return float(np.sqrt(2 * ((found[0] - exact[0]) ** 2).mean()))

    def _fields(self, n: int, **changes: Any) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Return (E, F·q/|q|, θ) as computed and as they should be, where E started as cos q·x."""
        E, Fx, Fy, T = simulate(self.problem(n, **changes)).fields
        E_0 = CONSTANTS.a * self.temperature**4
        scale = SMALL * E_0
        qx, qy = self.q / np.linalg.norm(self.q)
        theta = 4 * E_0 / self.temperature * (T - self.temperature)
        found = [(E - E_0) / scale, (qx * Fx + qy * Fy) / scale, theta / scale]
        y = centres(n) if self.waves[1] else np.zeros(1)
        phase = self.q[0] * centres(n)[None, :] + self.q[1] * y[:, None]
        shapes = (np.cos(phase), np.sin(phase), np.cos(phase))
        exact = [a * shape for a, shape in zip(self.amplitudes(), shapes, strict=True)]
        return found, exact
