"""A damped plane wave in a medium that scatters but does not absorb."""

import dataclasses
from typing import Any

import numpy as np
import scipy.linalg

from opalux.solver.march import simulate
from opalux.solver.problem import Problem
from opalux.solver.verification.convergence import PERIODIC, centres, relative_l2

C = 299.0  # speed of light of the default constants [cm/sh]


@dataclasses.dataclass(frozen=True)
class PlaneWave:
    """E = mean + cos(q·x), F = 0 at t = 0, in a periodic square of 1 cm.

    For constant σ_c and σ_a = 0, P1 is the telegraph equation ∂tt E + c σ ∂t E = k c² ΔE, so that

        Ê(t) = exp(−c σ t/2) [cosh Ω t + c σ/(2 Ω) sinh Ω t],   Ω² = (c σ/2)² − k c² |q|²
    """

    sigma: float
    """Opacity σ_c [1/cm]."""
    waves: tuple[int, int] = (1, 0)
    """Waves per cm along x and y."""
    eddington: float = 1.0
    time: float = 0.4 / C
    """When the solution is compared [sh]."""
    mean: float = 3.0

    @property
    def q(self) -> np.ndarray:
        """Wave vector [1/cm]."""
        return 2 * np.pi * np.array(self.waves)

    def amplitude(self, sigma: float | None = None) -> float:
        """Return Ê at the final time for the opacity ``sigma`` (default: the problem's)."""
        return self._damped(self.sigma if sigma is None else sigma, self.q)

    def staggered_amplitude(self, n: int) -> float:
        """Return Ê of the staggered scheme on a fixed mesh of ``n`` x ``n`` cells, exact in time.

        With F on faces, differences of a wave are those of 2 n sin(q/2n) in the place of q.
        """
        return self._damped(self.sigma, 2 * n * np.sin(self.q / (2 * n)))

    def _damped(self, sigma: float, q: np.ndarray) -> float:
        rate = C * sigma / 2
        pull = self.eddington * C**2 * float(q @ q)
        omega = np.sqrt(complex(rate**2 - pull))
        # The two exponents are added before exp: cosh alone overflows in the diffusion limit.
        slow = np.exp(-pull / (rate + omega) * self.time)  # rate − Ω without cancellation
        fast = np.exp((-rate - omega) * self.time)
        return float((slow * (1 + rate / omega) / 2 + fast * (1 - rate / omega) / 2).real)

    def problem(self, n: int, **changes: Any) -> Problem:
        """Return the problem on ``n`` x ``n`` cells.

        A wave along x is the same in all rows: then one row is enough, so tall that its height does
        not limit the time step. ``changes`` go to `Problem`.
        """
        qx, qy = self.q.tolist()
        flat = {"ny": 1, "y": (0.0, 1000.0)} if qy == 0 else {}
        return Problem.model_validate(
            {
                "grid": {"nx": n, **flat},
                "time": {"final": self.time},
                "constants": {"eddington": self.eddington},
                "material": {"density": 1, "sigma_a": "0", "sigma_c": self.sigma},
                "initial": {"E": f"{self.mean} + cos({qx!r}*x + {qy!r}*y)"},
                "edges": PERIODIC,
            }
            | changes
        )

    def wave(self, n: int) -> np.ndarray:
        """Return cos(q·x) at the cell centres, (n, n), or (1, n) for a wave along x."""
        y = centres(n) if self.waves[1] else np.zeros(1)
        return np.cos(self.q[0] * centres(n)[None, :] + self.q[1] * y[:, None])

    def error(self, n: int, **changes: Any) -> float:
        """Return the relative L2 error of E's wave on ``n`` x ``n`` cells."""
        found = simulate(self.problem(n, **changes)).fields[0] - self.mean
        return relative_l2(found, self.amplitude() * self.wave(n))

    def found(self, n: int, **changes: Any) -> float:
        """Return Ê on ``n`` cells."""
        wave = self.wave(n)
        found = simulate(self.problem(n, **changes)).fields[0] - self.mean
        return float((found * wave).mean() / (wave**2).mean())

    def distance(self, n: int, **changes: Any) -> float:
        """Return the error of Ê on ``n`` cells in units of the wave at the start."""
        return abs(self.found(n, **changes) - self.amplitude())

    def time_error(self, n: int, **changes: Any) -> float:
        """Return the error of Ê with ``scheme: staggered`` that is not the mesh's."""
        return abs(self.found(n, scheme="staggered", **changes) - self.staggered_amplitude(n))

    def upwind_distance(self, n: int) -> float:
        """Return the same error for upwind fluxes that do not know of the opacity (M = 1).

        This is the scheme's own Fourier symbol, exact in time, for a wave along x.
        """
        phase, w = self.q[0] / n, np.sqrt(self.eddington)
        spread = w * (1 - np.cos(phase))
        symbol = -C * n * np.array(
            [
                [spread, 1j * np.sin(phase)],
                [1j * self.eddington * np.sin(phase), spread + self.sigma / n],
            ]
        )  # fmt: skip
        found = scipy.linalg.expm(self.time * symbol)[0, 0].real
        return abs(float(found) - self.amplitude())

    def published_amplitude(self, n: int) -> float:
        """Return Ê of the published scheme on ``n`` x ``n`` cells.

        That scheme knows no periodic edges: Ê is read off the middle half of the domain, which for
        c t < 1/4 cm has not heard of the free edges yet.
        """
        changes = {"scheme": "published", "edges": {}, "grid": {"nx": n}}
        middle = slice(n // 4, 3 * n // 4)
        E = simulate(self.problem(n, **changes)).fields[0][middle, middle] - self.mean
        cosine = np.cos(self.q[0] * centres(n))[middle]
        return float((E @ cosine / (cosine @ cosine)).mean())
