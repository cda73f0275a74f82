"""A reconstruction into a folder, refined by physics."""

import dataclasses
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from opalux.base.config import dump
from opalux.base.exit_codes import CHECKPOINTED
from opalux.base.files import write_json
from opalux.base.plots import save
from opalux.base.progress import Progress
from opalux.base.run_folder import run_folder
from opalux.base.stopping import stop_on_signals
from opalux.jobs.inversion import reconstruct_run
from opalux.jobs.inversion.reconstruct_run import (
    Inputs,
    numbers_of,
    write_reconstruction,
)
from opalux.jobs.inversion.reconstruction import Reconstruction
from opalux.jobs.inversion.trained import weights_of
from opalux.jobs.measured import checkpoint
from opalux.jobs.measured import run as measured_run
from opalux.jobs.measured.inversion import Plan
from opalux.jobs.refinement.refine import planned_for, prior_of, reconstruct_first
from opalux.jobs.refinement.search import Refined, search_both
from opalux.jobs.refinement.settings import RefineSettings
from opalux.solver.inversion.journal import Journal, Stopped

MAKES = tuple({*reconstruct_run.MAKES, *measured_run.MAKES})


def refine_into(
    out: Path,
    inputs: Inputs,
    signals: Sequence[Path],
    settings: RefineSettings,
    *,
    resume: bool = False,
    force: bool = False,
) -> int:
    """Reconstruct, refine, and write what ``reconstruct`` and ``invert`` write; the exit code.

    Parameters
    ----------
    out : folder for the results
    inputs : see `opalux.jobs.inversion.reconstruct_run.check_inputs`
    signals : files of the signals
    settings : of both
    resume, force : see `run_folder`

    Raises
    ------
    InputError
        When anything in the input is wrong.
    """
    plan = planned_for(inputs.networks, inputs.measurements, signals, settings)
    for remark in plan.remarks:
        print(remark, file=sys.stderr)
    folder = run_folder(
        out, dump(settings), job="reconstruct", makes=MAKES, resume=resume, force=force
    )
    with stop_on_signals() as stop, folder:
        return _work(out, inputs, signals, settings, plan, lambda: stop.made)


def _work(
    out: Path,
    inputs: Inputs,
    signals: Sequence[Path],
    settings: RefineSettings,
    plan: Plan,
    stop: Callable[[], bool],
) -> int:
    began = time.perf_counter()
    fingerprint = plan.fingerprint + weights_of(inputs.networks)
    saved = checkpoint.Checkpoint(out, fingerprint)
    journal = Journal(saved.known(), stop, saved.keep)
    try:
        found, refined = _searched(inputs, settings, plan, journal)
    except Stopped:
        print("stopped by a signal; start again with --resume", file=sys.stderr)
        return CHECKPOINTED
    kept = _kept(found, refined)
    network = {
        "network": found.density,
        "network_uncertainty": found.uncertainty,
        "network_spread": found.spread,
    }
    write_reconstruction(kept, out / "reconstruction.h5", network)
    save(found.plot(), out / "reconstruction.png")
    write_json(
        out / "reconstruction.json",
        numbers_of(inputs, kept)
        | {"kept": refined.kept, "chi2": refined.inverted.chi2}
        | {f"chi2_{name}": value for name, value in refined.chi2.items()},
    )
    told = dataclasses.replace(plan, remarks=[*plan.remarks, _said(refined)])
    print(_said(refined))
    seconds = time.perf_counter() - began
    return measured_run.finish(out, refined.inverted, told, signals, seconds)


def _searched(
    inputs: Inputs, settings: RefineSettings, plan: Plan, journal: Journal
) -> tuple[Reconstruction, Refined]:
    """Return the network's own reconstruction, and the refined one."""
    found = reconstruct_first(inputs.networks, inputs.measurements, settings)

    def network() -> tuple[NDArray[np.floating], ...]:
        return (found.density,) if found.uncertainty is None else (found.density, found.uncertainty)

    # Kept in the journal: another number of threads would give the map other last digits.
    answer = journal.answer(network)
    found = dataclasses.replace(
        found, density=answer[0], uncertainty=answer[1] if len(answer) > 1 else None
    )
    prior = prior_of(inputs.networks, inputs.measurements, found, settings, plan, journal)
    with Progress("refine", 2 * settings.steps) as progress:

        def told(count: int, chi2: float, refinement: int) -> None:
            progress.advance(1, f"χ² = {chi2:.3g}, grid x{refinement}")

        refined = search_both(plan, found.density.astype(np.float64), prior, journal, told)
    return found, refined


def _kept(found: Reconstruction, refined: Refined) -> Reconstruction:
    """Return the kept map in the form of a reconstruction."""
    inverted = refined.inverted
    spread = None if inverted.spread is None else inverted.spread.astype(np.float32)
    return dataclasses.replace(
        found, density=inverted.density.astype(np.float32), uncertainty=spread, spread=spread
    )


def _said(refined: Refined) -> str:
    names = {
        "network": "the network's own map",
        "refined": "the search from it",
        "physics": "the search from a flat map",
    }
    values = ", ".join(f"{names[name]} χ² = {value:.3g}" for name, value in refined.chi2.items())
    return f"{values}; kept: {names[refined.kept]}"
