"""What training needs, put together and checked before any work starts."""

from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch

from opalux.learning.data.data_set import DataSet
from opalux.learning.data.soundness import (
    first_damaged,
    refuse_damaged,
    refuse_leaks,
    refuse_other_statistics,
)
from opalux.learning.networks.correction import CorrectionSettings
from opalux.learning.networks.corrector import Corrector, build_corrector
from opalux.learning.networks.reconstructor import Reconstructor, build
from opalux.learning.training import checkpoint, loader
from opalux.learning.training.compact import needed
from opalux.learning.training.distributed import Processes
from opalux.learning.training.examples import Examples, scaling_of_examples
from opalux.learning.training.mlflow_run import require_mlflow
from opalux.learning.training.plan import TrainingPlan, TrainSettings
from opalux.learning.training.scaling import scaling_of

Model = Reconstructor | Corrector
Placed = TypeVar("Placed", Reconstructor, Corrector)


class Prepared(NamedTuple):
    """All that training needs, checked.

    Attributes
    ----------
    corrected : content of the checkpoint of what a correction corrects; None: of other networks
    """

    settings: TrainSettings
    data: DataSet
    plan: TrainingPlan
    model: Model
    corrected: dict[str, Any] | None = None


def prepare(settings: TrainSettings, among: Processes) -> Prepared:
    """Check that data, model and settings fit together; writes nothing.

    Raises
    ------
    InputError
        When they do not.
    """
    if settings.mlflow:
        require_mlflow()
    data = DataSet(settings.data.folder)
    plan = TrainingPlan(settings, data, among.world)
    refuse_leaks(data)
    refuse_other_statistics(data)
    _refuse_damaged(data, plan, among)
    layout = loader.layout_of(data, settings.data.n_times)
    if isinstance(settings.model, CorrectionSettings):
        corrector = build_corrector(settings.model, layout, settings.seed)
        corrected = needed(checkpoint.load(checkpoint.best_of(settings.model.of)))
        return Prepared(settings, data, plan, _placed(corrector, among), corrected)
    model = build(settings.model, layout, settings.seed, told=settings.augmentation.subsets)
    scaling = scaling_of(
        data,
        plan.seen,
        plan.times,
        model.layout,
        model.objective,
        standardise=settings.data.standardise,
        floor=settings.data.floor,
    )
    model.scale_by(scaling)
    return Prepared(settings, data, plan, _placed(model, among))


def _placed(model: Placed, among: Processes) -> Placed:
    model.to(among.device)
    model.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return model


def with_examples(prepared: Prepared, folder: Path, made_from: str) -> Prepared:
    """Return what a correction is trained with, once its examples are in a folder.

    ``made_from`` : what they have to be made from
    """
    settings, data, plan, model = prepared[:4]
    assert isinstance(model, Corrector)
    plan.training, plan.judging = (
        Examples(folder, made_from, data, model, symmetries=turned, seed=settings.seed)
        for turned in (settings.augmentation.symmetries, False)
    )
    model.scale_by(scaling_of_examples(plan.training, plan.seen, model))
    return prepared


def _refuse_damaged(data: DataSet, plan: TrainingPlan, among: Processes) -> None:
    """Refuse samples that do not fit their checksums; each process looks at its share.

    This reads the samples once: as long as the first epoch takes to read them.
    """
    used = np.concatenate([plan.seen, plan.held_out])
    damaged = first_damaged(data, used[among.rank :: among.world])
    found = among.largest(-1 if damaged is None else damaged)
    refuse_damaged(data, None if found < 0 else found)
