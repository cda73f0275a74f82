"""Reading a user's own signals: solution.h5, sds02 files, and the published CSV exports."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np

from opalux.base.axes import EDGES, QUANTITIES
from opalux.base.errors import InputError
from opalux.base.yaml_text import parse_yaml
from opalux.learning.data.measurement import Measurement
from opalux.solver.files.solution import read_solution
from opalux.solver.legacy.dataframe import read_dataframe
from opalux.solver.legacy.letters import LETTERS
from opalux.solver.legacy.sds import read_sds
from opalux.solver.solution import edge_quantities

KINDS = "a solution.h5, a .sds file, a .csv export, or a folder of these"


def read_measurements(paths: list[Path], dt: float | None) -> list[Measurement]:
    """Read everything in ``paths``.

    Parameters
    ----------
    paths : files, or folders of files
    dt : step [sh] of sds02 and CSV files, which do not keep it; None: as published, CFL·Δx/c (with
        CFL = 0.5 on [0, 1] for sds02 files)

    Raises
    ------
    InputError
        When a file is missing or not of a known kind.
    """
    found: list[Measurement] = []
    for path in paths:
        files = [path]
        if path.is_dir():
            files = sorted(p for p in path.iterdir() if p.suffix.lower() in (".h5", ".sds", ".csv"))
        if not files:
            raise InputError(f"{path}: found no signals in this folder, expected {KINDS}")
        for file in files:
            found += _read(file, dt)
    return found


def _read(path: Path, dt: float | None) -> list[Measurement]:
    if not path.is_file():
        raise InputError(f"{path}: no such file, expected {KINDS}")
    if path.suffix.lower() == ".h5":
        return [_from_solution(path)]
    if path.suffix.lower() == ".sds":
        return _from_sds(path, dt)
    if path.suffix.lower() == ".csv":
        return _from_csv(path, dt)
    raise InputError(f"{path}: found a file '{path.suffix}', expected {KINDS}")


def _from_solution(path: Path) -> Measurement:
    try:
        solution = read_solution(path)
        with h5py.File(path, "r") as file:
            config = parse_yaml(str(file.attrs["config"]), str(path))
        edges = config["edges"]
    except (OSError, KeyError, TypeError, InputError) as error:
        raise InputError(f"{path}: is no solution.h5 of `opalux solve` ({error})") from None
    sources = [name for name in EDGES if edges[name]["kind"] == "source"]
    signals = {e: np.stack(edge_quantities(s)) for e, s in solution.signals.items()}
    return Measurement(str(path), _one(sources, path), solution.times, signals, config)


def _from_sds(path: Path, dt: float | None) -> list[Measurement]:
    found = []
    for number, record in enumerate(read_sds(path), start=1):
        origin = f"{path}, simulation {number}"
        if record.edge < 0 or record.position >= 0:
            raise InputError(f"{origin}: expected a source on the whole of one edge")
        cells = record.density.shape[1]
        steps = np.arange(len(record.signals["up"])) * (dt or 0.5 / cells / 299.0)
        signals = {e: np.moveaxis(s, 1, 0).astype(float) for e, s in record.signals.items()}
        found.append(Measurement(origin, EDGES[record.edge], steps, signals))
    return found


def _from_csv(path: Path, dt: float | None) -> list[Measurement]:
    found = []
    for number, row in enumerate(read_dataframe(path), start=1):
        origin = f"{path}, row {number}"
        sources = [e for k, e in LETTERS.items() if str(row[f"E_{k}_expr"]).startswith("ponctuel")]
        steps = np.arange(len(row["E_u"]), dtype=np.float64)
        times = float(row["t_0"]) + steps * (dt or _published_step(row))
        signals = {
            edge: np.stack([row[f"{quantity}_{letter}"] for quantity in QUANTITIES])
            for letter, edge in LETTERS.items()
        }
        found.append(Measurement(origin, _one(sources, path), times, signals))
    return found


def _published_step(row: dict[str, Any]) -> float:
    """Return Δt = CFL·Δx/c of a row of the published CSV [sh]."""
    width = float(row["x_max"]) - float(row["x_min"])
    return float(row["CFL"]) * width / int(row["N"]) / float(row["c"])


def _one(sources: list[str], path: Path) -> str:
    if len(sources) != 1:
        raise InputError(
            f"{path}: found {len(sources)} edges with a source, expected one at a time; solve each "
            "source by itself"
        )
    return sources[0]
