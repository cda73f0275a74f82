"""Errors of a solution against an exact one that the user gives as formulas."""

from typing import Annotated

import numpy as np

from opalux.base.axes import FIELDS
from opalux.base.settings import Settings
from opalux.solver.formulas.formula import Formula, formula_of
from opalux.solver.problem import Problem
from opalux.solver.solution import Solution

ExactFormula = Annotated[str, formula_of("t", "x", "y", "t_0")]


class Exact(Settings):
    """Exact solution as formulas of t, x, y; errors at the final time go to run.json."""

    E: ExactFormula | None = None
    """Radiation energy [g/cm/sh²]."""
    Fx: ExactFormula | None = None
    Fy: ExactFormula | None = None
    """Flux components [g/cm/sh²]."""
    T: ExactFormula | None = None
    """Matter temperature [keV]."""


def errors_against(
    problem: Problem, exact: Exact, solution: Solution
) -> dict[str, dict[str, float | None]]:
    """Return relative L1, L2 and maximum errors against ``exact`` at the final time.

    An error is None where the formula gives no finite number.
    """
    whole = problem.cells.whole
    errors = {}
    for name, field in zip(FIELDS, solution.fields, strict=True):
        text = getattr(exact, name)
        if text is None:
            continue
        expected = Formula(text, ("t", "x", "y", "t_0"))(
            t=solution.t_final,
            x=whole.x[None, 1:-1],
            y=whole.y[1:-1, None],
            t_0=problem.time.start,
        )
        difference, scale = np.abs(field - expected), np.abs(expected)
        tiny = np.finfo(float).tiny
        with np.errstate(all="ignore"):
            found = {
                "l1": float(difference.mean() / max(scale.mean(), tiny)),
                "l2": float(np.sqrt((difference**2).mean() / max((scale**2).mean(), tiny))),
                "max": float(difference.max() / max(scale.max(), tiny)),
            }
        errors[name] = {key: value if np.isfinite(value) else None for key, value in found.items()}
    return errors
