"""Initial states and energies, for tests of what the solver keeps."""

import numpy as np

from opalux.solver.domains.domain import SerialDomain
from opalux.solver.march import March
from opalux.solver.problem import Problem
from opalux.solver.solution import Solution

A = 0.01372  # radiation constant of the default constants


def total_energy(problem: Problem, fields: np.ndarray, rho: np.ndarray) -> float:
    """Return Σ (E + ρ C_v T) for a constant heat capacity."""
    assert problem.heat_capacity is not None
    return float((fields[0] + rho * problem.heat_capacity * fields[3]).sum())


def start_of(problem: Problem, rho: np.ndarray | None = None) -> Solution:
    """Return the initial state of a problem as a solution."""
    march = March(problem, SerialDomain(problem), rho)
    fields = march.domain.state[:, 1:-1, 1:-1].copy()
    return Solution(march.times, {}, fields, 0.0, march.rho[1:-1, 1:-1].copy(), problem.cells)
