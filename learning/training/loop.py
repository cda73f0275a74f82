"""The training loop. It reads from top to bottom; one process or many run the same lines."""

import contextlib
import dataclasses
import itertools
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from opalux.base.errors import InputError, OpaluxError
from opalux.base.stopping import StopRequest
from opalux.learning.data.identity import fingerprint
from opalux.learning.training import checkpoint, distributed, loader
from opalux.learning.training.distributed import Processes
from opalux.learning.training.logbook import Logbook
from opalux.learning.training.mlflow_run import MlflowRun
from opalux.learning.training.optimise import MovingAverage, learning_rate, make_optimiser
from opalux.learning.training.precision import mixed_precision
from opalux.learning.training.prepare import Model, Prepared
from opalux.learning.training.restore import State, restore
from opalux.learning.training.validation import validate


class DivergedError(OpaluxError, RuntimeError):
    """The loss is no longer a finite number."""


class Advance(Protocol):
    """Counts steps done."""

    def advance(self, by: int = 1, note: str = "") -> None:
        """Count ``by`` more."""


ShowProgress = Callable[[str, int, int], contextlib.AbstractContextManager[Advance]]
"""Given a label, a total and what is done already, shows progress while entered."""


def run_loop(
    prepared: Prepared,
    folder: Path,
    among: Processes,
    *,
    resume: bool,
    stop: StopRequest,
    show: ShowProgress,
    mlflow: MlflowRun | None = None,
) -> bool:
    """Train a model and leave last.ckpt, best.ckpt, metrics.jsonl and TensorBoard in ``folder``.

    Parameters
    ----------
    prepared : see `prepare`
    folder : of the run
    among : this process among all
    resume : continue from last.ckpt if there is one
    stop : checked before each step
    show : see `ShowProgress`
    mlflow : takes the numbers, too

    Returns
    -------
    Whether training came to its end; False when it was stopped after writing last.ckpt.

    Raises
    ------
    InputError
        When last.ckpt does not fit, is of other data, or the data hold NaN.
    DivergedError
        When the loss is no longer a finite number.
    """
    settings, data, plan, model, corrected = prepared
    average = MovingAverage(model, settings.optimiser.ema) if settings.optimiser.ema else None
    judged = average.model if average is not None else model
    parallel = distributed.parallelise(LossOf(model), among)
    optimiser = make_optimiser(model, settings.optimiser)
    forward = torch.compile(parallel) if settings.compile else parallel
    autocast = mixed_precision(settings.precision, among.device)

    state = State()
    last = folder / checkpoint.LAST
    if resume and last.is_file():
        state = restore(
            last,
            data=data,
            steps=plan.steps,
            model=model,
            average=None if average is None else average.model,
            optimiser=optimiser,
            device=among.device,
        )

    mark = fingerprint(data)

    def keep(name: str) -> None:
        """Write a checkpoint; the best one holds nothing that only a resume needs."""
        if not among.first:
            return
        content = {
            "settings": settings.model_dump(mode="json"),
            "layout": model.layout._asdict(),
            "card": data.card.model_dump(mode="json"),
            "fingerprint": mark,
            "times": plan.times.tolist(),
            "state": dataclasses.asdict(state),
            "model": (judged if name == checkpoint.BEST else model).state_dict(),
        }
        if corrected:
            content[checkpoint.CORRECTED] = corrected
        if name == checkpoint.LAST:
            content["optimiser"] = optimiser.state_dict()
            content["average"] = judged.state_dict()
        checkpoint.save(folder / name, content)

    with contextlib.ExitStack() as opened:
        log = opened.enter_context(Logbook(folder, state.step, writes=among.first, mlflow=mlflow))
        progress = opened.enter_context(show("training", plan.steps, state.step))
        started, first_step = time.monotonic(), state.step
        model.train()
        while state.step < plan.steps and not state.ended:
            epoch, done = divmod(state.step, plan.steps_per_epoch)
            order = plan.order(epoch, done, among)
            fetched = iter(loader.batches(plan.training, order, settings.data.workers))
            while parts := list(itertools.islice(fetched, settings.accumulate)):
                code = among.largest(_code(parts, stop))
                if code == STOP:
                    keep(checkpoint.LAST)
                    log.state = "KILLED"
                    return False
                if code > STOP:
                    raise InputError(
                        f"{settings.data.folder}: sample {code - STOP - 1} holds NaN or infinity, "
                        "expected numbers; check the data set with `opalux dataset check`"
                    )

                lr = learning_rate(settings.optimiser, state.step, plan.steps)
                for group in optimiser.param_groups:
                    group["lr"] = lr
                optimiser.zero_grad(set_to_none=True)
                loss = torch.zeros((), device=among.device)
                for number, (*given, _) in enumerate(parts, start=1):
                    # Gradients are exchanged once, with the last micro batch.
                    with distributed.exchange(parallel, number == len(parts)):
                        with autocast:
                            part = forward(
                                *(one.to(among.device, non_blocking=True) for one in given)
                            )
                        (part / len(parts)).backward()
                    loss += part.detach() / len(parts)
                limit = settings.optimiser.clip or math.inf
                norm = torch.nn.utils.clip_grad_norm_(model.parameters(), limit)
                optimiser.step()
                state.step += 1
                if average is not None:
                    average.update(model, state.step)

                state.loss_sum += float(among.sum(loss)) / among.world
                state.loss_count += 1
                if not math.isfinite(state.loss_sum):
                    raise DivergedError(
                        f"the loss is no longer a finite number at step {state.step}; lower "
                        f"optimiser.lr (now {settings.optimiser.lr:g}), or use precision=float32"
                    )
                if state.step % settings.log_every == 0 or state.step == plan.steps:
                    rate = (state.step - first_step) / (time.monotonic() - started)
                    log.write(
                        "train",
                        state.step,
                        epoch=state.step / plan.steps_per_epoch,
                        loss=state.loss_sum / state.loss_count,
                        lr=lr,
                        gradient_norm=float(norm),
                        samples_per_second=rate * settings.batch,
                    )
                    state.loss_sum, state.loss_count = 0.0, 0
                if plan.validates_after(state.step):
                    scores = validate(
                        judged, plan.judging, plan.held_out, settings.batch, among, autocast
                    )
                    better = scores[model.objective.leading] > state.best
                    state.best = max(state.best, scores[model.objective.leading])
                    state.waited = 0 if better else state.waited + 1
                    state.ended = state.waited == settings.patience
                    log.write(
                        "validation",
                        state.step,
                        epoch=epoch + 1,
                        leading=model.objective.leading,
                        **scores,
                    )
                    if better:
                        keep(checkpoint.BEST)
                    keep(checkpoint.LAST)
                elif settings.checkpoint_every and state.step % settings.checkpoint_every == 0:
                    keep(checkpoint.LAST)
                progress.advance(
                    1, f"loss {float(loss):.4f}, best {model.objective.leading} {state.best:.4f}"
                )
                if state.ended:
                    break
        log.state = "FINISHED"
    return True


class LossOf(torch.nn.Module):
    """A model as its loss: what DistributedDataParallel has to see to average its gradients."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model

    def forward(self, *given_and_target: torch.Tensor) -> torch.Tensor:
        """Return the loss of the batch."""
        loss: torch.Tensor = self.model.loss(*given_and_target)
        return loss


GO_ON, STOP = 0, 1


def _code(parts: list[list[torch.Tensor]], stop: StopRequest) -> int:
    """Return GO_ON, STOP, or STOP + 1 + position of a sample that is not all numbers.

    The largest code of all processes is what they all do.
    """
    for *_, target, positions in parts:
        good = target.flatten(1).isfinite().all(1)
        if not good.all():
            return STOP + 1 + int(positions[np.flatnonzero(~good.numpy())[0]])
    return STOP if stop.made else GO_ON
