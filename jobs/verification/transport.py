"""``opalux verify transport``: how far P1 is from transport on one's own problem."""

import json
import math
import time
import warnings
from collections.abc import Mapping
from pathlib import Path

from opalux.base.axes import EDGES
from opalux.base.command_line import Arguments
from opalux.base.errors import InputError, OpaluxError, StorageError
from opalux.base.exit_codes import OK
from opalux.base.files import write_json, write_text
from opalux.base.progress import Progress
from opalux.base.provenance import provenance
from opalux.base.run_folder import remove_run, run_folder
from opalux.jobs.simulation.job import warnings_in_words
from opalux.jobs.simulation.settings import read_settings
from opalux.jobs.verification.distance import distances
from opalux.jobs.verification.transport_page import page, text_table
from opalux.solver.march import simulate
from opalux.solver.problem import Problem
from opalux.solver.solution import Solution
from opalux.solver.transport.reference import Reference
from opalux.solver.watch import SolverWarning

RESULT = "transport.json"
MAKES = ("report.html", RESULT)

PUBLISHED, TEXTBOOK = 1.0, 1 / 3
"""k of the published model and of the textbook's P1."""


def compare(arguments: Arguments, order: int, petsc: str = "") -> int:
    """Solve a problem by P1 and by S_N and write how far they are apart; return the exit code.

    Parameters
    ----------
    order : N of the reference
    petsc : options that are added to ``time.petsc``

    Raises
    ------
    InputError
        When anything in the input is wrong, or transport does not know what it asks for.
    """
    settings, text = read_settings(arguments.config, arguments.overrides, petsc)
    reference = Reference(settings, order)  # checks all that may be wrong
    models = {name_of(k): with_eddington(settings, k) for k in factors(settings)}
    if arguments.dry_run:
        print(f"{text}# {plan(reference)}; {', '.join(models)}")
        return OK
    out = arguments.out or Path("runs/verify") / arguments.config.stem
    with run_folder(
        out,
        text,
        job="verify transport",
        makes=MAKES,
        resume=arguments.resume,
        force=arguments.force,
    ):
        if arguments.resume and (out / RESULT).exists():
            _require_order(out, order)
            print(f"{out}: complete already")
            return OK
        started = time.monotonic()
        try:
            exact = solved(reference)
            found = solved_by_p1(models)
            if (coarser := order // 4 * 2) > 0:
                found[f"transport, S{coarser}"] = solved(Reference(settings, coarser))
        except OpaluxError as error:
            remove_run(out)
            raise InputError(f"{arguments.config}: {error}") from None
        walls = [edge for edge in EDGES if getattr(settings.edges, edge).kind == "wall"]
        apart = {name: distances(solution, exact, walls) for name, solution in found.items()}
        print("\n".join([f"distance from {reference.name}:", *text_table(apart)]))
        solutions = {reference.name: exact, **found}
        record = provenance(
            job="verify transport",
            quadrature=order,
            grid={"nx": exact.grid.nx, "ny": exact.grid.ny},
            t_final=exact.t_final,
            steps={name: len(solution.times) for name, solution in solutions.items()},
            wall_seconds=time.monotonic() - started,
            distances=apart,
        )
        try:
            write_text(out / "report.html", page(settings, text, solutions, apart))
            write_json(out / RESULT, record)
        except OSError as error:
            raise StorageError(
                f"{out}: cannot be written ({error.strerror}); make room and start again with "
                "--resume"
            ) from None
    print(f"written: {out / 'report.html'}, {out / RESULT}")
    return OK


def solved(reference: Reference) -> Solution:
    """Return the solution of transport, with a word on how long it takes."""
    with Progress(reference.name, reference.n_steps) as progress:
        return reference.solve(progress.advance)


def solved_by_p1(models: Mapping[str, Problem]) -> dict[str, Solution]:
    """Return the solutions of one problem for several k; what is doubtful in it is told once."""
    found: dict[str, Solution] = {}
    with warnings_in_words():
        for name, problem in models.items():
            found[name] = simulate(problem)
            warnings.simplefilter("ignore", SolverWarning)
    return found


def _require_order(out: Path, order: int) -> None:
    try:
        found = json.loads((out / RESULT).read_text(encoding="utf-8"))["quadrature"]
    except (OSError, ValueError, KeyError, TypeError):
        found = "unknown"
    if found != order:
        raise InputError(
            f"--out {out}: was made with --quadrature {found}, found {order}; resume with the same "
            "one, or give --force or another folder"
        )


def factors(problem: Problem) -> list[float]:
    """Return the values of k that are compared: the problem's own, 1 and 1/3."""
    own = problem.constants.eddington
    return [own, *(k for k in (PUBLISHED, TEXTBOOK) if not math.isclose(k, own, rel_tol=1e-3))]


def name_of(k: float) -> str:
    """Return what P1 with k is called."""
    return "P1, k = 1/3" if math.isclose(k, TEXTBOOK, rel_tol=1e-3) else f"P1, k = {k:.4g}"


def with_eddington(problem: Problem, k: float) -> Problem:
    """Return ``problem`` with another k, and a shorter time step if stability asks for it."""
    changed = problem.model_copy(
        update={"constants": problem.constants.model_copy(update={"eddington": k})}
    )
    limit = changed.method.largest_cfl(changed.cells, changed.wave_speed)
    cfl = min(problem.time.cfl, limit)
    return changed.model_copy(update={"time": problem.time.model_copy(update={"cfl": cfl})})


def plan(reference: Reference) -> str:
    """Return what the reference would do, for ``--dry-run``."""
    grid = reference.grid
    return (
        f"{reference.name}: {grid.nx} x {grid.ny} cells, {reference.n_steps} steps of "
        f"{reference.dt:.6g} sh to t = {reference.t_final:.6g} sh"
    )
