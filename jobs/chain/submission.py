"""The jobs of a pipeline in Slurm's queue: what was submitted, and what is left to submit.

Files are the truth: what is done is left alone, what is in the queue is waited for, and only the
rest is submitted; of a campaign, only the elements whose parts are missing.
"""

import datetime
import shlex
from collections.abc import Callable
from pathlib import Path

import pydantic

from opalux.base.errors import InputError
from opalux.base.files import write_json
from opalux.jobs.chain.plan import Pipeline, PlannedStage
from opalux.jobs.cluster import queue as slurm_queue
from opalux.jobs.cluster.queue import Job

NAME = "jobs.json"


class Submission(pydantic.BaseModel):
    """A job that was submitted.

    Attributes
    ----------
    stage : of the pipeline
    job : its number
    tasks : elements of the array; empty: no array
    time : of the submission
    """

    stage: str
    job: str
    tasks: tuple[int, ...] = ()
    time: str = ""


_SUBMISSIONS = pydantic.TypeAdapter(list[Submission])


def submissions(out: Path) -> list[Submission]:
    """Return what has been submitted, oldest first.

    Raises
    ------
    InputError
        When the list of the submissions cannot be read.
    """
    path = out / NAME
    try:
        return _SUBMISSIONS.validate_json(path.read_bytes()) if path.is_file() else []
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"{path}: found no list of submitted jobs ({reason}); it was changed or damaged: put a "
            "copy of it back, or remove it when none of its jobs is in the queue"
        ) from None


def submit(pipeline: Pipeline, queue: list[Job], say: Callable[[str], None]) -> None:
    """Submit what is neither done nor in the queue, each job after those that it needs.

    Parameters
    ----------
    pipeline : whose batch scripts are written
    queue : this user's jobs
    say : is told in a line what became of each stage
    """
    out = pipeline.settings.out
    waiting_for: dict[str, list[str]] = {}
    renewed: set[str] = set()
    for stage in pipeline.stages:
        if stage.work.done():
            say(f"{stage.name:<10} done")
            continue
        after = [job for name in stage.after for job in waiting_for.get(name, [])]
        active, tasks = _left(out, stage, queue)
        numbers = list(dict.fromkeys(job.id for job in active))
        if active and renewed.intersection(stage.after):
            for number in numbers:
                slurm_queue.wait_for_others(number, after)
        if numbers:
            say(f"{stage.name:<10} in the queue: {', '.join(numbers)}")
        if tasks or not active:
            words = slurm_queue.submission(stage.path, after, tasks)
            number = slurm_queue.submit(words)
            _note(out, stage, number, tasks)
            renewed.add(stage.name)
            numbers.append(number)
            say(f"{stage.name:<10} {number}: {shlex.join(words)}")
        waiting_for[stage.name] = numbers


def _left(out: Path, stage: PlannedStage, queue: list[Job]) -> tuple[list[Job], list[int]]:
    """Return the stage's jobs in the queue, and the elements of its array beyond them."""
    numbers = {one.job for one in submissions(out) if one.stage == stage.name}
    active = [job for job in queue if job.active and job.id in numbers]
    if stage.work.missing is None:
        return active, []
    # All parts may be there but the last step, in which any element ends.
    missing = stage.work.missing()
    busy = {job.task for job in active}
    return active, [task for task in missing if task not in busy]


def _note(out: Path, stage: PlannedStage, number: str, tasks: list[int]) -> None:
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    new = Submission(stage=stage.name, job=number, tasks=tuple(tasks), time=now)
    known = [*submissions(out), new]
    write_json(out / NAME, [one.model_dump(mode="json") for one in known])
