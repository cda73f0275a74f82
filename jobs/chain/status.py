"""How far a pipeline, a campaign, a training or another run is.

It is read from files, and from squeue where there is one; accounting (sacct) is not needed.
"""

import dataclasses
from collections import Counter
from pathlib import Path
from typing import Any

from opalux.base.config import load
from opalux.base.errors import InputError
from opalux.base.run_folder import is_in_use
from opalux.jobs.chain.plan import LOGS, NAME
from opalux.jobs.chain.row import Row, read_settings
from opalux.jobs.chain.settings import FROM_FILE
from opalux.jobs.chain.stage import Stage
from opalux.jobs.chain.stages.table import STAGES
from opalux.jobs.chain.submission import submissions
from opalux.jobs.cluster import queue as slurm_queue
from opalux.jobs.cluster.queue import Job


def rows(folder: Path, jobs: list[Job]) -> list[tuple[Row, list[Job]]]:
    """Return the lines for ``folder``, each with its jobs.

    Parameters
    ----------
    folder : of a pipeline or of one run
    jobs : of this user, as squeue shows them; empty where there is no Slurm

    Raises
    ------
    InputError
        When ``folder`` holds no results.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; give the folder of a run or pipeline")
    if (folder / NAME).is_file():
        settings, _ = load(FROM_FILE, folder / NAME)
        present = [stage for stage in STAGES if stage.name in settings.stages]
        return [_of_stage(folder, stage, jobs) for stage in present]
    own = [job for job in jobs if job.works_on(folder)]
    return [(_with_jobs(_read(stage_of(folder), folder), own), own)]


def stage_of(folder: Path) -> Stage[Any]:
    """Return the stage whose results lie in ``folder``.

    Raises
    ------
    InputError
        When there are none.
    """
    keys = read_settings(folder).keys()
    for stage in STAGES:
        if stage.keys and keys >= set(stage.keys):
            return stage
    for stage in STAGES:
        if any((folder / name).is_file() for name in stage.files):
            return stage
    raise InputError(
        f"{folder}: found no results there; give the folder of a pipeline (pipeline.yaml), a "
        "campaign (dataset.yaml), a training (metrics.jsonl), a solution, an evaluation or a study"
    )


def _read(stage: Stage[Any], folder: Path) -> Row:
    """Return the line of a stage, which says so when its files cannot be read."""
    try:
        row = stage.row(folder)
        if row.state in ("stopped", "not started") and is_in_use(folder):
            row = dataclasses.replace(row, state="running")
        return row
    except (OSError, ValueError, LookupError, TypeError) as error:
        # InputError is a ValueError; the others come from files that hold something unexpected.
        known = isinstance(error, InputError | OSError)
        reason = str(error) if known else f"found something unexpected in its files ({error!r})"
        note = reason if str(folder) in reason else f"{folder}: {reason}"
        return Row(name=stage.name, state="unreadable", note=note)


def _of_stage(folder: Path, stage: Stage[Any], jobs: list[Job]) -> tuple[Row, list[Job]]:
    numbers = [one.job for one in submissions(folder) if one.stage == stage.name]
    own = [job for job in jobs if job.id in numbers]
    # Jobs that were replaced by a later submission are not shown.
    active = [job for job in own if job.active] or [
        job for job in own if job.id == numbers[-1] and job.state != "COMPLETED"
    ]
    row = dataclasses.replace(_read(stage, folder / stage.folder), name=stage.name)
    row = _with_jobs(row, active)
    if row.state in ("stopped", "not started") and numbers:
        note = _last_error(folder / LOGS, stage.name, numbers[-1]) or row.note
        row = dataclasses.replace(row, note=note)
    return row, active


def _with_jobs(row: Row, jobs: list[Job]) -> Row:
    """Return the row with what the queue says of its state."""
    states = Counter(job.state for job in jobs if job.active)
    if row.state in ("done", "unreadable") or not states:
        return row
    running = states["RUNNING"] + states["COMPLETING"]
    return dataclasses.replace(row, state="running" if running else "waiting")


def _last_error(logs: Path, name: str, number: str) -> str:
    """Return the last message of an error in the logs of a job."""
    found = ""
    for path in sorted(logs.glob(f"{name}-{number}*.log")):
        for line in path.read_text(errors="replace").splitlines():
            if line.startswith("error: ") and "exit code" not in line:
                found = f"{line.removeprefix('error: ')} ({path.name})"
    return found


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
