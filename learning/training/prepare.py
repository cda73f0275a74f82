"""What training needs, put together and checked before any work starts."""

from typing import NamedTuple

import numpy as np
import torch

from opalux.learning.data.data_set import DataSet
from opalux.learning.data.soundness import (
    first_damaged,
    refuse_damaged,
    refuse_leaks,
    refuse_other_statistics,
)
from opalux.learning.networks.reconstructor import Reconstructor, build
from opalux.learning.training import loader
from opalux.learning.training.distributed import Processes
from opalux.learning.training.mlflow_run import require_mlflow
from opalux.learning.training.plan import TrainingPlan, TrainSettings
from opalux.learning.training.scaling import scaling_of


class Prepared(NamedTuple):
    """All that training needs, checked."""

    settings: TrainSettings
    data: DataSet
    plan: TrainingPlan
    model: Reconstructor


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
    model.to(among.device)
    model.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Prepared(settings, data, plan, model)


def _refuse_damaged(data: DataSet, plan: TrainingPlan, among: Processes) -> None:
    """Refuse samples that do not fit their checksums; each process looks at its share.

    This reads the samples once: as long as the first epoch takes to read them.
    """
    used = np.concatenate([plan.seen, plan.held_out])
    damaged = first_damaged(data, used[among.rank :: among.world])
    found = among.largest(-1 if damaged is None else damaged)
    refuse_damaged(data, None if found < 0 else found)
