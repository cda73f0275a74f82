"""The volume source S(x, y, t) on rows of cells."""

from opalux.base.kernels import njit
from opalux.solver.formulas.formula import Formula
from opalux.solver.formulas.programs import run
from opalux.solver.problem import Problem


def volume_source(problem: Problem) -> Formula | None:
    """Return S(x, y, t), None where it is zero."""
    source = Formula(problem.source, ("x", "y", "t"))
    return None if source.constant == 0 else source


@njit(error_model="numpy", borrows=True)
def emit(E_row, x, y, t, dt, source):
    """Add Δt·S(x, y, t) to one row of cells."""
    code, result, registers = source
    n = E_row.shape[0]
    for i in range(n):
        registers[0, i] = x[i]
        registers[1, i] = y
        registers[2, i] = t
    run(code, registers, n)
    for i in range(n):
        E_row[i] += dt * registers[result, i]
