"""A pulse in two dimensions, which leaves a negative wake; exact by a Hankel transform."""

import dataclasses
import math
from typing import Any

import numpy as np
import scipy.interpolate
import scipy.special

from opalux.solver.march import simulate
from opalux.solver.problem import Constants, Problem
from opalux.solver.verification.convergence import PERIODIC, centres, relative_l2

C = Constants().c


@dataclasses.dataclass(frozen=True)
class GaussianPulse:
    """E = exp(−r²/2s²), F = 0 at t = 0, in a medium that scatters a little and does not absorb.

    Each wave number q is damped as the telegraph equation says (see `plane_wave`), so that

        E(r, t) = s² ∫ e^{−q²s²/2} A(q, t) J₀(q r) q dq,
        A = e^{−cσt/2} [cosh Ωt + cσ/(2Ω) sinh Ωt],   Ω² = (cσ/2)² − k c² q²

    For large σ and late times it is diffusion, A = e^{−D q² t} with D = k c/σ: s² grows by 2 D t.
    In two dimensions waves leave a wake, which is negative: P1 itself does not keep E positive.
    """

    eddington: float = 1 / 3
    sigma: float = 0.5
    """σ_c [1/cm]."""
    width: float = 0.045
    """s [cm]."""
    final: float | None = None
    """When it is looked at [sh]; nothing may have reached the sides of the square."""

    @property
    def time(self) -> float:
        """`final`; left out: when the front has moved by 0.3 cm [sh]."""
        return self.final or 0.3 / (C * math.sqrt(self.eddington))

    def exact(self, n: int) -> np.ndarray:
        """Return E at the end in ``n`` x ``n`` cells of 1 cm, the pulse in the middle."""
        nodes, weights = np.polynomial.legendre.leggauss(600)
        last = 10 / self.width
        q, dq = last / 2 * (nodes + 1), last / 2 * weights
        rate = C * self.sigma / 2
        omega = np.sqrt((rate**2 - self.eddington * C**2 * q**2).astype(complex))
        # The two exponents are added before exp: cosh alone overflows in the diffusion limit.
        slow = np.exp(-self.eddington * C**2 * q**2 / (rate + omega) * self.time)
        fast = np.exp(-(rate + omega) * self.time)
        damped = (slow * (1 + rate / omega) + fast * (1 - rate / omega)).real / 2
        image = self.width**2 * np.exp(-((q * self.width) ** 2) / 2) * damped * q * dq
        r = np.linspace(0, 0.75, 1500)
        profile = scipy.interpolate.CubicSpline(r, scipy.special.j0(np.outer(r, q)) @ image)
        x = centres(n) - 0.5
        return np.asarray(profile(np.hypot(x[None, :], x[:, None])))

    def problem(self, n: int, **changes: Any) -> Problem:
        """Return the problem on ``n`` x ``n`` cells; ``changes`` go to `Problem`."""
        square = "((x - 0.5)^2 + (y - 0.5)^2)"
        return Problem.model_validate(
            {
                "grid": {"nx": n},
                "time": {"final": self.time, "cfl": 0.45 / math.sqrt(self.eddington)},
                "constants": {"eddington": self.eddington},
                "material": {"density": 1, "sigma_a": "0", "sigma_c": self.sigma},
                "initial": {"E": f"exp(-{square}/{2 * self.width**2!r})", "T": "1"},
                "edges": PERIODIC,
            }
            | changes
        )

    def solve(self, n: int, **changes: Any) -> np.ndarray:
        """Return E at the end, (n, n)."""
        return np.asarray(simulate(self.problem(n, **changes)).fields[0])

    def error(self, n: int, **changes: Any) -> float:
        """Return the relative L2 error of E."""
        return relative_l2(self.solve(n, **changes), self.exact(n))
