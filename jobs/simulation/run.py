"""What `jobs.solve` does in an opened folder: steps, snapshots, checkpoints, report."""

import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from opalux.base.errors import StorageError
from opalux.base.exit_codes import CHECKPOINTED, FAILURE, OK
from opalux.base.files import write_json
from opalux.base.progress import Progress
from opalux.base.provenance import git_revision, provenance, version
from opalux.jobs.simulation.ranks import Ranks
from opalux.solver.files.checkpoint import read_checkpoint, write_checkpoint
from opalux.solver.files.growing import can_go_on, unfinished
from opalux.solver.files.snapshots import SnapshotFile
from opalux.solver.files.solution import SolutionFile
from opalux.solver.march import March

if TYPE_CHECKING:
    from opalux.jobs.solve import SolveConfig


class Stop(Protocol):
    """Tells whether a signal has asked this process to stop."""

    asked: bool


def solve(
    march: March, config: "SolveConfig", text: str, out: Path, ranks: Ranks, stop: Stop
) -> int:
    """Take a run to its end in ``out``, from its last checkpoint on; return the exit code."""
    try:
        solution = out / "solution.h5"
        first_step, started = march.n_steps, time.perf_counter()
        if not ranks.on_root(solution.exists):  # else only the report is missing
            files = _Files(march, config, text, out, ranks)
            first_step, started = march.step, time.perf_counter()
            if not _take_steps(march, config, files, ranks, stop):
                return CHECKPOINTED
        wall = time.perf_counter() - started
        held = march.domain.gather(march.nbytes)
        peaks = march.domain.gather(1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        return ranks.on_root(
            lambda: _report(config, out, march, wall, first_step, sum(held or []), peaks or [])
        )
    except StorageError as error:  # on all processes at once
        if ranks.rank == 0:
            print(f"error: {error}", file=sys.stderr)
        return FAILURE


class _Files:
    """The files of one run, which start, go on and end together."""

    def __init__(
        self, march: March, config: "SolveConfig", text: str, out: Path, ranks: Ranks
    ) -> None:
        self._march, self._checkpoint = march, out / "checkpoint.h5"
        self._attributes = {
            "config": text,
            "scheme": config.scheme,
            "opalux_version": version(),
            "git_revision": git_revision() if ranks.rank == 0 else "",
            "seed": -1,  # nothing in a simulation is random
        }
        count = config.output.snapshots
        growing = [out / "solution.h5"] + ([out / "snapshots.h5"] if count else [])

        def look_around() -> bool:
            going_on = self._checkpoint.exists() and all(can_go_on(path) for path in growing)
            used = [unfinished(path) for path in growing] if going_on else []
            for left_over in set(out.glob(".*.part*")) - set(used):
                left_over.unlink()
            return going_on

        going_on = ranks.on_root(look_around)
        if going_on:
            ranks.together(lambda: read_checkpoint(self._checkpoint, march, text))
        self.solution = SolutionFile(
            growing[0],
            march,
            self._attributes,
            every=config.output.signals_every,
            resume=going_on,
        )
        self.snapshots: SnapshotFile | None = None
        if count:
            self.snapshots = SnapshotFile(
                growing[1], march, count, self._attributes, resume=going_on
            )
            self.snapshots.take()

    def checkpoint(self) -> None:
        """Make it possible to go on from here."""
        self.solution.sync()
        if self.snapshots:
            self.snapshots.sync()
        write_checkpoint(self._checkpoint, self._march, self._attributes)

    def finish(self) -> None:
        """Give the files their names; solution.h5 comes last and says that all are whole."""
        if self.snapshots:
            self.snapshots.finish()
        self.solution.finish()
        if self._march.domain.rank == 0:
            self._checkpoint.unlink(missing_ok=True)


def _take_steps(
    march: March, config: "SolveConfig", files: _Files, ranks: Ranks, stop: Stop
) -> bool:
    """Step to the end and finish the files; return False when a signal has stopped the run."""
    last_checkpoint = march.step
    pauses = files.snapshots.steps if files.snapshots else []
    with Progress("solve", march.n_steps, march.step, quiet=ranks.rank > 0) as progress:
        for chunk in march.run(pauses):
            files.solution.add(chunk)
            if files.snapshots:
                files.snapshots.take()
            progress.advance(chunk.stop - chunk.first, f"t = {march.t:.4g} sh")
            stopping = march.domain.any(stop.asked) and march.step < march.n_steps
            due = 0 < config.output.checkpoint_steps <= march.step - last_checkpoint
            if stopping or due:
                files.checkpoint()
                last_checkpoint = march.step
            if stopping:
                if ranks.rank == 0:
                    print(
                        f"stopped by a signal before step {march.step} of {march.n_steps}; "
                        "start again with --resume",
                        file=sys.stderr,
                    )
                return False
    files.finish()
    return True


def _report(
    config: "SolveConfig",
    out: Path,
    march: March,
    wall: float,
    first_step: int,
    held: int,
    peaks: list[int],
) -> int:
    """Write what rank 0 makes out of the finished files: pictures, exports, run.json.

    ``held`` are the bytes of all processes' arrays, ``peaks`` the most that each has had in memory,
    libraries included.
    """
    grid = config.cells
    cells, steps = grid.nx * grid.ny, march.n_steps - first_step
    details: dict[str, Any] = {}
    try:
        _draw(config, out)
        if config.exact is not None:
            from opalux.jobs.simulation.export import errors_against

            details["errors"] = errors_against(config, out / "solution.h5")
        if config.export is not None:
            from opalux.jobs.simulation.export import export

            export(config, out / "solution.h5")
        write_json(
            out / "run.json",
            provenance(
                job="solve",
                seed=None,
                ranks=len(peaks),
                scheme=config.scheme,
                grid={"nx": grid.nx, "ny": grid.ny},
                steps=march.n_steps,
                resumed_from_step=first_step,
                dt=march.dt,
                t_final=march.t_final,
                wall_seconds=wall,
                cell_steps_per_second=steps * cells / wall if steps else None,
                memory={"bytes_per_cell": held / cells, "peak_resident_bytes": sum(peaks)},
                **details,
            ),
        )
    except OSError as error:
        print(
            f"error: solution.h5 is whole, but what is made of it cannot be written ({error}); "
            "make room and start again with --resume",
            file=sys.stderr,
        )
        return FAILURE
    speed = f"{1e9 * wall / (steps * cells):.4g} ns a cell and step, " if steps else ""
    print(
        f"{out}: {steps} steps of {cells} cells in {wall:.4g} s, {speed}"
        f"{held / cells:.4g} bytes a cell in arrays, {sum(peaks) / 2**20:.4g} MiB in memory",
        file=sys.stderr,
    )
    return OK


def _draw(config: "SolveConfig", out: Path) -> None:
    if config.output.pictures:
        from opalux.jobs.simulation.pictures import draw_fields, draw_signals

        draw_fields(out / "solution.h5", out / "fields.png")
        draw_signals(out / "solution.h5", out / "signals.png")
    if config.output.animation:
        from opalux.jobs.simulation.animation import animate

        animate(out / "snapshots.h5", out / f"animation.{config.output.animation}")
