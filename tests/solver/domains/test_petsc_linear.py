"""Linear systems of PETSc: what is called solved is solved, whatever the options."""

from typing import Any

import numpy as np
import pytest

from opalux.base.errors import InputError
from opalux.solver.domains.domain import SerialDomain
from opalux.solver.domains.linear import CENTRE, EAST, NORTH, SOUTH, WEST
from opalux.solver.problem import Problem

pytestmark = pytest.mark.mpi

NY, NX = 7, 9


def solver_of(options: str = "") -> Any:
    """Return the solver of a closed grid."""
    from opalux.solver.domains.petsc_linear import PetscSolver

    domain = SerialDomain(Problem(grid={"nx": NX, "ny": NY}))
    return PetscSolver(domain, (False, False), symmetric=True, options=options)


def residual(solver: Any, scale: float) -> tuple[float, str]:
    """Give the solver a diffusion problem; return the share that its solution leaves, and why."""
    rows = np.full((NY, NX, 5), -1.0)
    rows[0, :, SOUTH] = rows[-1, :, NORTH] = rows[:, 0, WEST] = rows[:, -1, EAST] = 0.0
    rows[..., CENTRE] = 0.1 - rows[..., [SOUTH, WEST, EAST, NORTH]].sum(axis=2)
    right = scale * np.random.default_rng(3).normal(size=(NY, NX))
    solver.matrix[...], solver.right[...] = rows, right
    solved = solver.solve(1e-6)
    x = np.pad(solver.found, 1)
    product = rows[..., CENTRE] * solver.found + rows[..., SOUTH] * x[:-2, 1:-1]
    product += rows[..., NORTH] * x[2:, 1:-1] + rows[..., WEST] * x[1:-1, :-2]
    product += rows[..., EAST] * x[1:-1, 2:]
    return float(np.linalg.norm(product - right) / np.linalg.norm(right)), solved.failure


@pytest.mark.parametrize("options", ["", "-ksp_type gmres", "-pc_type gamg", "-ksp_rtol 1e-10"])
def test_systems_of_any_size_are_solved_one_after_the_other(options: str) -> None:
    """PETSc keeps the norm of a vector that it has not seen change."""
    solver = solver_of(options)
    for scale in (1.0, 1e-8, 1e5, 1e-3):
        left, failure = residual(solver, scale)
        assert left <= (1e-10 if "rtol" in options else 1e-6)
        assert not failure


@pytest.mark.parametrize(
    "options",
    ["-ksp_type preonly -pc_type jacobi", "-ksp_convergence_test skip -ksp_max_it 2"],
)
def test_what_is_called_solved_and_is_not_is_a_failure(options: str) -> None:
    left, failure = residual(solver_of(f"{options} -pc_type jacobi"), 1.0)
    assert left > 1e-2
    assert "called solved" in failure
    assert f"{left:.2g}" in failure


def test_options_of_one_solver_are_not_those_of_the_next() -> None:
    assert solver_of("-ksp_type gmres -pc_type jacobi").name == "petsc gmres + jacobi"
    assert solver_of("-pc_type sor").name == "petsc cg + sor"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("-ksp_typ cg", "nothing asks for -ksp_typ"),
        ("-ksp_type cg -mg_levels_pc_type sor -pc_type jacobi", "asks for -mg_levels_pc_type"),
        ("-pc_type nothing", "does not take"),
        ("-ksp_type", "does not take"),
        ("-ksp_rtol much", "does not take"),
    ],
)
def test_options_that_nothing_uses_are_refused_before_any_work(options: str, said: str) -> None:
    with pytest.raises(InputError, match=f"(?s)time.petsc.*{said}"):
        solver_of(options)
