"""The job of ``opalux solve``: read and check everything, step to the end, report."""

import contextlib
import resource
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from opalux.base import compilation
from opalux.base.command_line import Arguments
from opalux.base.errors import InputError, StorageError
from opalux.base.exit_codes import CHECKPOINTED, FAILURE, OK
from opalux.base.run_folder import remove_run, run_folder
from opalux.base.stopping import StopRequest, stop_on_signals
from opalux.jobs.simulation.checks import check_export, check_memory, check_targets, plan, reading
from opalux.jobs.simulation.ranks import Ranks
from opalux.jobs.simulation.report import write_report
from opalux.jobs.simulation.run import MAKES, RunFiles, take_steps
from opalux.jobs.simulation.settings import SolveSettings, read_settings
from opalux.solver.advice import advise
from opalux.solver.domains.domain import SerialDomain
from opalux.solver.march import time_loop
from opalux.solver.time_loop import SolverFailure, TimeLoop
from opalux.solver.watch import SolverWarning

DRY_RUN_CELLS = 10**7  # up to here a dry run also checks densities and initial values, in a moment


def solve(arguments: Arguments, petsc: str = "") -> int:
    """Solve the problem of a configuration file; return the exit code.

    Every process of the run calls this; a single one needs neither MPI nor PETSc.

    Parameters
    ----------
    petsc : options that are added to ``time.petsc``

    Raises
    ------
    InputError
        When anything in the input is wrong, or the solution is no longer finite.
    """
    ranks = Ranks()
    compilation.announce(ranks.rank == 0)
    return ranks.run(lambda: _solve(arguments, petsc, ranks))


def _solve(arguments: Arguments, petsc: str, ranks: Ranks) -> int:
    settings, text = ranks.on_root(
        lambda: read_settings(arguments.config, arguments.overrides, petsc)
    )
    replace = arguments.resume or arguments.force
    ranks.on_root(lambda: check_export(settings, replace=replace))
    if ranks.rank == 0 and (said := reading(settings)):
        print(said, file=sys.stderr)
    if arguments.dry_run:
        if settings.cells.nx * settings.cells.ny <= DRY_RUN_CELLS:
            ranks.together(lambda: _start(settings, ranks))
        if ranks.rank == 0:
            print(text + "# " + plan(settings))
        return OK
    out = arguments.out or Path("runs/solve") / arguments.config.stem
    with stop_on_signals() as stop, contextlib.ExitStack() as opened:
        ranks.on_root(lambda: check_targets(settings, out))
        march = ranks.together(lambda: _start(settings, ranks))  # finds all that may be wrong
        folder = run_folder(
            out,
            text,
            job="solve",
            makes=MAKES,
            resume=arguments.resume,
            force=arguments.force,
        )
        ranks.on_root(lambda: opened.enter_context(folder))
        if arguments.resume and ranks.on_root((out / "run.json").exists):
            if ranks.rank == 0:
                print(f"{out}: complete already", file=sys.stderr)
            return OK
        opened.enter_context(warnings_in_words())
        try:
            return _finish(march, settings, text, out, ranks, stop)
        except SolverFailure as error:  # on all processes at once
            if not ranks.on_root((out / "checkpoint.h5").exists):  # nothing worth keeping
                ranks.on_root(lambda: remove_run(out))
            raise InputError(f"{arguments.config}: {error}") from None


@contextlib.contextmanager
def warnings_in_words() -> Iterator[None]:
    """Show warnings of the solver, while inside, as messages without lines of code."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", SolverWarning)
        shown = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *where: Any) -> None:
            if issubclass(category, SolverWarning):
                print(f"warning: {message}", file=sys.stderr)
            else:
                shown(message, category, *where)

        warnings.showwarning = cast(Any, show)
        yield


def _start(settings: SolveSettings, ranks: Ranks) -> TimeLoop:
    """Return the run at t = 0 on this process's share of the grid."""
    check_memory(settings, ranks.size)
    if ranks.comm is None:
        return time_loop(settings, SerialDomain(settings))
    from opalux.solver.domains.petsc import PetscDomain

    return time_loop(settings, PetscDomain(settings, ranks.comm))


def _finish(
    march: TimeLoop,
    settings: SolveSettings,
    text: str,
    out: Path,
    ranks: Ranks,
    stop: StopRequest,
) -> int:
    """Take a run to its end in ``out``, from its last checkpoint on; return the exit code."""
    try:
        advice = advise(march)
        if ranks.rank == 0:
            for line in advice.lines:
                print(f"advice: {line}", file=sys.stderr)
        first_step, taken, started = march.n_steps, 0, _clock()
        if not ranks.on_root((out / "solution.h5").exists):  # otherwise only the report is missing
            files = RunFiles(march, settings, text, out, ranks)
            first_step, before, started = march.step, march.taken, _clock()
            if not take_steps(march, settings, files, ranks, stop):
                return CHECKPOINTED
            taken = march.taken - before
        wall = _clock() - started
        held = march.domain.gather(march.nbytes)
        peaks = march.domain.gather(1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        return ranks.on_root(
            lambda: write_report(
                settings,
                out,
                march,
                wall,
                (first_step, taken),
                sum(held or []),
                peaks or [],
                advice,
            )
        )
    except StorageError as error:  # on all processes at once
        if ranks.rank == 0:
            print(f"error: {error}", file=sys.stderr)
        return FAILURE


def _clock() -> float:
    """Return a time [s] that stands still while kernels are compiled: it is no time of theirs."""
    return time.perf_counter() - compilation.seconds()
