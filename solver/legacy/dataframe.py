"""The published CSV "dataframe": one simulation a row, arrays as nested lists of numbers."""

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np

from opalux.base.axes import QUANTITIES
from opalux.base.errors import InputError
from opalux.solver.legacy.letters import LETTERS
from opalux.solver.solution import Solution, edge_quantities

COLUMNS = [
    "x_min", "x_max", "y_min", "y_max", "N", "M", "c", "a", "C_v", "CFL", "precision", "t_0",
    "t_f", "step_count", "rho_expr", "sigma_a_expr", "sigma_c_expr", "E_0_expr", "F_0_x_expr",
    "F_0_y_expr", "T_0_expr", "E_u_expr", "F_u_x_expr", "F_u_y_expr", "T_u_expr", "E_d_expr",
    "F_d_x_expr", "F_d_y_expr", "T_d_expr", "E_l_expr", "F_l_x_expr", "F_l_y_expr", "T_l_expr",
    "E_r_expr", "F_r_x_expr", "F_r_y_expr", "T_r_expr", "rho_attr", "rho", "E_f", "F_f_x",
    "F_f_y", "T_f", "E_u", "F_u", "T_u", "E_d", "F_d", "T_d", "E_l", "F_l", "T_l", "E_r", "F_r",
    "T_r",
]  # fmt: skip


def dataframe_text(solution: Solution, described: dict[str, Any], header: bool) -> str:
    """Return a simulation as a row of the published CSV "dataframe".

    ``described`` gives the columns from x_min to rho_attr; arrays are written as nested lists with
    the published six significant digits.
    """
    E, Fx, Fy, T = solution.fields
    row: dict[str, Any] = dict(described)
    row |= {"rho": solution.rho, "E_f": E, "F_f_x": Fx, "F_f_y": Fy, "T_f": T}
    for letter, edge in LETTERS.items():
        names = (f"{name}_{letter}" for name in QUANTITIES)
        row |= dict(zip(names, edge_quantities(solution.signals[edge]), strict=True))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if header:
        writer.writerow(COLUMNS)
    writer.writerow([_cell(row[name]) for name in COLUMNS])
    return out.getvalue()


def _cell(value: Any) -> str:
    if isinstance(value, np.ndarray):
        rows = ("[" + ", ".join(f"{number:.6g}" for number in row) + "]" for row in value)
        return "[" + ", ".join(rows) + "]"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def read_dataframe(path: Path) -> list[dict[str, Any]]:
    """Read a published CSV "dataframe": one dictionary a simulation, arrays as float64.

    Raises
    ------
    InputError
        When the file cannot be read or is not of this format.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            csv.field_size_limit(2**31 - 1)
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read ({error})") from None
    if not rows:
        raise InputError(f"{path}: holds no simulation; expected a header and a row for each")
    first_array = COLUMNS.index("rho")
    out = []
    for number, row in enumerate(rows, 1):
        if list(row) != COLUMNS or None in row.values():
            raise InputError(f"{path}: row {number} does not have the published columns")
        try:
            out.append(
                {
                    name: _parse_array(row[name]) if k >= first_array else row[name]
                    for k, name in enumerate(COLUMNS)
                }
            )
        except ValueError:
            raise InputError(f"{path}: row {number} holds something that is not a number") from None
    return out


def _parse_array(text: str) -> np.ndarray:
    rows = text.strip().removeprefix("[[").removesuffix("]]").split("], [")
    return np.array([[float(number) for number in row.split(",")] for row in rows])
