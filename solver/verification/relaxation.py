"""Radiation and matter alone in one cell: how they come to equilibrium."""

import dataclasses
from typing import Any

import numpy as np
import scipy.integrate
import scipy.optimize

from opalux.solver.march import simulate
from opalux.solver.problem import Constants, Problem

CONSTANTS = Constants()


@dataclasses.dataclass(frozen=True)
class Relaxation:
    """Uniform radiation E₀ and matter T₀ out of equilibrium, with σ_a = ρ T.

        dE/dt = c σ_a (a T⁴ − E),    ρ C_v dT/dt = c σ_a (E − a T⁴)

    so that E + ρ C_v T keeps its value. The published scheme keeps E + a ρ C_v T instead: its heat
    capacity is smaller by the factor a.
    """

    density: float = 2.0
    heat_capacity: float = 0.14361
    E_0: float = 12.0
    T_0: float = 5.0

    def problem(self, until: float, **changes: Any) -> Problem:
        """Return the problem on one cell up to the time ``until`` [sh]."""
        return Problem.model_validate(
            {
                "grid": {"nx": 1},
                "time": {"final": until, "cfl": 0.05 * CONSTANTS.c * until},
                "material": {"density": self.density, "heat_capacity": self.heat_capacity},
                "initial": {"E": self.E_0, "T": self.T_0},
            }
            | changes
        )

    def equilibrium(self, *, published: bool = False) -> float:
        """Return T at the end [keV]; ``published``: with the heat capacity of that scheme."""
        capacity = self.density * self.heat_capacity * (CONSTANTS.a if published else 1.0)
        total = self.E_0 + capacity * self.T_0

        def surplus(T: float) -> float:
            return CONSTANTS.a * T**4 + capacity * T - total

        return float(scipy.optimize.brentq(surplus, 0.1, 100.0, xtol=1e-13))

    def exact(self, t: np.ndarray) -> np.ndarray:
        """Return T(t) [keV] at ascending times ``t`` (n,) [sh], by an integrator of high order."""
        capacity = self.density * self.heat_capacity

        def rate(_: float, T: np.ndarray) -> np.ndarray:
            E = self.E_0 + capacity * (self.T_0 - T)
            return np.asarray(CONSTANTS.c * self.density * T * (E - CONSTANTS.a * T**4) / capacity)

        found = scipy.integrate.solve_ivp(
            rate, (0.0, float(t[-1])), [self.T_0], method="Radau", t_eval=t, rtol=1e-10, atol=1e-12
        )
        return np.asarray(found.y[0])

    def computed(self, until: float, **changes: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return t [sh] and T(t) [keV] of the solver, the final time included."""
        solution = simulate(self.problem(until, **changes))
        T = np.append(solution.signals["left"][:, 3, 0], solution.fields[3, 0, 0])
        return np.append(solution.times, solution.t_final), T
