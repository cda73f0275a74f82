"""The published CSV "dataframe": one simulation a row, arrays as nested lists of numbers."""

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np

from opalux.base.axes import QUANTITIES
from opalux.base.errors import InputError
from opalux.solver.legacy.letters import LETTERS
from opalux.solver.legacy.origins import checksum, read_origins
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
    return csv_text([COLUMNS] * header + [dataframe_row(solution, described)])


def dataframe_row(solution: Solution, described: dict[str, Any]) -> list[str]:
    """Return the cells of a simulation's row; see `dataframe_text`."""
    E, Fx, Fy, T = solution.fields
    row = {"E_f": E, "F_f_x": Fx, "F_f_y": Fy, "T_f": T}
    for letter, edge in LETTERS.items():
        names = (f"{name}_{letter}" for name in QUANTITIES)
        row |= dict(zip(names, edge_quantities(solution.signals[edge]), strict=True))
    first = described_cells(described, solution.rho)
    return first + [_cell(row[name]) for name in COLUMNS[len(first) :]]


def described_cells(described: dict[str, Any], rho: np.ndarray) -> list[str]:
    """Return the first cells of a row, up to the density ``rho`` (ny, nx)."""
    return [_cell((described | {"rho": rho})[name]) for name in COLUMNS[: COLUMNS.index("E_f")]]


def csv_text(rows: list[list[str]]) -> str:
    """Return rows as the text of a CSV."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def _cell(value: Any) -> str:
    if isinstance(value, np.ndarray):
        rows = ("[" + ", ".join(f"{number:.6g}" for number in row) + "]" for row in value)
        return "[" + ", ".join(rows) + "]"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def rows_of(text: str) -> list[list[str]]:
    """Return the cells of each row of a CSV.

    Raises
    ------
    csv.Error
        When it is none.
    """
    csv.field_size_limit(2**31 - 1)
    return [row for row in csv.reader(io.StringIO(text, newline="")) if row]


def check_row(row: list[str], where: str) -> None:
    """Refuse a row that does not have the published columns."""
    if len(row) != len(COLUMNS):
        raise InputError(
            f"{where}: found {len(row)} columns, expected the {len(COLUMNS)} published ones; the "
            "file is cut off or damaged"
        )


def row_key(row: list[str]) -> tuple[str, ...]:
    """Return the cells that say which simulation a row holds: its problem and its density."""
    known = zip(COLUMNS[: COLUMNS.index("E_f")], row, strict=False)
    return tuple(cell for name, cell in known if name != "step_count")


def row_checksum(row: list[str]) -> str:
    """Return the name by which the origin of a row is found; quotes and line ends do not matter."""
    return checksum("\0".join(row).encode())


def read_dataframe(path: Path) -> list[dict[str, Any]]:
    """Read a published CSV "dataframe": one dictionary a simulation, arrays as float64.

    ``origin`` is the simulation's `Origin`, or None where it is not known.

    Raises
    ------
    InputError
        When the file cannot be read or is not of this format.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            header, *rows = rows_of(file.read()) or [[]]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read ({error})") from None
    if header != COLUMNS:
        raise InputError(
            f"{path}: row 1 does not have the published columns; expected {COLUMNS[0]}, "
            f"{COLUMNS[1]}, … {COLUMNS[-1]}"
        )
    if not rows:
        raise InputError(f"{path}: holds no simulation; expected a header and a row for each")
    origins = read_origins(path)
    return [
        _row(row, f"{path}, simulation {number}") | {"origin": origins.get(row_checksum(row))}
        for number, row in enumerate(rows, 1)
    ]


def _row(cells: list[str], where: str) -> dict[str, Any]:
    check_row(cells, where)
    row: dict[str, Any] = dict(zip(COLUMNS, cells, strict=True))
    for name in COLUMNS[COLUMNS.index("rho") :]:
        row[name] = _parse_array(row[name], f"{where}, column {name}")
    ny, nx = row["rho"].shape
    steps = len(row["E_u"])
    for name in COLUMNS[COLUMNS.index("E_f") :]:
        cells_along = {"u": nx, "d": nx, "l": ny, "r": ny}
        kind = name.split("_")[1]
        expected = (ny, nx) if kind == "f" else (steps, cells_along[kind])
        if row[name].shape != expected:
            raise InputError(
                f"{where}, column {name}: found {row[name].shape} numbers, expected {expected} as "
                "in the columns rho and E_u; the file is cut off or damaged"
            )
    return row


def _parse_array(text: str, where: str) -> np.ndarray:
    text = text.strip()
    if not (text.startswith("[[") and text.endswith("]]")):
        raise InputError(
            f"{where}: found '{text[:8]} ... {text[-8:]}', expected rows of numbers ([[1, 2], "
            "[3, 4]]); the file is cut off or damaged"
        )
    rows = text.removeprefix("[[").removesuffix("]]").split("], [")
    try:
        values = np.array([[float(number) for number in row.split(",")] for row in rows])
    except ValueError:  # a word, or rows of different lengths
        raise InputError(
            f"{where}: found something else than rows of numbers ([[1, 2], [3, 4]]); correct it"
        ) from None
    if not np.isfinite(values).all():
        raise InputError(f"{where}: holds NaN or infinity, expected numbers; leave this row out")
    return values
