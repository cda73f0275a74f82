"""The signal files of an inversion as rows, with what the files say of the sources."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from opalux.base.axes import EDGES, QUANTITIES, along
from opalux.base.errors import InputError
from opalux.jobs.inversion.signal_files import KINDS, read_measurements
from opalux.jobs.measured.settings import MeasuredProblem, Source
from opalux.learning.data.measurement import Measurement
from opalux.solver.files.measurements import Table, is_table, read_table
from opalux.solver.files.table_columns import FARTHEST
from opalux.solver.inversion.rows import Rows, joined

SUFFIXES = (".csv", ".h5", ".sds")


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Measured:
    """All that was measured.

    Attributes
    ----------
    rows : of all files, in an order that does not depend on that of the files
    sources : what the files say of the sources; empty where they say nothing
    cells : cells along x of the grid whose first cells the signals are of; 0: of the edge itself
    """

    rows: Rows
    sources: Mapping[str, Source]
    cells: int


def read_signals(paths: Sequence[Path], problem: MeasuredProblem, dt: float | None) -> Measured:
    """Read all signal files: long tables, solution.h5, .sds and published CSV.

    Raises
    ------
    InputError
        When one is missing or wrong, or does not fit the problem or the others.
    """
    parts: list[Rows] = []
    sources: dict[str, Source] = {}
    grids: set[int] = set()
    for path in _files(paths):
        if path.suffix.lower() in (".csv", ".h5") and is_table(path):
            table = read_table(path)
            _require_fit(table, problem)
            parts.append(table.rows)
            grids.add(0)
            continue
        for measured in read_measurements([path], dt):
            parts.append(_rows_of(measured, problem))
            grids.add(_cells_of(measured))
            if measured.physics is not None:
                sources[measured.source] = _source_of(measured)
    if len(grids) > 1:
        raise InputError(
            "signals: found some of the edge itself and some of cells, or of cells of several "
            "grids; expected one kind: solve with 'signals: {at: edge}'"
        )
    rows = joined(parts).in_order()
    if twice := rows.first_repeated():
        row = twice[0]
        raise InputError(
            f"signals: found source {rows.source[row]}, {rows.place(row)}, quantity "
            f"{rows.quantity[row]} at {rows.time[row]:g} sh in two "
            "files, expected each value once; leave one out"
        )
    return Measured(rows=rows, sources=sources, cells=grids.pop())


def _files(paths: Sequence[Path]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES)
            if not inside:
                raise InputError(f"{path}: found no signals in this folder, expected {KINDS}")
            files += inside
        elif not path.is_file():
            raise InputError(f"{path}: no such file; give a table of signals, or {KINDS}")
        else:
            files.append(path)
    return files


def _require_fit(table: Table, problem: MeasuredProblem) -> None:
    """Refuse rows off the edges or the domain, or at times that are not simulated."""
    rows, final, grid = table.rows, problem.time.final, problem.cells
    along_x = np.array([bool(edge) and along(edge) == "x" for edge in rows.edge.tolist()])
    places = []
    for column, where, (low, high) in (
        ("position", ~rows.inside & along_x, grid.x),
        ("position", ~rows.inside & ~along_x, grid.y),
        ("x", rows.inside, grid.x),
        ("y", rows.inside, grid.y),
    ):
        centre, half, slack = getattr(rows, column), rows.width / 2, 1e-9 * (high - low)
        outside = where & ((centre - half < low - slack) | (centre + half > high + slack))
        kind = "on the edge" if column == "position" else "inside"
        places.append((outside, column, centre, f"a detector {kind}, from {low:g} to {high:g} cm"))
    for wrong, column, found, expected in (
        *places,
        (rows.time < 0, "time", rows.time, "a time >= 0; the source starts at 0"),
        (
            rows.time > final * (1 + 1e-9),
            "time",
            rows.time,
            f"at most problem.time.final = {final:g} sh; raise it, or leave the row out",
        ),
    ):
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            width = float(rows.width[row]) if column != "time" else 0.0
            wide = f" of width {width:g}" if width else ""
            raise InputError(
                f"{table.place(row, column)}: found {found[row]:g}{wide}, expected {expected}"
            )


def _cells_of(measured: Measurement) -> int:
    return 0 if measured.at == "edge" else int(measured.signals["up"].shape[-1])


def _source_of(measured: Measurement) -> Source:
    """Return what a solution.h5 says of its source."""
    edge = (measured.physics or {})["edges"][measured.source]
    pulses = edge.get("sources") or [{}]
    if len(pulses) != 1:
        raise InputError(
            f"{measured.origin}: found {len(pulses)} portions that radiate, expected one; solve "
            "each by itself"
        )
    return Source.model_validate({**pulses[0], "edge": measured.source, "T": edge.get("T", "5")})


def _rows_of(measured: Measurement, problem: MeasuredProblem) -> Rows:
    """Return signals along whole edges as rows."""
    parts: list[Rows] = []
    grid, final = problem.cells, problem.time.final
    kept = measured.times <= final * (1 + 1e-9)
    times = measured.times[kept]
    if len(times) < 2:
        raise InputError(
            f"{measured.origin}: found {len(times)} times up to problem.time.final = {final:g} sh, "
            "expected at least two; raise it"
        )
    for edge in EDGES:
        values = np.asarray(measured.signals[edge])[:, kept]
        if not (np.abs(values) <= FARTHEST).all():
            raise InputError(
                f"{measured.origin}: edge {edge}: found NaN, infinity or numbers beyond "
                f"{FARTHEST:g}, expected signals"
            )
        low, high = getattr(grid, along(edge))
        cells = values.shape[-1]
        places = low + (np.arange(cells) + 0.5) * ((high - low) / cells)
        for quantity, value in zip(QUANTITIES, values, strict=True):
            n = value.size
            parts.append(
                Rows(
                    source=np.full(n, measured.source),
                    edge=np.full(n, edge),
                    quantity=np.full(n, quantity),
                    position=np.tile(places, len(times)),
                    width=np.zeros(n),
                    time=np.repeat(times, cells),
                    value=value.ravel().astype(float),
                    sigma=np.full(n, np.nan),
                )
            )
    return joined(parts)


def named_sources(
    given: Mapping[str, Source] | None, measured: Measured
) -> tuple[dict[str, Source], list[str]]:
    """Return the source behind each name of the signals, and remarks on what was assumed.

    Raises
    ------
    InputError
        When a name is not known.
    """
    found: dict[str, Source] = {}
    remarks: list[str] = []
    for name in measured.rows.sources:
        if given is not None:
            if name not in given:
                raise InputError(
                    f"sources: found signals of a source '{name}', expected one of "
                    f"{', '.join(given) or 'none'}; add it to 'sources', or leave its rows out"
                )
            found[name] = given[name]
        elif name in measured.sources:
            found[name] = measured.sources[name]
        elif name in EDGES:
            found[name] = Source.model_validate({"edge": name})
            pulse = found[name]
            remarks.append(
                f"source {name}: not described, so taken as the whole edge with "
                f"{pulse.amplitude:g}·sin(2π·{pulse.frequency:g}·t)"
            )
        else:
            raise InputError(
                f"sources: found signals of a source '{name}' and nothing on what it is; add "
                f"'sources: {{{name}: {{edge: ..., amplitude: ..., frequency: ...}}}}'"
            )
    return found, remarks


def problem_of(problem: MeasuredProblem, source: Source, *, at: str) -> dict[str, Any]:
    """Return a problem with one source, as what `Problem` is made from."""
    data = problem.model_dump()
    data["material"].pop("density")
    data["edges"][source.edge] = source.on_edge().model_dump()
    data["signals"] = {"at": at}
    return data
