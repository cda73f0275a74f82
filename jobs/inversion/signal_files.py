"""Reading a user's own signals: solution.h5, sds02 files, and the published CSV exports."""

from collections.abc import Mapping
from math import isfinite, nan
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from opalux.base.axes import EDGES, QUANTITIES, along
from opalux.base.config import check
from opalux.base.errors import InputError
from opalux.base.yaml_text import parse_yaml
from opalux.learning.data.measurement import Measurement
from opalux.solver.files.solution import read_solution
from opalux.solver.legacy.cfg import physics_of
from opalux.solver.legacy.dataframe import COLUMNS, read_dataframe
from opalux.solver.legacy.letters import LETTERS
from opalux.solver.legacy.origins import Origin, origins_beside, step_of
from opalux.solver.legacy.sds import read_sds
from opalux.solver.problem import Problem
from opalux.solver.solution import edge_quantities

KINDS = "a solution.h5, a .sds file, a .csv export, or a folder of these"
SUFFIXES = (".csv", ".h5", ".sds")


def read_measurements(paths: list[Path], dt: float | None) -> list[Measurement]:
    """Read everything in ``paths``.

    Parameters
    ----------
    paths : files, or folders of files
    dt : step [sh] of sds02 and CSV files; None: as the file beside them says, and where there is
        none, as published, CFL·Δx/c (with CFL = 0.5 on [0, 1] for sds02 files)

    Raises
    ------
    InputError
        When a file is missing or not of a known kind.
    """
    found: list[Measurement] = []
    for path in paths:
        files = [path]
        if path.is_dir():
            files = files_in(path)
        if not files:
            raise InputError(f"{path}: found no signals in this folder, expected {KINDS}")
        for file in files:
            found += _read(file, dt)
    return found


def _read(path: Path, dt: float | None) -> list[Measurement]:
    if not path.is_file():
        raise InputError(f"{path}: no such file, expected {KINDS}")
    if (path.parent / "dataset.yaml").is_file():
        raise InputError(f"{path}: found a file of a data set, expected {KINDS}")
    if path.suffix.lower() == ".h5":
        return [_from_solution(path)]
    if path.suffix.lower() == ".sds":
        return _from_sds(path, dt)
    if path.suffix.lower() == ".csv":
        return _from_csv(path, dt)
    raise InputError(f"{path}: found a file '{path.suffix}', expected {KINDS}")


def files_in(folder: Path) -> list[Path]:
    """Return the signal files of a folder; hidden ones are half-written and left out."""
    inside = (path for path in folder.iterdir() if not path.name.startswith("."))
    return sorted(path for path in inside if path.suffix.lower() in SUFFIXES)


def _from_solution(path: Path) -> Measurement:
    try:
        solution = read_solution(path)
        with h5py.File(path, "r") as file:
            config = parse_yaml(str(file.attrs["config"]), str(path))
        sources = [name for name in EDGES if config["edges"][name]["kind"] == "source"]
        for name, signal in solution.signals.items():
            cells = solution.rho.shape[1 if along(name) == "x" else 0]
            expected = (len(solution.times), 4, cells)
            if signal.shape != expected or signal.dtype.kind != "f":
                raise ValueError(
                    f"signals/{name}: found {signal.dtype} {signal.shape[::2]}, "
                    f"expected real numbers {expected[::2]}"
                )
    except (OSError, LookupError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise InputError(
            f"{path}: is no solution.h5 of `opalux solve`, or is damaged ({error}); solve again"
        ) from None
    source = _one(sources, path)
    _require_problem(config, source, str(path))
    ny, nx = solution.rho.shape  # a density out of a file gives them
    config = {**config, "grid": {**config["grid"], "nx": nx, "ny": ny}}
    with np.errstate(over="ignore"):  # of what is damaged; who uses the signals refuses infinity
        signals = {e: np.stack(edge_quantities(s)) for e, s in solution.signals.items()}
    return Measurement(str(path), source, solution.times, signals, config, at=solution.at)


def _require_problem(config: Mapping[str, Any], source: str, name: str) -> None:
    """Refuse a configuration, of the file ``name``, that is none of a problem with this source."""
    groups = [config.get(key) for key in ("grid", "constants", "material", "initial", "edges")]
    edges = groups[-1]
    good = all(isinstance(group, Mapping) for group in groups) and isinstance(edges, Mapping)
    if good and edges:
        pulses = edges[source].get("sources") if isinstance(edges.get(source), Mapping) else None
        good = isinstance(pulses, list | tuple) and len(pulses) > 0
        good &= all(isinstance(one, Mapping) for one in (*edges.values(), *(pulses or ())))
        good &= _is_interval(config["grid"].get("x")) and _is_interval(
            config["grid"].get("y"), True
        )
    if not good or not edges:
        raise InputError(
            f"{name}: found a configuration that is none of a problem with a source on '{source}'; "
            "the file is damaged, or another program changed it"
        )


def _is_interval(value: Any, optional: bool = False) -> bool:
    if value is None:
        return optional
    numbers = isinstance(value, list | tuple) and len(value) == 2
    return numbers and all(isinstance(end, int | float) for end in value)


def _from_sds(path: Path, dt: float | None) -> list[Measurement]:
    found = []
    for number, record in enumerate(read_sds(path), start=1):
        name = f"{path}, simulation {number}"
        if record.edge < 0 or record.position >= 0:
            raise InputError(f"{name}: expected a source on the whole of one edge")
        step, assumed = record.step(dt)
        times = np.arange(len(record.signals["up"]), dtype=np.float64) * step
        signals = {e: np.moveaxis(s, 1, 0).astype(float) for e, s in record.signals.items()}
        physics, source = None, EDGES[record.edge]
        if record.origin:
            physics = record.origin.problem
            _require_problem(physics, source, str(origins_beside(path)))
        found.append(Measurement(name, source, times, signals, physics, assumed=assumed))
    return found


def _from_csv(path: Path, dt: float | None) -> list[Measurement]:
    found = []
    for number, row in enumerate(read_dataframe(path), start=1):
        name = f"{path}, simulation {number}"
        sources = [e for k, e in LETTERS.items() if str(row[f"E_{k}_expr"]).startswith("ponctuel")]
        source = _one(sources, name)
        origin: Origin | None = row["origin"]
        unknown: tuple[str, ...] = ()
        physics = None
        if origin:
            physics = origin.problem
            _require_problem(physics, source, str(origins_beside(path)))
        elif all(row[key] != "" for key in _DESCRIBED):
            physics = _physics_of(row, name)
            pulse = f"edges.{source}.sources.0."
            unknown = ("scheme", "order", *(pulse + key for key in _NOT_IN_CSV))
        published = nan if origin or dt else _published_step(row, name)
        step, assumed = step_of(origin, dt, published)
        signals = {
            edge: np.stack([row[f"{quantity}_{letter}"] for quantity in QUANTITIES])
            for letter, edge in LETTERS.items()
        }
        times = np.arange(len(row["E_u"]), dtype=np.float64) * step
        found.append(Measurement(name, source, times, signals, physics, unknown, assumed))
    return found


_DESCRIBED = COLUMNS[: COLUMNS.index("rho_attr")]

_NOT_IN_CSV = ("amplitude", "frequency", "signal", "table")
"""What a source radiates: the published columns say only where."""


def _physics_of(row: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return what the columns of a row say, and the defaults for the rest."""
    values = {column.removesuffix("_expr"): row[column] for column in _DESCRIBED}
    x, y = (tuple(_number(row, f"{axis}_{end}", name) for end in ("min", "max")) for axis in "xy")
    ny, nx = row["rho"].shape
    problem = {"grid": {"nx": nx, "ny": ny, "x": x, "y": y}, **physics_of(values, name)}
    checked = check(Problem, problem, source=name, folder=Path())
    return checked.model_dump(mode="json")


def _published_step(row: Mapping[str, Any], name: str) -> float:
    """Return Δt = CFL·Δx/c of a row of the published CSV [sh]."""
    low, high, cfl, c = (_number(row, key, name) for key in ("x_min", "x_max", "CFL", "c"))
    return cfl * (high - low) / row["rho"].shape[1] / c


def _number(row: Mapping[str, Any], column: str, name: str) -> float:
    try:
        number = float(row[column])
    except ValueError:
        number = nan
    if not isfinite(number):
        raise InputError(
            f"{name}, column {column}: found '{row[column]}', expected a finite number"
        )
    return number


def _one(sources: list[str], path: Path | str) -> str:
    if len(sources) != 1:
        raise InputError(
            f"{path}: found {len(sources)} edges with a source, expected one at a time; solve each "
            "source by itself"
        )
    return sources[0]
