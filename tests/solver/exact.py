"""Problems with a known solution, for the schemes to be measured against."""

import dataclasses

import numpy as np

from solver.march import Solution, simulate
from solver.problem import Problem

C, A = 299.0, 0.01372
PERIODIC = {name: {"kind": "periodic"} for name in ("up", "down", "left", "right")}
WALLS = {name: {"kind": "wall"} for name in ("up", "down", "left", "right")}


@dataclasses.dataclass(frozen=True)
class PlaneWave:
    """Damped plane wave E = mean + cos(q·x) in a medium that scatters but does not absorb.

    Source: the telegraph equation that P1 is for constant σ_c and σ_a = 0.
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
        rate = C * (self.sigma if sigma is None else sigma) / 2
        omega = np.sqrt(complex(rate**2 - self.eddington * C**2 * (self.q @ self.q)))
        t = self.time
        return float(
            (np.exp(-rate * t) * (np.cosh(omega * t) + rate / omega * np.sinh(omega * t))).real
        )

    def problem(self, n: int) -> Problem:
        """Return the problem on ``n`` x ``n`` cells."""
        qx, qy = self.q.tolist()
        return Problem(
            grid={"nx": n},
            time={"final": self.time},
            constants={"eddington": self.eddington},
            material={"density": 1, "sigma_a": "0", "sigma_c": repr(self.sigma)},
            initial={"E": f"{self.mean} + cos({qx!r}*x + {qy!r}*y)"},
            edges=PERIODIC,
        )

    def error(self, n: int) -> float:
        """Return the relative L2 error of E's wave on ``n`` x ``n`` cells."""
        solution = simulate(self.problem(n))
        x = (np.arange(n) + 0.5) / n
        wave = np.cos(self.q[0] * x[None, :] + self.q[1] * x[:, None])
        exact = self.amplitude() * wave
        difference = solution.fields[0] - self.mean - exact
        return float(np.sqrt((difference**2).mean() / (exact**2).mean()))


def fitted_order(cells: list[int], errors: list[float]) -> float:
    """Return the order p of errors ~ h^p by least squares."""
    slope = np.polyfit(np.log(1 / np.array(cells, dtype=float)), np.log(errors), 1)[0]
    return float(slope)


def total_energy(problem: Problem, fields: np.ndarray, rho: np.ndarray) -> float:
    """Return Σ (E + ρ C_v T) for a constant heat capacity."""
    assert problem.heat_capacity is not None
    return float((fields[0] + rho * problem.heat_capacity * fields[3]).sum())


def start_of(problem: Problem, rho: np.ndarray | None = None) -> Solution:
    """Return the initial state of a problem as a solution."""
    from solver.domain import SerialDomain
    from solver.march import March

    march = March(problem, SerialDomain(problem.cells, problem.edges), rho)
    fields = march.domain.state[:, 1:-1, 1:-1].copy()
    return Solution(march.times, {}, fields, 0.0, march.rho[1:-1, 1:-1].copy())
