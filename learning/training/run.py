"""A training run in a folder."""

import contextlib
import threading
import time
from pathlib import Path
from typing import Any, Protocol

from opalux.base import stopping
from opalux.base.config import dump
from opalux.base.files import write_json
from opalux.base.progress import Progress
from opalux.base.provenance import provenance
from opalux.base.run_folder import run_folder
from opalux.learning.training import checkpoint
from opalux.learning.training.distributed import Processes, processes
from opalux.learning.training.examples import FOLDER
from opalux.learning.training.loop import run_loop
from opalux.learning.training.mlflow_run import NAME as MLFLOW
from opalux.learning.training.mlflow_run import MlflowRun
from opalux.learning.training.plan import TrainSettings
from opalux.learning.training.prepare import Prepared, prepare, with_examples
from opalux.learning.training.restore import require_enough


class MakeExamples(Protocol):
    """Makes what a correction learns from, in files; what is there already is kept."""

    def check(self, prepared: Prepared) -> None:
        """Refuse what has no examples, before any work.

        Raises
        ------
        InputError
            When the corrected network does not fit the settings, or cannot be simulated.
        """

    def __call__(
        self, prepared: Prepared, folder: Path, among: Processes, stop: stopping.StopRequest
    ) -> str | None:
        """Make them, shared among the processes, and return what they are made from.

        None: stopped by a signal.
        """


MAKES = (
    "last.ckpt",
    "best.ckpt",
    "metrics.jsonl",
    "run.json",
    "tensorboard/events.*",
    MLFLOW,
    f"{FOLDER}/part-*.h5",
)
"""Files that a run makes in its folder."""


def train(
    settings: TrainSettings, out: Path, make_examples: MakeExamples, *, resume: bool, force: bool
) -> bool:
    """Do what `opalux.train` says, with ``make_examples`` for corrections."""
    with (
        processes() as among,
        _stop_request() as stop,
        contextlib.ExitStack() as opened,
    ):
        prepared = _checked(settings, among, make_examples)
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
        finished = True
        if prepared.corrected is not None:
            made_from = make_examples(prepared, out / FOLDER, among, stop)
            finished = made_from is not None
            if made_from is not None:
                prepared = with_examples(prepared, out / FOLDER, made_from)
        finished = finished and run_loop(
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


def describe(settings: TrainSettings, out: Path, make_examples: MakeExamples) -> str:
    """Check that data, network and settings fit, and return what `train` would do.

    Raises
    ------
    InputError
        When they do not.
    """
    with processes() as among:
        prepared = _checked(settings, among, make_examples)
        plan = prepared.plan
        weights = sum(p.numel() for p in prepared.model.parameters())
        return (
            f"would train {settings.model.kind} ({weights:,} weights) on {len(plan.seen)} maps, "
            f"{plan.steps} steps of {settings.batch} samples over {among.world} process(es), "
            f"judged on {len(plan.held_out)} maps, into {out}"
        )


def _checked(settings: TrainSettings, among: Processes, make_examples: MakeExamples) -> Prepared:
    prepared = prepare(settings, among)
    if prepared.corrected is not None:
        make_examples.check(prepared)
    return prepared


def _stop_request() -> contextlib.AbstractContextManager[stopping.StopRequest]:
    """Return the request that signals make; only the main thread of a program may handle them."""
    if threading.current_thread() is threading.main_thread():
        return stopping.stop_on_signals()
    return contextlib.nullcontext(stopping.StopRequest())
