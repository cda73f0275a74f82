"""The published .cfg input: white-space separated ``key value`` pairs.

All of the published keys are read; its traps are not reproduced: a trailing newline is welcome, and
the number of steps may be a whole number.
"""

import difflib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from opalux.base.errors import InputError
from opalux.solver.density_files import open_map
from opalux.solver.legacy.letters import LETTERS

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
    """Translate a published .cfg into a configuration of ``opalux solve``.

    Parameters
    ----------
    text : contents of the file
    source : its name, for messages
    folder : where ``numpy:`` paths are looked for first (then in the current folder)

    Raises
    ------
    InputError
        On an unknown, missing or doubled key, or an invalid value.
    """
    values = _pairs(text, source)
    missing = [key for key in _REQUIRED if key not in values]
    if missing:
        raise InputError(f"{source}: missing {', '.join(missing)}; add them")
    density, grid = _density_and_grid(values, source, folder)
    physics = physics_of(values, source)
    physics["material"]["density"] = density
    config: dict[str, Any] = {"grid": grid, **physics}
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


def physics_of(values: Mapping[str, str], source: str) -> dict[str, Any]:
    """Return the configuration without grid and density; ``values`` go by the published keys.

    Raises
    ------
    InputError
        On an invalid value.
    """
    return {
        "time": {key: _number(values, name, source) for key, name in
                 (("final", "t_f"), ("cfl", "CFL"), ("start", "t_0"))},
        "constants": {key: _number(values, key, source) for key in ("c", "a")},
        "precision": _number(values, "precision", source),
        "material": {
            "sigma_a": values["sigma_a"],
            "sigma_c": values["sigma_c"],
            "heat_capacity": values["C_v"],
        },
        "initial": {"E": values["E_0"], "Fx": values["F_0_x"], "Fy": values["F_0_y"],
                    "T": values["T_0"]},
        "edges": {edge: _edge(values, letter, source) for letter, edge in LETTERS.items()},
    }  # fmt: skip


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
            raise InputError(f"{source}: key '{key}' is given twice; keep one")
        values[key] = value
    return values


def _number(
    values: Mapping[str, str], key: str, source: str, default: float | None = None
) -> float:
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
        density: dict[str, Any] = {"kind": "array", "file": str(path), "first_row": "top"}
        try:
            with open_map(folder / path) as array:
                ny, nx = array.shape
        except InputError as error:
            raise InputError(f"{source}: rho: {error}") from None
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


def _edge(values: Mapping[str, str], letter: str, source: str) -> dict[str, Any]:
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
