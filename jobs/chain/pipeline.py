"""A pipeline: its batch scripts are written and, if wanted, its jobs submitted."""

from collections.abc import Callable
from pathlib import Path

from opalux.base.config import dump
from opalux.base.errors import InputError
from opalux.base.files import atomic, write_text
from opalux.jobs.chain.plan import LOGS, NAME, SCRIPTS, Pipeline, read_pipeline
from opalux.jobs.chain.submission import submit
from opalux.jobs.cluster import queue as slurm_queue


def run_pipeline(
    path: Path,
    overrides: list[str],
    out: Path | None = None,
    *,
    submitted: bool = False,
    dry_run: bool = False,
    say: Callable[[str], None] = print,
) -> None:
    """Write the batch scripts of a pipeline and submit what is left to do.

    Parameters
    ----------
    path, overrides, out : see `read_pipeline`
    submitted : submit the jobs, too
    dry_run : write nothing; say what would be written and submitted
    say : is told what is done, line by line

    Raises
    ------
    InputError
        When a configuration is wrong, the folder cannot be written, or Slurm refuses a job.
    """
    pipeline = read_pipeline(path, overrides, out)
    texts = {stage.path: pipeline.script(stage) for stage in pipeline.stages}
    if dry_run:
        _show(pipeline, texts, say)
        return
    queue = slurm_queue.jobs() if submitted else []
    folder = pipeline.settings.out
    _write(pipeline, texts)
    if submitted:
        submit(pipeline, queue, say)
        say(f"see how far it is: opalux status {folder}")
    else:
        say(f"{folder}: {len(texts)} batch scripts written; --submit submits them")


def _write(pipeline: Pipeline, texts: dict[Path, str]) -> None:
    out = pipeline.settings.out
    for folder in (out / SCRIPTS, out / LOGS):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"out: cannot make {folder} ({error.strerror}); choose another folder"
            ) from None
    for path, text in texts.items():
        with atomic(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
            temporary.chmod(0o755)
    write_text(out / NAME, dump(pipeline.settings))


def _show(pipeline: Pipeline, texts: dict[Path, str], say: Callable[[str], None]) -> None:
    for path, text in texts.items():
        say(f"==> {path} <==\n{text}")
    say("==> submission, unless done or in the queue <==")
    for stage in pipeline.stages:
        after = [f"<{name}>" for name in stage.after]
        # Not quoted: the brackets stand for numbers of jobs.
        say(" ".join(slurm_queue.submission(stage.path, after)))
