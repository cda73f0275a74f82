"""``opalux solve``: one simulation, on one process or many."""

import math
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self

import pydantic

from opalux.base import command_line
from opalux.base.config import apply_overrides, check, dump, load, read_text
from opalux.base.errors import InputError
from opalux.base.exit_codes import OK
from opalux.base.run_folder import open_run
from opalux.base.settings import Settings, SettingsPath
from opalux.jobs.simulation.ranks import Ranks
from opalux.solver.formulas.formula import formula_of
from opalux.solver.problem import Problem

if TYPE_CHECKING:
    from opalux.solver.march import March

DESCRIPTION = """\
Solve the 2D grey P1 radiative-transfer equations coupled to matter temperature.

CONFIG is a YAML file, or a .cfg file of the original program. Results go to DIR: solution.h5
(fields and edge signals), run.json, fields.png, signals.png, and on request snapshots.h5,
snapshots.xdmf (for ParaView) and an animation. Run it on several processes with
'mpirun -n N python -m jobs.solve CONFIG'; the results are the same to the last bit.

SIGTERM or SIGUSR1 writes a checkpoint and ends with exit code 75; the same line with --resume
goes on from there, on any number of processes.
"""

CELL_BYTES = 8 * 8  # a cell's share of the state, the density and what is held while starting
DRY_RUN_CELLS = 10**7  # up to here a dry run also tries densities and initial values, in a moment


class Output(Settings):
    """What is written besides solution.h5."""

    pictures: bool = True
    """Draw fields.png and signals.png."""
    checkpoint_steps: int = pydantic.Field(0, ge=0)
    """Write a checkpoint every so many steps (0: only when a signal asks for one)."""
    signals_every: int = pydantic.Field(1, ge=1, le=10**9)
    """Keep the edge signals before every so many steps (1: before each)."""
    snapshots: int = pydantic.Field(0, ge=0, le=10_000)
    """Snapshots of E, F, T, evenly spaced from t = 0 to the end, for snapshots.h5 and .xdmf."""
    animation: Literal["gif", "mp4"] | None = None
    """Draw the snapshots as animation.gif, or as animation.mp4 where ffmpeg is installed."""


ExactFormula = Annotated[str, formula_of("t", "x", "y", "t_0")]


class Exact(Settings):
    """Exact solution as formulas of t, x, y; errors at the final time go to run.json."""

    E: ExactFormula | None = None
    Fx: ExactFormula | None = None
    Fy: ExactFormula | None = None
    T: ExactFormula | None = None


class Export(Settings):
    """An export in one of the original program's formats."""

    file: SettingsPath
    """Where to."""
    mode: Literal["dataframe", "binary"] = "dataframe"
    """CSV "dataframe" or binary sds02."""
    write: Literal["truncate", "append"] = "truncate"
    """Start the file afresh, or add to it."""
    simulations: int = pydantic.Field(1, ge=1)
    """How many simulations the file is to hold (sds02 header)."""


class SolveConfig(Problem):
    """A problem and what to do with its solution."""

    output: Output = Output()
    exact: Exact | None = None
    export: Export | None = None

    @pydantic.model_validator(mode="after")
    def _export_possible(self) -> Self:
        if self.export is not None:
            from opalux.jobs.simulation.export import check_export

            check_export(self)
        return self

    @pydantic.model_validator(mode="after")
    def _output_possible(self) -> Self:
        output = self.output
        if output.snapshots:
            from opalux.solver.files.snapshots import snapshot_steps
            from opalux.solver.start import time_steps

            snapshot_steps(len(time_steps(self)[1]), output.snapshots)
        if output.animation and not output.snapshots:
            raise ValueError(
                "output.animation: found no snapshots to draw; set output.snapshots, to 51 say"
            )
        if output.animation == "mp4":
            from opalux.jobs.simulation.animation import ffmpeg_is_there

            if not ffmpeg_is_there():
                raise ValueError("output.animation: found no ffmpeg for mp4; install it or use gif")
        if output.signals_every > 1 and self.export is not None:
            raise ValueError(
                f"output.signals_every: found {output.signals_every} with an export, whose formats "
                "hold every step; set it to 1"
            )
        return self


def read_config(path: Path, overrides: list[str]) -> tuple[SolveConfig, str]:
    """Read YAML or a published .cfg; see `opalux.base.config.load`."""
    if path.suffix != ".cfg":
        return load(SolveConfig, path, overrides)
    from opalux.solver.legacy.formats import read_cfg

    data = read_cfg(read_text(path), str(path), path.parent)
    apply_overrides(data, overrides)
    config = check(SolveConfig, data, source=str(path), folder=path.parent)
    return config, dump(config)


class _Stop:
    """While open, remembers SIGTERM and SIGUSR1 until the time loop asks."""

    def __enter__(self) -> Self:
        self.asked = False
        self._before = {
            number: signal.signal(number, self._remember)
            for number in (signal.SIGTERM, signal.SIGUSR1)
        }
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _remember(self, *_: object) -> None:
        self.asked = True


def check_memory(config: SolveConfig, size: int) -> None:
    """Refuse a grid that cannot fit into this machine's memory, shared by ``size`` processes."""
    grid = config.cells
    needed = CELL_BYTES * grid.nx * grid.ny / size
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > memory:
        raise InputError(
            f"grid: found {grid.nx} x {grid.ny} cells, {needed / 2**30:.3g} GiB for each of {size} "
            f"processes, but this machine has {memory / 2**30:.3g} GiB; coarsen the grid or use "
            "more processes on more machines"
        )


def check_targets(config: SolveConfig, out: Path) -> None:
    """Refuse an export that cannot be written, and results that do not fit into ``out``."""
    if config.export is not None:
        from opalux.jobs.simulation.export import check_target

        check_target(config)
    from opalux.solver.files.snapshots import snapshot_arrays
    from opalux.solver.files.solution import solution_arrays
    from opalux.solver.start import time_steps

    n_rows = -(-len(time_steps(config)[1]) // config.output.signals_every)
    arrays = list(solution_arrays(config.cells, n_rows).values())
    if config.output.snapshots:
        arrays += snapshot_arrays(config.cells, config.output.snapshots).values()
    needed = 8 * sum(math.prod(shape) for shape in arrays)
    existing = next(folder for folder in (out, *out.absolute().parents) if folder.exists())
    disk = shutil.disk_usage(existing)
    # An earlier run's files are gone on with, or replaced.
    free = disk.free + sum(512 * path.stat().st_blocks for path in out.glob("*") if path.is_file())
    if needed > free and disk.total > 0:  # /proc and the like have no size: told when opened
        raise InputError(
            f"--out {out}: the results take {needed / 2**30:.3g} GiB, but {free / 2**30:.3g} GiB "
            "are free there; shorten the run, coarsen the grid or choose another folder"
        )


def start(config: SolveConfig, ranks: Ranks) -> "March":
    """Return the run at t = 0 on this process's share of the grid."""
    check_memory(config, ranks.size)
    from opalux.solver.domains.domain import SerialDomain
    from opalux.solver.march import March

    if ranks.comm is None:
        return March(config, SerialDomain(config))
    from opalux.solver.domains.petsc import PetscDomain

    return March(config, PetscDomain(config, ranks.comm))


def plan(config: SolveConfig) -> str:
    """Return what a run would do, for ``--dry-run``."""
    from opalux.solver.start import time_steps

    grid = config.cells
    dt, times, t_final = time_steps(config)
    return (
        f"scheme {config.scheme}, {grid.nx} x {grid.ny} cells of {grid.dx:.4g} x {grid.dy:.4g} cm, "
        f"{len(times)} steps of {dt:.6g} sh to t = {t_final:.6g} sh"
    )


def main(argv: list[str] | None = None) -> int:
    """Run the job; see `DESCRIPTION`."""
    parser = command_line.parser(
        "solve", DESCRIPTION, "YAML file, or .cfg file of the original program"
    )
    parsed = parser.parse_args(argv)

    def everything() -> int:
        ranks = Ranks()
        return ranks.run(lambda: _work(command_line.arguments(parsed), ranks))

    return command_line.run(everything)


def _work(arguments: command_line.Arguments, ranks: Ranks) -> int:
    config, text = ranks.on_root(lambda: read_config(arguments.config, arguments.overrides))
    if arguments.dry_run:
        if config.cells.nx * config.cells.ny <= DRY_RUN_CELLS:
            ranks.together(lambda: start(config, ranks))
        if ranks.rank == 0:
            print(text + "# " + plan(config))
        return OK
    with _Stop() as stop:
        return _run(config, text, arguments, ranks, stop)


def _run(
    config: SolveConfig, text: str, arguments: command_line.Arguments, ranks: Ranks, stop: _Stop
) -> int:
    from opalux.jobs.simulation.run import solve
    from opalux.solver.march import SolverFailure

    out = arguments.out or Path("runs/solve") / arguments.config.stem
    ranks.on_root(lambda: check_targets(config, out))
    march = ranks.together(lambda: start(config, ranks))  # finds out all that may be wrong
    ranks.on_root(lambda: open_run(out, text, resume=arguments.resume, force=arguments.force))
    if arguments.resume and ranks.on_root((out / "run.json").exists):
        if ranks.rank == 0:
            print(f"{out}: complete already", file=sys.stderr)
        return OK
    try:
        return solve(march, config, text, out, ranks, stop)
    except SolverFailure as error:  # on all processes at once
        if not ranks.on_root((out / "checkpoint.h5").exists):  # nothing worth keeping
            ranks.on_root(lambda: shutil.rmtree(out))
        raise InputError(f"{arguments.config}: {error}") from None


if __name__ == "__main__":
    sys.exit(main())
