"""Exports in the formats of the original program: what can be exported, and where to."""

import contextlib
import struct
from pathlib import Path
from typing import Any, Literal

import pydantic

from opalux.base.axes import EDGES, along
from opalux.base.errors import InputError
from opalux.base.files import atomic
from opalux.base.settings import Settings, SettingsPath
from opalux.solver.legacy.dataframe import COLUMNS, dataframe_text
from opalux.solver.legacy.letters import LETTERS
from opalux.solver.legacy.sds import MAGIC, sds_bytes
from opalux.solver.media import ArrayDensity, NicheDensity, ValuesDensity
from opalux.solver.problem import Problem
from opalux.solver.solution import Solution
from opalux.solver.start import time_steps


class Export(Settings):
    """An export in one of the original program's formats."""

    file: SettingsPath
    """Where to."""
    mode: Literal["dataframe", "binary"] = "dataframe"
    """CSV "dataframe" or binary sds02."""
    write: Literal["truncate", "append"] = "truncate"
    """Replace the file, or add to it."""
    simulations: int = pydantic.Field(1, ge=1)
    """How many simulations the file is to hold (sds02 header)."""


def check_export(problem: Problem, export: Export) -> None:
    """Refuse an export that cannot be written, before any work is done."""
    path, grid = export.file, problem.cells
    steps = len(time_steps(problem)[1])
    head = _head(path) if export.write == "append" else b""
    if export.mode == "dataframe":
        if head and not head.startswith(",".join(COLUMNS).encode()[: len(head)]):
            raise InputError(
                f"export.file: {path} holds no dataframe of this kind, so nothing can be added; "
                "use another file or write: truncate"
            )
        return
    if max(grid.nx, grid.ny, steps, export.simulations) >= 2**16:
        raise InputError(
            f"export.mode: sds02 holds at most {2**16 - 1} cells a side and steps, found "
            f"{grid.nx} x {grid.ny} cells and {steps} steps; use mode: dataframe"
        )
    expected = struct.pack("<HHH", grid.nx, grid.ny, steps)
    if head and not (head.startswith(MAGIC) and head[7:13] == expected):
        raise InputError(
            f"export.file: {path} is no sds02 file of {grid.nx} x {grid.ny} cells and {steps} "
            "steps, so nothing can be added; use another file or write: truncate"
        )


def _head(path: Path) -> bytes:
    """Return the first bytes of the file that is to be added to, none if there is no file yet."""
    try:
        with path.open("rb") as file:
            return file.read(14)
    except FileNotFoundError:
        return b""
    except (OSError, ValueError) as error:  # ValueError: a name that holds a null character
        raise InputError(f"export.file: cannot read {path} ({error}); choose another") from None


def check_target(export: Export) -> None:
    """Check that the export can be written, without leaving anything there."""
    path = export.file
    try:
        made = [folder for folder in path.parents if not folder.exists()]
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                raise IsADirectoryError("it is a folder")
            with atomic(path.with_name(f".{path.name}.try")) as temporary:
                temporary.touch()
            path.with_name(f".{path.name}.try").unlink()
        finally:
            for folder in made:
                with contextlib.suppress(OSError):
                    folder.rmdir()
    except (OSError, ValueError) as error:  # ValueError: a name that holds a null character
        raise InputError(f"export.file: cannot write {path} ({error}); choose another") from None


def write_export(problem: Problem, export: Export, solution: Solution) -> None:
    """Write a solution of ``problem`` as ``export`` asks for."""
    target = export.file
    target.parent.mkdir(parents=True, exist_ok=True)
    before = b""
    if export.write == "append" and target.exists():
        before = target.read_bytes()
    fresh = not before
    if export.mode == "binary":
        edge, start = _source(problem)
        added = sds_bytes(solution, edge, start, export.simulations, header=fresh)
    else:
        row = _described(problem, solution)
        added = dataframe_text(solution, row, header=fresh).encode()
    with atomic(target) as temporary:
        temporary.write_bytes(before + added)


def _source(problem: Problem) -> tuple[int, float | None]:
    """Return the number of the first source edge (−1: none) and where its source starts."""
    for number, name in enumerate(EDGES):
        edge = getattr(problem.edges, name)
        if edge.kind == "source":
            return number, edge.sources[0].start
    return -1, None


def _described(problem: Problem, solution: Solution) -> dict[str, Any]:
    """Return the columns x_min … rho_attr of the published dataframe."""
    grid, density, attributes = problem.cells, problem.material.density, "[]"
    if isinstance(density, ArrayDensity):
        rho = f"numpy:{density.file}"
    elif isinstance(density, ValuesDensity):
        rho = "numpy:"  # an array in Python, without a file
    elif isinstance(density, NicheDensity):
        rho = f"crenau({density.x:g},{density.y:g},{density.low:g},{density.high:g})"
        ends = (solution.rho.min(), solution.rho.max())
        attributes = f"[({density.x:g}, {density.y:g}, {ends[0]:g}, {ends[1]:g})]"
    else:
        rho = density.formula
    row: dict[str, Any] = {
        "x_min": float(grid.x[0]), "x_max": float(grid.x[1]),
        "y_min": float(grid.y[0]), "y_max": float(grid.y[1]), "N": grid.nx, "M": grid.ny,
        "c": problem.constants.c, "a": problem.constants.a, "C_v": problem.material.heat_capacity,
        "CFL": problem.time.cfl, "precision": problem.precision, "t_0": problem.time.start,
        "t_f": problem.time.final, "step_count": len(solution.times), "rho_expr": rho,
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
