"""A training run in a folder: what `opalux train` does, and ``opalux.train`` in Python."""

import contextlib
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from opalux.base import stopping
from opalux.base.config import check, dump, load
from opalux.base.files import write_json
from opalux.base.progress import Progress
from opalux.base.provenance import provenance
from opalux.base.run_folder import run_folder
from opalux.learning.training import checkpoint
from opalux.learning.training.distributed import processes
from opalux.learning.training.loop import run_loop
from opalux.learning.training.mlflow_run import NAME as MLFLOW
from opalux.learning.training.mlflow_run import MlflowRun
from opalux.learning.training.plan import TrainSettings
from opalux.learning.training.prepare import prepare
from opalux.learning.training.restore import require_enough

MAKES = ("last.ckpt", "best.ckpt", "metrics.jsonl", "run.json", "tensorboard/events.*", MLFLOW)
"""Files that a run makes in its folder."""


def train(
    settings: TrainSettings | Mapping[str, Any] | str | Path,
    out: str | Path,
    *,
    overrides: Sequence[str] = (),
    resume: bool = False,
    force: bool = False,
) -> bool:
    """Train a network and leave last.ckpt, best.ckpt, metrics.jsonl and run.json in a folder.

    Under torchrun each process calls this, and all train together. On SIGUSR1 or SIGTERM the
    training writes last.ckpt and ends.

    Parameters
    ----------
    settings : of the training; as `TrainSettings`, as what a YAML file says, or as such a file
    out : folder of the run
    overrides : ``a.b=value`` settings that replace those of the file
    resume : continue from last.ckpt in the folder; ``epochs`` may be another number then
    force : replace what the folder holds

    Returns
    -------
    Whether training came to its end; False when a signal stopped it.

    Raises
    ------
    InputError
        When settings and data do not fit, or the folder holds something else.
    DivergedError
        When the loss is no longer a finite number.

    Examples
    --------
    >>> train("configs/train/debug.yaml", "runs/mine")  # doctest: +SKIP
    True
    """
    out = Path(out)
    if isinstance(settings, Mapping):
        settings = check(TrainSettings, dict(settings), source="settings", folder=Path.cwd())
    if not isinstance(settings, TrainSettings):
        settings, _ = load(TrainSettings, settings, list(overrides))
    with (
        processes() as among,
        _stop_request() as stop,
        contextlib.ExitStack() as opened,
    ):
        prepared = prepare(settings, among)
        mlflow: MlflowRun | None = None

        def connect() -> None:
            nonlocal mlflow
            mlflow = MlflowRun(settings.mlflow) if settings.mlflow else None

        among.on_first(connect)
        text = dump(settings)
        folder = run_folder(
            out,
            text,
            job="train",
            makes=MAKES,
            resume=resume,
            force=force,
            may_change=("epochs", "mlflow"),
        )

        def enter() -> None:
            if resume:
                require_enough(prepared.plan, out / checkpoint.LAST)
            opened.enter_context(folder)
            if mlflow:
                mlflow.begin(out, settings.model_dump(mode="json"))

        among.on_first(enter)
        started = time.monotonic()
        finished = run_loop(
            prepared,
            out,
            among,
            resume=resume,
            stop=stop,
            show=lambda label, total, done: Progress(label, total, done, quiet=not among.first),
            mlflow=mlflow,
        )
        if among.first:
            record: dict[str, Any] = {
                "state": "finished" if finished else "stopped",
                "processes": among.world,
                "device": str(among.device),
                "seconds": round(time.monotonic() - started, 3),
            }
            write_json(out / "run.json", provenance(**record))
    return finished


def describe(settings: TrainSettings, out: Path) -> str:
    """Check that data, network and settings fit, and return what `train` would do.

    Raises
    ------
    InputError
        When they do not.
    """
    with processes() as among:
        prepared = prepare(settings, among)
        plan = prepared.plan
        weights = sum(p.numel() for p in prepared.model.parameters())
        return (
            f"would train {settings.model.kind} ({weights:,} weights) on {len(plan.seen)} maps, "
            f"{plan.steps} steps of {settings.batch} samples over {among.world} process(es), "
            f"judged on {len(plan.held_out)} maps, into {out}"
        )


def _stop_request() -> contextlib.AbstractContextManager[stopping.StopRequest]:
    """Return the request that signals make; only the main thread of a program may handle them."""
    if threading.current_thread() is threading.main_thread():
        return stopping.stop_on_signals()
    return contextlib.nullcontext(stopping.StopRequest())
