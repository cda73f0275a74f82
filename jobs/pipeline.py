"""``opalux pipeline``: the whole road as a chain of Slurm jobs.

Files are the truth: what is done is left alone, what is in the queue is waited for, and only the
rest is submitted; of a campaign, only the elements whose parts are missing.
"""

import argparse
import dataclasses
import datetime
import shlex
import sys
from pathlib import Path

import pydantic

from opalux.base import command_line
from opalux.base.config import dump, load
from opalux.base.errors import InputError
from opalux.base.exit_codes import OK
from opalux.base.files import atomic, write_json
from opalux.jobs.chain.settings import PipelineConfig
from opalux.jobs.chain.stages import PlannedStage, plan
from opalux.jobs.cluster import queue as slurm_queue
from opalux.jobs.cluster.queue import Job
from opalux.jobs.cluster.site import Site

NAME = "pipeline.yaml"
"""The resolved configuration, in the folder of the results; `opalux status` knows it by it."""

SUBMITTED = "jobs.json"
SCRIPTS, LOGS = "scripts", "logs"

DESCRIPTION = """\
Run sample -> check -> train -> evaluate (and solve, siqd) as a chain of Slurm jobs.

  opalux pipeline CONFIG             write the batch scripts
  opalux pipeline CONFIG --submit    and submit what is left to do
  opalux pipeline CONFIG --dry-run   print both, do nothing

The same line with --submit, given again, repairs the chain after a failure; see
how far it is with 'opalux status DIR'."""


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


def main(argv: list[str] | None = None) -> int:
    """Run the command line; see DESCRIPTION."""
    parser = command_line.parser("pipeline", DESCRIPTION)
    parser.add_argument("--submit", action="store_true", help="submit what is left to do")
    parsed = parser.parse_args(argv)
    return command_line.run(lambda: _pipeline(parsed))


def _pipeline(parsed: argparse.Namespace) -> int:
    given = command_line.arguments(parsed)
    if given.force:
        raise InputError("--force: a pipeline replaces no results; give another --out")
    if given.dry_run and parsed.submit:
        raise InputError("--dry-run and --submit exclude each other; give one of them")
    config, site, stages = read(given)
    texts = {stage.name: stage.script.render(site, config.out / LOGS) for stage in stages}
    if given.dry_run:
        _show(config, stages, texts)
        return OK
    queue = slurm_queue.jobs() if parsed.submit else []
    for folder in (SCRIPTS, LOGS):
        _make(config.out / folder)
    for stage in stages:
        with atomic(script_path(config, stage)) as temporary:
            temporary.write_text(texts[stage.name], encoding="utf-8")
            temporary.chmod(0o755)
    with atomic(config.out / NAME) as temporary:
        temporary.write_text(dump(config), encoding="utf-8")
    if not parsed.submit:
        print(f"{config.out}: {len(stages)} batch scripts written; --submit submits them")
        return OK
    Chain(config, queue).submit(stages)
    print(f"see how far it is: opalux status {config.out}")
    return OK


def read(given: command_line.Arguments) -> tuple[PipelineConfig, Site, list[PlannedStage]]:
    """Read and check all configurations."""
    config, _ = load(PipelineConfig, given.config, given.overrides)
    # Jobs start anywhere: no path may depend on where this was called.
    found = {"out": (given.out or config.out).resolve(), "site": config.site.resolve()}
    for name in ("sample", "train", "solve", "siqd"):
        if stage := getattr(config, name):
            found[name] = stage.model_copy(update={"config": stage.config.resolve()})
    config = config.model_copy(update=found)
    site = config.read_site()
    return config, site, plan(config, site)


def script_path(config: PipelineConfig, stage: PlannedStage) -> Path:
    """Return where the batch script of a stage lies."""
    return config.out / SCRIPTS / f"{stage.name}.sbatch"


def submissions(out: Path) -> list[Submission]:
    """Return what has been submitted, oldest first."""
    path = out / SUBMITTED
    return _SUBMISSIONS.validate_json(path.read_bytes()) if path.is_file() else []


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"out: cannot make {folder} ({error.strerror}); choose another folder"
        ) from None


def _show(config: PipelineConfig, stages: list[PlannedStage], texts: dict[str, str]) -> None:
    for stage in stages:
        print(f"==> {script_path(config, stage)} <==\n{texts[stage.name]}")
    print("==> submission, unless done or in the queue <==")
    for stage in stages:
        after = [f"<{name}>" for name in stage.after]
        # Not quoted: the brackets stand for numbers of jobs.
        print(" ".join(slurm_queue.submission(script_path(config, stage), after)))


@dataclasses.dataclass
class Chain:
    """The jobs of a pipeline, old and new.

    Attributes
    ----------
    config : of the pipeline
    queue : this user's jobs
    """

    config: PipelineConfig
    queue: list[Job]

    def submit(self, stages: list[PlannedStage]) -> None:
        """Submit what is neither done nor in the queue, each job after those that it needs."""
        waiting_for: dict[str, list[str]] = {}
        renewed: set[str] = set()
        for stage in stages:
            if stage.done():
                print(f"{stage.name:<10} done")
                continue
            after = [job for name in stage.after for job in waiting_for.get(name, [])]
            active, tasks = self._left(stage)
            numbers = list(dict.fromkeys(job.id for job in active))
            if active and renewed.intersection(stage.after):
                for number in numbers:
                    slurm_queue.wait_for_others(number, after)
            if numbers:
                print(f"{stage.name:<10} in the queue: {', '.join(numbers)}")
            if tasks or not active:
                words = slurm_queue.submission(script_path(self.config, stage), after, tasks)
                number = slurm_queue.submit(words)
                self._note(stage, number, tasks)
                renewed.add(stage.name)
                numbers.append(number)
                print(f"{stage.name:<10} {number}: {shlex.join(words)}")
            waiting_for[stage.name] = numbers

    def _left(self, stage: PlannedStage) -> tuple[list[Job], list[int]]:
        """Return the stage's jobs in the queue, and the elements of its array beyond them."""
        numbers = {s.job for s in submissions(self.config.out) if s.stage == stage.name}
        active = [job for job in self.queue if job.active and job.id in numbers]
        if stage.missing is None:
            return active, []
        # All parts may be there but the last step, in which any element ends.
        missing = stage.missing()
        busy = {job.task for job in active}
        return active, [task for task in missing if task not in busy]

    def _note(self, stage: PlannedStage, number: str, tasks: list[int]) -> None:
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        new = Submission(stage=stage.name, job=number, tasks=tuple(tasks), time=now)
        known = [*submissions(self.config.out), new]
        write_json(self.config.out / SUBMITTED, [one.model_dump(mode="json") for one in known])


if __name__ == "__main__":
    sys.exit(main())
