"""An inversion into a folder."""

import dataclasses
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from opalux.base.command_line import Arguments
from opalux.base.config import load
from opalux.base.errors import InputError, OpaluxError
from opalux.base.exit_codes import CHECKPOINTED, FAILURE, OK, UNEXPLAINED
from opalux.base.files import atomic, write_json
from opalux.base.hdf5 import describe
from opalux.base.progress import Progress
from opalux.base.provenance import provenance
from opalux.base.run_folder import run_folder
from opalux.base.stopping import stop_on_signals
from opalux.jobs.measured import checkpoint
from opalux.jobs.measured.inversion import Inverted, Plan, plan_for, run
from opalux.jobs.measured.report import chi2_by, chi2_by_time, verdict, write_report
from opalux.jobs.measured.settings import InvertSettings
from opalux.jobs.measured.signals import read_signals
from opalux.jobs.simulation.ranks import Ranks
from opalux.solver.domains.domain import Domain
from opalux.solver.inversion.journal import Journal, Stopped
from opalux.solver.inversion.leading import Leader, follow
from opalux.solver.problem import Problem

RESULT = "inversion.json"
"""Written last: where it is, all is."""

MAKES = (
    "inversion.h5", RESULT, "map.png", "fit.png", "report.html", "run.json",
    checkpoint.NAME,
)  # fmt: skip


def invert_into(arguments: Arguments, signals: Sequence[Path]) -> int:
    """Invert the signals as a configuration says; return the exit code.

    Raises
    ------
    InputError
        When anything in the input is wrong.
    """
    ranks = Ranks()
    return ranks.run(lambda: _with_all(arguments, signals, ranks))


def _with_all(arguments: Arguments, signals: Sequence[Path], ranks: Ranks) -> int:
    """Search on the first process, with what the others have of the grid."""
    if ranks.comm is None:
        return _invert(arguments, signals, None)
    from opalux.solver.domains.petsc import PetscDomain

    def divide(problem: Problem) -> Domain:
        return PetscDomain(problem, ranks.comm)

    if ranks.rank:
        with stop_on_signals():  # the first process decides when to stop
            return follow(ranks.comm.bcast, divide)
    leader, code = Leader(ranks.comm.bcast, divide), FAILURE
    try:
        code = _invert(arguments, signals, leader)
    except OpaluxError as error:
        code = error.exit_code
        raise
    finally:
        leader.dismiss(code)
    return code


def _invert(arguments: Arguments, signals: Sequence[Path], leader: Leader | None) -> int:
    settings, text = load(InvertSettings, arguments.config, arguments.overrides)
    planned = plan_for(settings, read_signals(signals, settings))
    if leader is not None:
        search = dataclasses.replace(planned.search, make=leader.make, at_once=False)
        planned = dataclasses.replace(planned, search=search)
    for remark in planned.remarks:
        print(remark, file=sys.stderr)
    if arguments.dry_run:
        rows, (ny, nx) = planned.search.rows, planned.search.unknown.shape
        print(
            f"{text}# would search {nx} x {ny} cells from {len(rows)} values of "
            f"{len(rows.sources)} sources, with {settings.steps} gradients at most"
        )
        return OK
    out = arguments.out or Path("runs/invert") / arguments.config.stem
    folder = run_folder(
        out, text, job="invert", makes=MAKES, resume=arguments.resume, force=arguments.force
    )
    with stop_on_signals() as stop, folder:
        if (out / RESULT).exists() and not (out / checkpoint.NAME).exists():
            return _complete(out, planned)
        return _work(planned, out, signals, lambda: stop.made)


def _complete(out: Path, planned: Plan) -> int:
    """Return the exit code of a run that is resumed when nothing is left to do."""
    try:
        before = json.loads((out / RESULT).read_text(encoding="utf-8"))
        same, chi2 = before.get("fingerprint") == planned.fingerprint, float(before["chi2"])
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        raise InputError(f"{out / RESULT}: is damaged; give --force to start afresh") from None
    if not same:
        raise InputError(
            f"--out {out}: is complete, of other signals; give the same files, --force to start "
            "afresh, or another folder"
        )
    print(f"{out}: complete already", file=sys.stderr)
    return OK if chi2 <= planned.accepted else UNEXPLAINED


def _work(planned: Plan, out: Path, signals: Sequence[Path], stop: Any) -> int:
    fingerprint, began = planned.fingerprint, time.perf_counter()
    saved = checkpoint.Checkpoint(out, fingerprint)
    journal = Journal(saved.known(), stop, saved.keep)
    steps = planned.settings.steps
    with Progress("invert", steps) as progress:

        def told(count: int, chi2: float, refinement: int) -> None:
            progress.advance(1, f"χ² = {chi2:.3g}, grid x{refinement}")

        try:
            result = run(planned, journal, told)
        except Stopped:
            print("stopped by a signal; start again with --resume", file=sys.stderr)
            return CHECKPOINTED
    return finish(out, result, planned, signals, time.perf_counter() - began)


def finish(
    out: Path, result: Inverted, planned: Plan, signals: Sequence[Path], seconds: float
) -> int:
    """Write all results into ``out``, say whether the data are explained, return the exit code."""
    _write_h5(out / "inversion.h5", result, planned)
    numbers = _numbers(result, planned, signals, seconds)
    write_report(out, result, planned, numbers)
    write_json(out / "run.json", provenance(seconds=seconds))
    write_json(out / RESULT, numbers)
    (out / checkpoint.NAME).unlink(missing_ok=True)
    print(f"{verdict(result, planned)}\n{out}", file=sys.stderr if not result.explained else None)
    return OK if result.chi2 <= planned.accepted else UNEXPLAINED


def _numbers(
    result: Inverted, planned: Plan, signals: Sequence[Path], seconds: float
) -> dict[str, Any]:
    found, informed = result.found, result.informed
    return {
        "chi2": result.chi2,
        "explained": result.explained,
        "accepted_chi2": planned.accepted,
        **{
            f"chi2_by_{name}": chi2_by(result, getattr(result.rows, name))
            for name in ("source", "edge", "quantity")
        },
        "chi2_by_time": chi2_by_time(result),
        "gains": _gains(result, planned),
        "evaluations": len(found.history),
        "seconds": seconds,
        "rows": len(result.rows),
        "one_time_in": planned.one_time_in,
        "refinement": found.refinement,
        "grid_error": found.grid_error.noise_units,
        "density_min": float(result.density.min()),
        "density_max": float(result.density.max()),
        "informed_mean": None if informed is None else float(informed.mean()),
        "fingerprint": planned.fingerprint,
        "signals": [str(path) for path in signals],
        "remarks": planned.remarks,
    }


def _gains(result: Inverted, planned: Plan) -> dict[str, dict[str, float | None]]:
    """Return each gain of the coupling, with its spread where that is known."""
    names, gains = planned.search.gains.names, result.found.gains.tolist()
    spreads = result.gain_spread.tolist() if result.gain_spread is not None else [None] * len(names)
    return {
        name: {"gain": gain, "spread": spread}
        for name, gain, spread in zip(names, gains, spreads, strict=True)
    }


def _write_h5(path: Path, result: Inverted, planned: Plan) -> None:
    """Write inversion.h5; see docs/measured.md."""
    whole = planned.settings.problem.cells.whole
    with atomic(path) as temporary, h5py.File(temporary, "w") as file:
        for name, centres in (("x", whole.x[1:-1]), ("y", whole.y[1:-1])):
            describe(file.create_dataset(name, data=centres), "cm", name=name)
        maps = {"density": result.density, "spread": result.spread, "informed": result.informed}
        for name, values in maps.items():
            if values is not None:
                units = None if name == "informed" else "g/cm3"
                axes = (file["y"], file["x"])
                describe(file.create_dataset(name, data=values), units, axes=axes)
        if result.samples is not None and len(result.samples):
            describe(file.create_dataset("samples", data=result.samples), "g/cm3")
        history = file.create_dataset("history", data=result.found.history)
        history.attrs["columns"] = ["refinement", "chi2", "penalty", "round"]
        file.create_dataset("predicted", data=result.predicted)
        rows = file.create_group("rows")
        for name in ("source", "edge", "quantity"):
            rows.create_dataset(name, data=np.asarray(getattr(result.rows, name)).astype(bytes))
        lengths = dict.fromkeys(("position", "x", "y", "width"), "cm")
        for name, unit in (lengths | {"time": "sh", "value": None, "sigma": None}).items():
            describe(rows.create_dataset(name, data=getattr(result.rows, name)), unit)
        file.attrs["chi2"] = result.chi2
