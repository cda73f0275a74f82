"""``opalux train``: train a network that reconstructs the density from the edge signals."""

import argparse
import os
import sys
import time
from pathlib import Path
from typing import NoReturn

from opalux.base import command_line
from opalux.base.errors import InputError, OpaluxError
from opalux.base.exit_codes import CHECKPOINTED, OK
from opalux.jobs.starting.models import MODELS

FIRST_SPEAKS = 60.0
"""Time that the first process is given to say what is wrong [s]."""

DESCRIPTION = """\
Train a network that reconstructs the density from the edge signals.

  opalux train CONFIG                                     one process
  torchrun --nproc-per-node N -m opalux train CONFIG      N processes

Writes last.ckpt, best.ckpt, metrics.jsonl and TensorBoard events into DIR
(default: runs/train/NAME for CONFIG NAME.yaml).  On SIGUSR1 or SIGTERM the run
writes last.ckpt and ends with exit code 75; the same command with --resume
continues it."""


def main(argv: list[str] | None = None) -> int:
    """Run the command line; see DESCRIPTION."""
    parsed = command_line.parser("train", DESCRIPTION, settings=MODELS["train"]).parse_args(argv)
    if "RANK" not in os.environ:
        return command_line.run(lambda: _train(parsed), parsed)
    if os.environ["RANK"] == "0":
        _leave(command_line.run(lambda: _train(parsed), parsed))
    try:
        _leave(_train(parsed))
    except OpaluxError as error:
        # All processes find the same fault, and the first one reports it. The launcher ends all of
        # them as soon as one has ended, so the others wait until the first one has spoken. Who
        # still lives then has found what the first one has not.
        time.sleep(FIRST_SPEAKS)
        print(f"error: process {os.environ['RANK']}: {error}", file=sys.stderr)
        _leave(error.exit_code)


def _leave(code: int) -> NoReturn:
    """End this one of several processes at once; nothing is left to do.

    In an ordinary end one process in five aborts on a loaded machine, in a thread that torch 2.13
    does not join, and the launcher counts the training as failed.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _train(parsed: argparse.Namespace) -> int:
    given = command_line.arguments(parsed)
    if int(os.environ.get("SLURM_STEP_NUM_TASKS", 1)) > 1 and "RANK" not in os.environ:
        raise InputError(
            f"srun started {os.environ['SLURM_STEP_NUM_TASKS']} tasks, each of which would train "
            "alone into the same folder; start 'srun torchrun … -m opalux train CONFIG'"
        )
    # Importing torch takes seconds: not before the command line is understood.
    from opalux.base.config import load
    from opalux.jobs.correction.run import describe, train
    from opalux.learning.training.plan import TrainSettings

    settings, _ = load(TrainSettings, given.config, given.overrides)
    out = given.out or Path("runs/train") / given.config.stem
    speaks = os.environ.get("RANK", "0") == "0"
    if given.dry_run:
        plan = describe(settings, out)
        if speaks:
            print(plan)
        return OK
    if train(settings, out, resume=given.resume, force=given.force):
        return OK
    if speaks:
        print(f"stopped by a signal; {out}/last.ckpt is written; continue with --resume")
    return CHECKPOINTED


if __name__ == "__main__":
    raise SystemExit(main())
