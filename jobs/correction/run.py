"""Training any network: what `opalux train` does, and ``opalux.train`` in Python."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from opalux.base.config import check, load
from opalux.jobs.correction.examples import SolverExamples
from opalux.learning.training import run
from opalux.learning.training.plan import TrainSettings


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
    training writes last.ckpt and ends. A correction (``model.kind: correction``) first simulates
    the maps that it learns to correct, and keeps them in the folder.

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
    if isinstance(settings, Mapping):
        settings = check(TrainSettings, dict(settings), source="settings", folder=Path.cwd())
    if not isinstance(settings, TrainSettings):
        settings, _ = load(TrainSettings, settings, list(overrides))
    return run.train(settings, Path(out), SolverExamples(), resume=resume, force=force)


def describe(settings: TrainSettings, out: Path) -> str:
    """Check that data, network and settings fit, and return what `train` would do.

    Raises
    ------
    InputError
        When they do not.
    """
    return run.describe(settings, out, SolverExamples())
