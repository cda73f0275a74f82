"""The time steps of one simulation and its files."""

import sys
from pathlib import Path

from opalux.base.progress import Progress
from opalux.base.provenance import git_revision, version
from opalux.base.run_folder import temporary_of
from opalux.base.stopping import StopRequest
from opalux.jobs.simulation.ranks import Ranks
from opalux.jobs.simulation.settings import SolveSettings
from opalux.solver.files.checkpoint import read_checkpoint, write_checkpoint
from opalux.solver.files.growing import can_go_on, unfinished
from opalux.solver.files.snapshots import SnapshotFile
from opalux.solver.files.solution import SolutionFile
from opalux.solver.time_loop import TimeLoop

MAKES = (
    "solution.h5",
    "snapshots.h5",
    "snapshots.xdmf",
    "checkpoint.h5",
    "run.json",
    "fields.png",
    "signals.png",
    "animation.gif",
    "animation.mp4",
)
"""Files that a run makes in its folder."""


class RunFiles:
    """The files of one run, which are made, continued and finished together."""

    def __init__(
        self, march: TimeLoop, settings: SolveSettings, text: str, out: Path, ranks: Ranks
    ) -> None:
        self._march, self._checkpoint = march, out / "checkpoint.h5"
        self._attributes = {
            "config": text,
            "scheme": settings.scheme,
            "opalux_version": version(),
            "git_revision": git_revision() if ranks.rank == 0 else "",
            "seed": -1,  # nothing in a simulation is random
        }
        count = settings.output.snapshots
        growing = [out / "solution.h5"] + ([out / "snapshots.h5"] if count else [])

        def look_around() -> bool:
            going_on = self._checkpoint.exists() and all(can_go_on(path) for path in growing)
            used = [unfinished(path) for path in growing] if going_on else []
            left_over = {path for name in MAKES for path in out.glob(temporary_of(name))}
            for path in left_over - set(used):
                path.unlink()
            return going_on

        going_on = ranks.on_root(look_around)
        if going_on:
            ranks.together(lambda: read_checkpoint(self._checkpoint, march, text))
        self.solution = SolutionFile(
            growing[0],
            march,
            self._attributes,
            every=settings.output.signals_every,
            resume=going_on,
        )
        self.snapshots: SnapshotFile | None = None
        if count:
            self.snapshots = SnapshotFile(
                growing[1], march, count, self._attributes, resume=going_on
            )
            self.snapshots.take()

    def checkpoint(self) -> None:
        """Write a checkpoint, from which the run can be resumed."""
        self.solution.sync()
        if self.snapshots:
            self.snapshots.sync()
        write_checkpoint(self._checkpoint, self._march, self._attributes)

    def finish(self) -> None:
        """Rename the finished files; solution.h5 is the last, and shows that all are complete."""
        if self.snapshots:
            self.snapshots.finish()
        self.solution.finish()
        if self._march.domain.rank == 0:
            self._checkpoint.unlink(missing_ok=True)


def take_steps(
    march: TimeLoop, settings: SolveSettings, files: RunFiles, ranks: Ranks, stop: StopRequest
) -> bool:
    """Step to the end and finish the files; return False when a signal has stopped the run."""
    last_checkpoint = march.step
    pauses = files.snapshots.steps if files.snapshots else []
    with Progress("solve", march.n_steps, march.step, quiet=ranks.rank > 0) as progress:
        for chunk in march.run(pauses):
            files.solution.add(chunk)
            if files.snapshots:
                files.snapshots.take()
            progress.advance(chunk.stop - chunk.first, march.note)
            stopping = march.domain.any(stop.made) and march.step < march.n_steps
            due = 0 < settings.output.checkpoint_steps <= march.step - last_checkpoint
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
