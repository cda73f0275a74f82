"""The published program's own formats: its .cfg input, and its "dataframe" and "sds02" output.

A .cfg is white-space separated ``key value`` pairs. All of the published keys are read; its traps
are not reproduced: a trailing newline is welcome, the number of steps may be a whole number, and
densities of non-square grids are exported the right way round.
"""

import csv
import dataclasses
import difflib
import io
import math
import struct
from pathlib import Path
from typing import Any

import numpy as np

from opalux.base.axes import EDGES, QUANTITIES, flux_magnitude
from opalux.base.errors import InputError
from opalux.solver.march import Solution

LETTERS = dict(zip("udlr", EDGES, strict=True))
MAGIC = b"sds02"
PULSE_STARTS = (0.1, 0.3, 0.5, 0.7)  # the published portions of an edge, by number

_EDGE_KEYS = [f"{field}_{letter}{axis}" for letter in LETTERS for field, axis in
              (("E", ""), ("F", "_x"), ("F", "_y"), ("T", ""))]  # fmt: skip
_REQUIRED = [
    "c", "a", "C_v", "CFL", "precision", "t_0", "t_f", "rho", "sigma_a", "sigma_c",
    "E_0", "F_0_x", "F_0_y", "T_0", *_EDGE_KEYS,
]  # fmt: skip
_GRID = ["x_min", "x_max", "y_min", "y_max", "N"]
_OPTIONAL = [
    "M", "E_exact", "F_exact_x", "F_exact_y", "T_exact",
    "export_file", "export_mode", "write_mode", "simu_count",
]  # fmt: skip
KEYS = [*_GRID, *_REQUIRED, *_OPTIONAL]


def read_cfg(text: str, source: str, folder: Path) -> dict[str, Any]:
    """Translate a published .cfg into the configuration of `jobs.solve`.

    Parameters
    ----------
    text : contents of the file
    source : its name, for messages
    folder : where ``numpy:`` paths are looked for first (then in the current folder)

    Raises
    ------
    InputError
        On an unknown, missing or doubled key, or a value that cannot be meant.
    """
    values = _pairs(text, source)
    missing = [key for key in _REQUIRED if key not in values]
    if missing:
        raise InputError(f"{source}: missing {', '.join(missing)}; add them")
    density, grid = _density_and_grid(values, source, folder)
    config: dict[str, Any] = {
        "grid": grid,
        "time": {key: _number(values, name, source) for key, name in
                 (("final", "t_f"), ("cfl", "CFL"), ("start", "t_0"))},
        "constants": {key: _number(values, key, source) for key in ("c", "a")},
        "precision": _number(values, "precision", source),
        "material": {
            "density": density,
            "sigma_a": values["sigma_a"],
            "sigma_c": values["sigma_c"],
            "heat_capacity": values["C_v"],
        },
        "initial": {"E": values["E_0"], "Fx": values["F_0_x"], "Fy": values["F_0_y"],
                    "T": values["T_0"]},
        "edges": {edge: _edge(values, letter, source) for letter, edge in LETTERS.items()},
    }  # fmt: skip
    exact = {
        name: values[key]
        for name, key in (
            ("E", "E_exact"),
            ("Fx", "F_exact_x"),
            ("Fy", "F_exact_y"),
            ("T", "T_exact"),
        )
        if key in values
    }
    if exact:
        config["exact"] = exact
    if "export_file" in values:
        config["export"] = {
            "file": str(Path(values["export_file"]).absolute()),
            "mode": values.get("export_mode", "dataframe"),
            "write": values.get("write_mode", "truncate"),
            "simulations": _number(values, "simu_count", source, default=1),
        }
    return config


def _pairs(text: str, source: str) -> dict[str, str]:
    words = text.split()
    if len(words) % 2:
        raise InputError(f"{source}: found '{words[-1]}' without a value; give 'key value' pairs")
    values: dict[str, str] = {}
    for key, value in zip(words[::2], words[1::2], strict=True):
        if key not in KEYS:
            near = difflib.get_close_matches(key, KEYS, n=1)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            raise InputError(
                f"{source}: unknown key '{key}'{hint} (formulas must not contain spaces; "
                f"valid keys: {', '.join(KEYS)})"
            )
        if key in values:
            raise InputError(f"{source}: key '{key}' stands twice; keep one")
        values[key] = value
    return values


def _number(values: dict[str, str], key: str, source: str, default: float | None = None) -> float:
    if key not in values and default is not None:
        return default
    if key not in values:
        raise InputError(f"{source}: missing {key}; add it")
    try:
        number = float(values[key])
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"{source}: {key}: found '{values[key]}', expected a finite number")
    return number


def _density_and_grid(
    values: dict[str, str], source: str, folder: Path
) -> tuple[dict[str, Any], dict[str, Any]]:
    rho = values["rho"]
    if rho.startswith("numpy:"):
        path = Path(rho.removeprefix("numpy:"))
        if not (folder / path).exists() and path.exists():
            path = path.absolute()
        density: dict[str, Any] = {"kind": "array", "file": str(path)}
        try:
            ny, nx = np.load(folder / path, mmap_mode="r", allow_pickle=False).shape
        except FileNotFoundError:
            raise InputError(f"{source}: rho: no such file '{folder / path}'") from None
        except (OSError, ValueError, EOFError) as error:
            raise InputError(
                f"{source}: rho: '{folder / path}' is no readable (ny, nx) array ({error})"
            ) from None
        # The original passes y_max through text with six decimals.
        return density, {"nx": nx, "ny": ny, "x": [0.0, 1.0], "y": [0.0, float(f"{ny / nx:f}")]}
    x_min, x_max, y_min, y_max, N = (_number(values, key, source) for key in _GRID)
    if not (x_min < x_max and y_min < y_max and N >= 1 and int(N) == N):
        raise InputError(
            f"{source}: found x [{x_min}, {x_max}], y [{y_min}, {y_max}], N {N}; "
            "expected x_min < x_max, y_min < y_max and a whole N > 0"
        )
    nx = int(N)
    rows = nx * (y_max - y_min) / (x_max - x_min)
    if not 1 <= rows < math.inf:
        raise InputError(f"{source}: found {rows:.3g} cells along y; change N, y_max or x_max")
    ny = int(rows)
    grid = {"nx": nx, "ny": ny, "x": [x_min, x_max], "y": [y_min, y_max]}
    if rho.startswith("crenau"):
        x, y, low, high = _arguments(rho, "crenau", 4, source)
        return {"kind": "niche", "x": x, "y": y, "low": low, "high": high}, grid
    return {"kind": "formula", "formula": rho}, grid


def _arguments(text: str, name: str, count: int, source: str) -> list[float]:
    inside = text.removeprefix(name).strip()
    parts = inside.removeprefix("(").removesuffix(")").split(",")
    try:
        if not (inside.startswith("(") and inside.endswith(")") and len(parts) == count):
            raise ValueError
        return [float(part) for part in parts]
    except ValueError:
        raise InputError(
            f"{source}: found '{text}', expected {name}(...) with {count} numbers"
        ) from None


def _edge(values: dict[str, str], letter: str, source: str) -> dict[str, Any]:
    """Translate the four entries of one edge; as published, F_x decides for both components."""

    def rule(key: str) -> str:
        return "free" if values[key] == "neumann" else values[key]

    Fx, Fy, T = rule(f"F_{letter}_x"), rule(f"F_{letter}_y"), rule(f"T_{letter}")
    if "free" in (Fx, Fy) and Fx != Fy:
        raise InputError(
            f"{source}: found F_{letter}_x {values[f'F_{letter}_x']} with F_{letter}_y "
            f"{values[f'F_{letter}_y']}; make both neumann or both formulas"
        )
    E = values[f"E_{letter}"]
    if E.startswith("ponctuel"):
        start, stop = _arguments(E, "ponctuel", 2, source)
        return {
            "kind": "source",
            "sources": [{"start": start, "stop": stop}],
            "Fx": Fx,
            "Fy": Fy,
            "T": T,
        }
    return {"kind": "prescribed", "E": rule(f"E_{letter}"), "Fx": Fx, "Fy": Fy, "T": T}


@dataclasses.dataclass(frozen=True)
class SdsRecord:
    """One simulation of an sds02 file.

    Attributes
    ----------
    edge, position : number of the source's edge (up, down, left, right; −1 none) and of its
        portion (−1: none of the published ones)
    density : (ny, nx) float32, row 0 = bottom
    signals : per edge (steps, 3, cells) float32: E, |F|, T
    """

    edge: int
    position: int
    density: np.ndarray
    signals: dict[str, np.ndarray]


_HEADER = struct.Struct("<5sHHHHc")


def read_sds(path: Path) -> list[SdsRecord]:
    """Read an sds02 file.

    Raises
    ------
    InputError
        When it is not one, or is cut off.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    if len(data) < _HEADER.size or not data.startswith(MAGIC):
        raise InputError(f"{path}: found {data[:5]!r}, expected an sds02 file")
    _, _, N, M, steps, _ = _HEADER.unpack_from(data)
    sizes = {"up": N, "down": N, "left": M, "right": M}
    length = 2 + 4 * (M * N + 3 * steps * 2 * (N + M)) + 1
    body = len(data) - _HEADER.size
    if body % length or body == 0:
        raise InputError(
            f"{path}: found {body} bytes behind the header, expected a multiple of {length} "
            f"(N {N}, M {M}, {steps} steps); the file is cut off or damaged"
        )
    records = []
    for start in range(_HEADER.size, len(data), length):
        edge, position = struct.unpack_from("<bb", data, start)
        place = start + 2
        density = np.frombuffer(data, "<f4", M * N, place).reshape(M, N)
        place += density.nbytes
        signals = {}
        for name in EDGES:
            cells = sizes[name]
            signal = np.frombuffer(data, "<f4", 3 * steps * cells, place)
            signals[name] = np.moveaxis(signal.reshape(3, steps, cells), 0, 1)
            place += signal.nbytes
        records.append(SdsRecord(edge, position, density, signals))
    return records


def sds_bytes(
    solution: Solution, edge: int, start: float | None, simulations: int, header: bool
) -> bytes:
    """Return a simulation in the sds02 format.

    Parameters
    ----------
    edge, start : number of the source's edge (−1: none) and where the source starts [cm]
    simulations : how many simulations the file is to hold (for the header)
    header : whether the file begins with this simulation
    """
    ny, nx = solution.rho.shape
    steps = len(solution.times)
    limit = 2**16 - 1
    if max(nx, ny, steps, simulations) > limit:
        raise InputError(f"sds02 holds at most {limit} cells, steps and simulations")
    position = PULSE_STARTS.index(start) if start in PULSE_STARTS and edge >= 0 else -1
    out = io.BytesIO()
    if header:
        out.write(_HEADER.pack(MAGIC, simulations, nx, ny, steps, b"\n"))
    out.write(struct.pack("<bb", edge, position))
    out.write(solution.rho.astype("<f4").tobytes())
    for name in EDGES:
        for quantity in edge_quantities(solution.signals[name]):
            out.write(quantity.astype("<f4").tobytes())
    out.write(b"\n")
    return out.getvalue()


def edge_quantities(signal: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the recorded quantities E, |F|, T (n, cells) out of a signal (n, 4, cells)."""
    return signal[:, 0], flux_magnitude(signal[:, 1:3], axis=1), signal[:, 3]


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
        with path.open(newline="", encoding="utf-8") as file:
            csv.field_size_limit(2**31 - 1)
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read ({error})") from None
    first_array = COLUMNS.index("rho")
    out = []
    for number, row in enumerate(rows, 1):
        if list(row) != COLUMNS or None in row.values():
            raise InputError(f"{path}: row {number} has not the published columns")
        try:
            out.append(
                {
                    name: _parse_array(row[name]) if k >= first_array else row[name]
                    for k, name in enumerate(COLUMNS)
                }
            )
        except ValueError:
            raise InputError(f"{path}: row {number} holds something that is no number") from None
    return out


def _parse_array(text: str) -> np.ndarray:
    rows = text.strip().removeprefix("[[").removesuffix("]]").split("], [")
    return np.array([[float(number) for number in row.split(",")] for row in rows])
