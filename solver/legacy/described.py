"""A problem in the words of the original program's files."""

from typing import Any

import numpy as np

from opalux.base.axes import EDGES, along
from opalux.solver.legacy.letters import LETTERS
from opalux.solver.media import ArrayDensity, NicheDensity, ValuesDensity
from opalux.solver.problem import Problem


def first_source(problem: Problem) -> tuple[int, float | None]:
    """Return the number of the first source edge (−1: none) and where its source starts."""
    for number, name in enumerate(EDGES):
        edge = getattr(problem.edges, name)
        if edge.kind == "source":
            return number, edge.sources[0].start
    return -1, None


def described(problem: Problem, rho: np.ndarray, steps: int) -> dict[str, Any]:
    """Return the columns x_min … rho_attr of the published dataframe."""
    grid, density, attributes = problem.cells, problem.material.density, "[]"
    if isinstance(density, ArrayDensity):
        text = f"numpy:{density.file}"
    elif isinstance(density, ValuesDensity):
        text = "numpy:"  # an array in Python, without a file
    elif isinstance(density, NicheDensity):
        text = f"crenau({density.x:g},{density.y:g},{density.low:g},{density.high:g})"
        ends = (rho.min(), rho.max())
        attributes = f"[({density.x:g}, {density.y:g}, {ends[0]:g}, {ends[1]:g})]"
    else:
        text = density.formula
    row: dict[str, Any] = {
        "x_min": float(grid.x[0]), "x_max": float(grid.x[1]),
        "y_min": float(grid.y[0]), "y_max": float(grid.y[1]), "N": grid.nx, "M": grid.ny,
        "c": problem.constants.c, "a": problem.constants.a, "C_v": problem.material.heat_capacity,
        "CFL": problem.time.cfl, "precision": problem.precision, "t_0": problem.time.start,
        "t_f": problem.time.final, "step_count": steps, "rho_expr": text,
        "sigma_a_expr": problem.material.sigma_a, "sigma_c_expr": problem.material.sigma_c,
        "E_0_expr": problem.initial.E, "F_0_x_expr": problem.initial.Fx,
        "F_0_y_expr": problem.initial.Fy, "T_0_expr": problem.initial.T, "rho_attr": attributes,
    }  # fmt: skip
    for letter, name in LETTERS.items():
        edge = getattr(problem.edges, name)
        rules = edge.rules()
        if edge.kind == "source":
            low, high = getattr(grid, along(name))
            pulse = edge.sources[0]
            start = low if pulse.start is None else pulse.start
            stop = high if pulse.stop is None else pulse.stop
            rules["E"] = f"ponctuel({start:g},{stop:g})"
        for key, field in (("E", "E"), ("F", "Fx"), ("F", "Fy"), ("T", "T")):
            axis = {"Fx": "_x", "Fy": "_y"}.get(field, "")
            text = rules[field]
            row[f"{key}_{letter}{axis}_expr"] = "neumann" if text == "free" else text
    return row
