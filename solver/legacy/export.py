"""Exports in the formats of the original program: what can be exported, and where to."""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pydantic

from opalux.base.axes import EDGES
from opalux.base.differences import differences
from opalux.base.errors import InputError
from opalux.base.files import atomic
from opalux.base.locks import try_lock
from opalux.base.messages import LOGGER
from opalux.base.settings import Settings, SettingsPath
from opalux.solver.legacy.dataframe import dataframe_row, described_cells, row_key
from opalux.solver.legacy.described import described, first_source
from opalux.solver.legacy.held import Held, read_held
from opalux.solver.legacy.origins import Origin, read_origins, write_origins
from opalux.solver.legacy.sds import LIMIT, SdsHeader, sds_key, sds_record
from opalux.solver.problem import Problem
from opalux.solver.solution import Solution
from opalux.solver.start import block_density, time_steps

NOT_COMPARED = {"grid", "edges", "dtype", "precision", "detectors"}
"""Keys in which simulations of one sds02 file may differ: what it says, and what hardly shows."""


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
    grid, steps = problem.cells, len(time_steps(problem)[1])
    if problem.signals.at != "cell":
        raise InputError(
            f"signals.at: found {problem.signals.at} with an export, whose formats hold the "
            "signals in the cells along the edges; set signals.at=cell, or leave the export out"
        )
    _require_known_portions(problem)
    if export.mode == "binary" and max(grid.nx, grid.ny, steps, export.simulations) > LIMIT:
        raise InputError(
            f"export.mode: sds02 holds at most {LIMIT} cells a side and steps, found "
            f"{grid.nx} x {grid.ny} cells and {steps} steps; use mode: dataframe"
        )
    _held(problem, export)


def _require_known_portions(problem: Problem) -> None:
    """Refuse sources that the formats cannot say."""
    for name in EDGES:
        edge = getattr(problem.edges, name)
        for number, portion in enumerate(edge.sources if edge.kind == "source" else ()):
            if portion.ends == "share":
                raise InputError(
                    f"edges.{name}.sources.{number}.ends: found share with an export, whose "
                    "formats know the cells by their centres alone, expected centre; leave 'ends' "
                    "out, or the export"
                )


def check_addition(problem: Problem, export: Export, *, replace: bool) -> None:
    """Refuse to add a simulation to a file that holds it already, or holds those of other physics.

    Parameters
    ----------
    replace : a simulation of the same density and source is replaced
    """
    held = _held(problem, export)
    if not held.records:
        return
    rho = block_density(problem, problem.cells.whole)[1:-1, 1:-1]
    key = _key(problem, export, rho)
    others = [record for record in held.records if held.key(record) != key]
    if len(others) < len(held.records) and not replace:
        raise InputError(
            f"export.file: {export.file} holds a simulation of this density and source already; "
            "use --force to replace it, or another file"
        )
    unknown = _require_same_physics(problem, export, held, others)
    if unknown:
        LOGGER.warning(
            "export.file: %s holds %d simulations whose scheme and step are not known; one of "
            "scheme %s is added",
            export.file,
            unknown,
            problem.scheme,
        )


def _held(problem: Problem, export: Export) -> Held:
    """Return what is added to: nothing, where the file is to be replaced."""
    header = None
    if export.mode == "binary":
        grid = problem.cells
        header = SdsHeader(export.simulations, grid.nx, grid.ny, len(time_steps(problem)[1]))
    if export.write == "truncate":
        return Held(b"", [], header)
    return read_held(export.file, header)


def _key(problem: Problem, export: Export, rho: np.ndarray) -> Any:
    if export.mode == "binary":
        return sds_key(rho, *first_source(problem))
    return row_key(described_cells(described(problem, rho, 0), rho))


def _require_same_physics(problem: Problem, export: Export, held: Held, others: list[Any]) -> int:
    """Refuse to mix schemes, and in sds02 files other physics; return how many are not known."""
    origins = read_origins(export.file)
    own = _origin(problem).problem
    compared = {"scheme", "order"}  # a CSV says the others
    if export.mode == "binary":
        compared = own.keys() - NOT_COMPARED
    before = Problem(grid={"nx": 1}).model_dump(mode="json")  # for keys of later versions
    known = [origins[name] for name in map(held.checksum, others) if name in origins]
    for origin in known:
        there, here = (
            {key: one.get(key, before.get(key)) for key in own if key in compared}
            for one in (origin.problem, own)
        )
        differ = list(differences(there, here))
        if differ:
            raise InputError(
                f"export.file: {export.file} holds simulations of other physics "
                f"({'; '.join(differ[:3])}), which it cannot tell apart; use another file, or the "
                "same settings"
            )
    return len(others) - len(known)


def _origin(problem: Problem) -> Origin:
    fields = set(Problem.model_fields)
    content = problem.model_dump(
        mode="json", include=fields, exclude={"material": {"density": True}}
    )
    grid = problem.cells  # a density out of a file gives the cells
    content["grid"] |= {"nx": grid.nx, "ny": grid.ny, "x": list(grid.x), "y": list(grid.y)}
    return Origin(
        scheme=problem.scheme, order=problem.order, dt=time_steps(problem)[0], problem=content
    )


def check_target(export: Export) -> None:
    """Check that the export can be written, without leaving anything there."""
    path = export.file
    read_origins(path)  # a file beside it that is not ours is not written over
    try:
        made = [folder for folder in path.parents if not folder.exists()]
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                raise IsADirectoryError("it is a folder")
            tried = path.with_name(f".{path.name}.{os.getpid()}.try")  # others may try, too
            with atomic(tried) as temporary:
                temporary.touch()
            tried.unlink()
        finally:
            for folder in made:
                with contextlib.suppress(OSError):
                    folder.rmdir()
    except (OSError, ValueError) as error:  # ValueError: a name that holds a null character
        raise InputError(f"export.file: cannot write {path} ({error}); choose another") from None


def write_export(problem: Problem, export: Export, solution: Solution) -> None:
    """Write a solution of ``problem`` as ``export`` asks for.

    A simulation of the same density and source is replaced.

    Raises
    ------
    InputError
        When the file has become one that nothing can be added to.
    """
    target = export.file
    target.parent.mkdir(parents=True, exist_ok=True)
    record: Any
    if export.mode == "binary":
        record = sds_record(solution, *first_source(problem))
    else:
        row = described(problem, solution.rho, len(solution.times))
        record = dataframe_row(solution, row)
    with _alone_in(target.parent):
        before = _held(problem, export)
        others = [one for one in before.records if before.key(one) != before.key(record)]
        _require_same_physics(problem, export, before, others)
        after = before.added(record)
        origins = read_origins(target) | {after.checksum(record): _origin(problem)}
        # Killed between the two, a run leaves an origin too many, and no simulation without one.
        write_origins(target, origins)
        with atomic(target) as temporary:
            temporary.write_bytes(after.content)
        there = {after.checksum(one) for one in after.records}
        write_origins(target, {name: one for name, one in origins.items() if name in there})


@contextlib.contextmanager
def _alone_in(folder: Path, patience: float = 600.0) -> Iterator[None]:
    """Wait until no other run adds to a file in ``folder``, at most so many seconds."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        end = time.monotonic() + patience
        while not try_lock(handle):
            if time.monotonic() > end:
                raise InputError(
                    f"export.file: another run has been writing to {folder} for {patience:.0f} s; "
                    "wait for it, then start again with --resume"
                )
            time.sleep(0.02)
        yield
    finally:
        os.close(handle)
