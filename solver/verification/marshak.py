"""The Marshak wave: radiation diffuses into a cold medium that heats and becomes transparent.

At equilibrium, E = a T⁴, and for opaque media P1 is the diffusion of u = ρ C_v T + a T⁴:

    ∂t u(T) = ∂x (K ∂x T),    K(T) = 4 a k c T³/σ(T)

With T = T_S at x = 0 and T = T₀ at the start, T depends on ξ = x/√t alone:

    dQ/dξ = (ξ/2) du/dξ,    Q = −K dT/dξ

Reference: R. E. Marshak, "Effect of radiation on shock wave behavior", Phys. Fluids 1 (1958) 24.
"""

import dataclasses
import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.integrate
import scipy.optimize

from opalux.solver.march import simulate
from opalux.solver.problem import Constants, Problem
from opalux.solver.verification.convergence import WALLS, centres, row

CONSTANTS = Constants()
OPACITY = 300.0  # σ T³ [keV³/cm]
CAPACITY = 0.3  # ρ C_v
LENGTH = 0.2  # [cm], of which the wave has crossed two thirds at the end
TIME = 1.0  # [sh]
FOOT = 1e-9  # how far above T₀ the profile begins, as a share of T_S − T₀


@dataclasses.dataclass(frozen=True)
class MarshakWave:
    """σ = 300 T⁻³, ρ C_v = 0.3, T_S = 1 keV held at x = 0 (E = a T_S⁴), T₀ inside."""

    cold: float = 1e-3
    """T₀ [keV]. A face of the opacity 300 T₀⁻³ would let nothing in."""
    eddington: float = 1 / 3

    @functools.cached_property
    def profile(self) -> Callable[[np.ndarray], np.ndarray]:
        """T(ξ) [keV] for ξ = x/√t [cm/√sh], exact.

        Integrated over s = log(T − T₀) from the foot, where T − T₀ is small and Q = (ξ/2)(u − u₀),
        up to T_S; the place of the foot is such that T_S is met at ξ = 0.
        """
        a, rate = CONSTANTS.a, 4 * CONSTANTS.a * self.eddington * CONSTANTS.c / OPACITY
        ends = math.log(FOOT * (1 - self.cold)), math.log(1 - self.cold)

        def climb(s: float, state: np.ndarray) -> list[float]:
            xi, Q = state
            rise = math.exp(s)
            T = self.cold + rise
            return [-rate * T**6 * rise / Q, rise * xi / 2 * (CAPACITY + 4 * a * T**3)]

        def at_edge(s: float, state: np.ndarray) -> float:
            return float(state[0])

        at_edge.terminal = True  # type: ignore[attr-defined]  # beyond x = 0, Q would vanish

        def from_foot(xi: float) -> Any:
            Q = xi / 2 * math.exp(ends[0]) * (CAPACITY + 4 * a * self.cold**3)
            return scipy.integrate.solve_ivp(
                climb, ends, [xi, Q], "LSODA",
                events=at_edge, rtol=1e-9, atol=1e-14, dense_output=True,
            )  # fmt: skip

        def miss(xi: float) -> float:
            """Return ξ where T_S is met; or, as < 0, how much T lacks at x = 0, as a logarithm."""
            found = from_foot(xi)
            return float(found.y[0, -1]) if found.t[-1] == ends[1] else float(found.t[-1] - ends[1])

        place = float(scipy.optimize.brentq(miss, 1e-3, 10.0, xtol=1e-12))
        # Dense where T is high, and at the foot.
        s = np.log(np.geomspace(FOOT, 1, 2000) * (1 - self.cold))
        s = np.union1d(s, np.log(np.linspace(0.01, 1, 8000) * (1 - self.cold)))
        xi, T = from_foot(place).sol(s)[0], self.cold + np.exp(s)
        return lambda at: np.interp(at, xi[::-1], T[::-1], right=self.cold)

    def exact(self, n: int) -> np.ndarray:
        """Return the mean of the exact T at the end over each of ``n`` cells, (n,) [keV]."""
        fine = centres(20 * n, LENGTH) / math.sqrt(TIME)
        return self.profile(fine).reshape(n, 20).mean(axis=1)

    def problem(self, n: int, **changes: Any) -> Problem:
        """Return the problem on ``n`` cells; ``changes`` go to `Problem`."""
        a = CONSTANTS.a
        sigma = f"{OPACITY!r}*T^-3"
        return Problem.model_validate(
            {
                "grid": row(n, 0.0, LENGTH),
                "time": {"final": TIME, "cfl": 0.95 / math.sqrt(self.eddington)},
                "constants": {"eddington": self.eddington},
                "material": {
                    "density": 1, "sigma_a": sigma, "sigma_c": sigma, "heat_capacity": CAPACITY,
                },
                "initial": {"E": f"{a!r}*{self.cold!r}^4", "T": self.cold},
                "edges": WALLS | {"left": {"kind": "prescribed", "E": a, "T": 1}},
            }
            | changes
        )  # fmt: skip

    def solve(self, n: int, **changes: Any) -> np.ndarray:
        """Return T at the end, (n,) [keV]."""
        return np.asarray(simulate(self.problem(n, **changes)).fields[3, 0])

    def front_and_heat(self, n: int, **changes: Any) -> tuple[float, float]:
        """Return the place of the front and the heat that came in, as shares of the exact ones.

        The front is where T falls through (T_S + T₀)/2, between two cells.
        """
        found, exact = self.solve(n, **changes), self.exact(n)
        middle, x = (1 + self.cold) / 2, centres(n, LENGTH)
        fronts = [np.interp(-middle, -T, x) for T in (found, exact)]
        heats = [T.mean() - self.cold for T in (found, exact)]
        return float(fronts[0] / fronts[1]), float(heats[0] / heats[1])
