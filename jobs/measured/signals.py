"""All signal files of an inversion as rows, with what the files say of the sources."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from opalux.base.axes import EDGES, along
from opalux.base.errors import InputError
from opalux.jobs.inversion.signal_files import KINDS, files_in, read_measurements
from opalux.jobs.measured.series import (
    cells_of,
    picked,
    remarks_on,
    require_fit,
    rows_of,
    source_of,
)
from opalux.jobs.measured.settings import InvertSettings, MeasuredProblem, Source
from opalux.learning.data.measurement import Measurement
from opalux.solver.files.measurements import Table, is_table, read_table
from opalux.solver.inversion.rows import Rows, joined


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Measured:
    """All that was measured.

    Attributes
    ----------
    rows : of all files, in an order that does not depend on that of the files
    sources : what the files say of the sources; empty where they say nothing
    cells : cells along x of the grid whose first cells the signals are of; 0: of the edge itself
    series : the files that hold whole time series, as read
    one_time_in : of so many times of these files one is used; 1: all
    remarks : what was assumed or left out
    """

    rows: Rows
    sources: Mapping[str, Source]
    cells: int
    series: Sequence[Measurement] = ()
    one_time_in: int = 1
    remarks: Sequence[str] = ()


def read_signals(paths: Sequence[Path], settings: InvertSettings) -> Measured:
    """Read all signal files: long tables, solution.h5, .sds and published CSV.

    Tables are taken whole; of the others, no more times than `most_values` allows.

    Raises
    ------
    InputError
        When one is missing or wrong, or does not fit the problem or the others.
    """
    problem = settings.problem
    tables: list[Table] = []
    series: list[Measurement] = []
    for path in _files(paths):
        if path.suffix.lower() in (".csv", ".h5") and is_table(path):
            tables.append(read_table(path))
            _require_fit(tables[-1], problem)
        else:
            series += read_measurements([path], settings.dt)
    require_fit(series, problem)
    grids = {cells_of(one) for one in series} | ({0} if tables else set())
    if len(grids) > 1:
        raise InputError(
            "signals: found some of the edge itself and some of cells, or of cells of several "
            "grids; expected one kind: solve with 'signals: {at: edge}'"
        )
    picks = picked(series, problem.time.final, settings.most_values)
    parts = [table.rows for table in tables]
    parts += [rows_of(one, problem, picks.one_in) for one in series]
    rows = joined(parts).in_order()
    if twice := rows.first_repeated():
        row = twice[0]
        raise InputError(
            f"signals: found source {rows.source[row]}, {rows.place(row)}, quantity "
            f"{rows.quantity[row]} at {rows.time[row]:g} sh in two "
            "files, expected each value once; leave one out"
        )
    _require_late(rows, problem)
    return Measured(
        rows=rows,
        sources={one.source: source for one in series if (source := source_of(one))},
        series=series,
        cells=grids.pop(),
        one_time_in=picks.one_in,
        remarks=remarks_on(series, picks, problem),
    )


def _files(paths: Sequence[Path]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = files_in(path)
            if not inside:
                raise InputError(f"{path}: found no signals in this folder, expected {KINDS}")
            files += inside
        elif not path.is_file():
            raise InputError(f"{path}: no such file; give a table of signals, or {KINDS}")
        else:
            files.append(path)
    return files


def _require_late(rows: Rows, problem: MeasuredProblem) -> None:
    """Refuse a source of which all times are too short for light to pass a cell of the map."""
    c, final = problem.constants.c, problem.time.final
    step = min(problem.cells.dx, problem.cells.dy) / c
    for source in rows.sources:
        last = float(rows.time[rows.source == source].max())
        if last < step:
            raise InputError(
                f"signals: source {source}: found times up to {last:g} sh, in which light passes "
                f"{c * last:.2g} cm, less than a cell of the map, expected times up to "
                f"problem.time.final = {final:g} sh; check the unit of the times"
            )


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
