"""Which linear solver a run takes."""

import importlib.util

import numpy as np

from opalux.base.errors import InputError
from opalux.solver.domains.domain import Domain
from opalux.solver.domains.linear import LinearSolver
from opalux.solver.implicit.scipy_solver import ScipySolver
from opalux.solver.problem import Problem
from opalux.solver.schemes.staggered_edges import OPEN, edge_kinds


def back_end(problem: Problem, domain: Domain, rules: np.ndarray) -> LinearSolver:
    """Return the linear solver that a problem asks for; all processes call this at once.

    Raises
    ------
    InputError
        When it asks for PETSc, which is not installed, or for scipy on several processes.
    """
    time = problem.time
    open_here = OPEN in edge_kinds(rules, problem.wave_speed)[0]
    symmetric = not domain.any(open_here)  # the edges of all blocks
    asked = "petsc" if time.petsc else time.solver
    if asked == "auto":
        asked = "petsc" if domain.size > 1 else "scipy"
    if asked == "scipy":
        if domain.size > 1:
            raise InputError(
                f"time.solver: found scipy on {domain.size} processes, which works on one; "
                "use petsc, or leave it out"
            )
        return ScipySolver((domain.block.ny, domain.block.nx), symmetric=symmetric)
    if importlib.util.find_spec("petsc4py") is None:
        raise InputError(
            "time.solver: found petsc, but petsc4py is not installed; run './setup.sh --mpi', or "
            "leave time.solver and time.petsc out"
        )
    from opalux.solver.domains.petsc_linear import PetscSolver

    return PetscSolver(domain, problem.edges.periodic, symmetric=symmetric, options=time.petsc)
