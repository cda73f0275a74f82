"""``opalux status DIR``: how far a pipeline, a campaign, a training or another run is.

It is read from files, and from squeue where there is one; accounting (sacct) is not needed.
"""

import argparse
import dataclasses
import sys
from collections import Counter
from pathlib import Path

import rich.box
import rich.console
import rich.table

from opalux.base import command_line
from opalux.base.config import load
from opalux.base.errors import InputError
from opalux.base.exit_codes import OK
from opalux.jobs.chain.folders import READERS, Row, kind_of
from opalux.jobs.chain.settings import PipelineConfig
from opalux.jobs.chain.stages import DATA, EVALUATE, SIQD, SOLVE, TRAIN, newer
from opalux.jobs.cluster import queue as slurm_queue
from opalux.jobs.cluster.queue import Job
from opalux.jobs.pipeline import LOGS, NAME, submissions

DESCRIPTION = """\
Show how far everything in DIR is: the folder of a pipeline, of a campaign, of a
training or of another run."""


def main(argv: list[str] | None = None) -> int:
    """Run the command line; see DESCRIPTION."""
    parser = argparse.ArgumentParser(prog="opalux status", description=DESCRIPTION)
    parser.add_argument("folder", metavar="DIR", type=Path, help="folder of results")
    parsed = parser.parse_args(argv)
    return command_line.run(lambda: _status(parsed.folder))


def _status(folder: Path) -> int:
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; give the folder of a run or pipeline")
    try:
        jobs = slurm_queue.jobs() if slurm_queue.there() else []
    except InputError:
        print("warning: squeue does not answer; this is from files alone", file=sys.stderr)
        jobs = []
    table = rich.table.Table(title=str(folder), title_justify="left", box=rich.box.SIMPLE_HEAD)
    for heading in ("", "state", "progress", "", "jobs"):
        table.add_column(heading, overflow="fold")
    for row, of_row in rows(folder, jobs):
        shown = "\n".join(describe(of_row))
        table.add_row(row.name, row.state, row.progress, row.note, shown)
    width = None if sys.stdout.isatty() else 140
    rich.console.Console(width=width, markup=False, highlight=False).print(table)
    return OK


def rows(folder: Path, jobs: list[Job]) -> list[tuple[Row, list[Job]]]:
    """Return the lines for ``folder``, each with its jobs."""
    if (folder / NAME).is_file():
        return [_of_stage(folder, name, jobs) for name in _stages(folder)]
    own = [job for job in jobs if job.works_on(folder)]
    row = READERS[kind_of(folder)](folder)
    return [(_with_jobs(row, own), own)]


def describe(jobs: list[Job]) -> list[str]:
    """Return a line for each group of jobs that are in the same state.

    >>> job = Job(id="7", task=0, state="PENDING", reason="Priority", elapsed="0:00", nodes="",
    ...           folder=Path(), command="")
    >>> describe([job, dataclasses.replace(job, task=1)])
    ['7_[0-1] PENDING (Priority)']
    """
    groups: dict[tuple[str, str, str], list[Job]] = {}
    for job in jobs:
        why = job.reason if job.state == "PENDING" else ""
        groups.setdefault((job.id, job.state, why), []).append(job)
    lines = []
    for (number, state, why), members in groups.items():
        tasks = [job.task for job in members if job.task is not None]
        array = f"_[{slurm_queue.ranges(tasks)}]" if tasks else ""
        note = f" ({why})" if why else ""
        if state == "RUNNING" and len(members) == 1:
            note = f" {members[0].elapsed} on {members[0].nodes}"
        lines.append(f"{number}{array} {state}{note}")
    return lines


def _stages(folder: Path) -> list[str]:
    config, _ = load(PipelineConfig, folder / NAME)
    names = ["sample", "check"] if config.sample else []
    return names + [
        name for name in ("train", "evaluate", "solve", "siqd") if getattr(config, name) is not None
    ]


def _of_stage(folder: Path, name: str, jobs: list[Job]) -> tuple[Row, list[Job]]:
    numbers = [one.job for one in submissions(folder) if one.stage == name]
    own = [job for job in jobs if job.id in numbers]
    # What has been submitted again says nothing any more.
    active = [job for job in own if job.active] or [
        job for job in own if job.id == numbers[-1] and job.state != "COMPLETED"
    ]
    subfolder = {
        "sample": DATA,
        "check": DATA,
        "train": TRAIN,
        "evaluate": EVALUATE,
        "solve": SOLVE,
        "siqd": SIQD,
    }[name]
    row = dataclasses.replace(READERS[name](folder / subfolder), name=name)
    if name == "evaluate" and row.state == "done":
        fresh = newer(folder / EVALUATE / "metrics.json", folder / TRAIN / "run.json")
        row = row if fresh else dataclasses.replace(row, state="out of date")
    row = _with_jobs(row, active)
    if row.state in ("stopped", "not started") and numbers:
        row = dataclasses.replace(row, note=_last_error(folder / LOGS, name, numbers) or row.note)
    return row, active


def _with_jobs(row: Row, jobs: list[Job]) -> Row:
    """Return the row with what the queue says of its state."""
    states = Counter(job.state for job in jobs if job.active)
    if row.state == "done" or not states:
        return row
    running = states["RUNNING"] + states["COMPLETING"]
    return dataclasses.replace(row, state="running" if running else "waiting")


def _last_error(logs: Path, name: str, numbers: list[str]) -> str:
    """Return the last message of an error in the logs of the newest job of a stage."""
    found = ""
    for path in sorted(logs.glob(f"{name}-{numbers[-1]}*.log")):
        for line in path.read_text(errors="replace").splitlines():
            if line.startswith("error: ") and "exit code" not in line:
                found = f"{line.removeprefix('error: ')} ({path.name})"
    return found


if __name__ == "__main__":
    sys.exit(main())
