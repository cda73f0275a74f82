"""``opalux train``: train a network that reconstructs the density from the edge signals."""

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

from opalux.base import command_line
from opalux.base.config import load
from opalux.base.errors import InputError, OpaluxError
from opalux.base.exit_codes import BAD_INPUT, CHECKPOINTED, OK
from opalux.base.files import write_json
from opalux.base.progress import Progress
from opalux.base.provenance import provenance
from opalux.base.run_folder import open_run

FIRST_SPEAKS = 60.0
"""Time that the first process is given to say what is wrong [s]."""

DESCRIPTION = """\
Train a network that reconstructs the density from the edge signals.

  python -m jobs.train CONFIG                             one process
  torchrun --nproc-per-node N -m jobs.train CONFIG        N processes

Writes last.ckpt, best.ckpt, metrics.jsonl and TensorBoard events into DIR
(default: runs/train/NAME for CONFIG NAME.yaml).  On SIGUSR1 or SIGTERM the run
writes last.ckpt and ends with exit code 75; the same line with --resume goes on
where it stood."""


def main(argv: list[str] | None = None) -> int:
    """Run the command line; see DESCRIPTION."""
    parsed = command_line.parser("train", DESCRIPTION).parse_args(argv)
    if "RANK" not in os.environ:
        return command_line.run(lambda: _train(parsed))
    if os.environ["RANK"] == "0":
        _leave(command_line.run(lambda: _train(parsed)))
    try:
        _leave(_train(parsed))
    except OpaluxError:
        # All processes find the same fault and the first one says it. The launcher ends them all
        # as soon as one has ended: not before the first one has spoken.
        time.sleep(FIRST_SPEAKS)
        _leave(BAD_INPUT)


def _leave(code: int) -> NoReturn:
    """End this one of several processes, for which nothing is left to do, at once.

    Left to take itself down, one in five aborts on a loaded machine, in a thread that torch 2.13
    forgets to join, and the launcher counts the training as failed.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _train(parsed: argparse.Namespace) -> int:
    given = command_line.arguments(parsed)
    if int(os.environ.get("SLURM_STEP_NUM_TASKS", 1)) > 1 and "RANK" not in os.environ:
        raise InputError(
            f"srun started {os.environ['SLURM_STEP_NUM_TASKS']} tasks, each of which would train "
            "alone into the same folder; start 'srun torchrun … -m jobs.train CONFIG'"
        )
    # Importing torch takes seconds: not before the command line is understood.
    from opalux.base.stopping import stop_on_signals
    from opalux.learning.training.distributed import processes
    from opalux.learning.training.plan import TrainSettings
    from opalux.learning.training.train import prepare, train

    settings, text = load(TrainSettings, given.config, given.overrides)
    out = given.out or Path("runs/train") / given.config.stem
    with processes() as among, stop_on_signals() as stop:
        prepared = prepare(settings, among)
        if given.dry_run:
            if among.first:
                plan = prepared.plan
                weights = sum(p.numel() for p in prepared.model.parameters())
                print(
                    f"would train {settings.model.kind} ({weights:,} weights) on "
                    f"{len(plan.seen)} maps, {plan.steps} steps of {settings.batch} samples over "
                    f"{among.world} process(es), judged on {len(plan.held_out)} maps, into {out}"
                )
            return OK
        among.on_first(lambda: open_run(out, text, resume=given.resume, force=given.force))
        started = time.monotonic()
        finished = train(
            prepared,
            out,
            among,
            resume=given.resume,
            stop=stop,
            show=lambda label, total, done: Progress(label, total, done, quiet=not among.first),
        )
        if among.first:
            record: dict[str, Any] = {
                "state": "finished" if finished else "stopped",
                "processes": among.world,
                "device": str(among.device),
                "seconds": round(time.monotonic() - started, 3),
            }
            write_json(out / "run.json", provenance(**record))
            if not finished:
                print(f"stopped by a signal; {out}/last.ckpt is written, go on with --resume")
    return OK if finished else CHECKPOINTED


if __name__ == "__main__":
    raise SystemExit(main())
