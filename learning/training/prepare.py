"""What training needs, put together and checked before any work starts."""

from typing import NamedTuple

import torch

from opalux.learning.data.data_set import DataSet
from opalux.learning.networks.reconstructor import Reconstructor, build
from opalux.learning.training import loader
from opalux.learning.training.distributed import Processes
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
    data = DataSet(settings.data.folder)
    plan = TrainingPlan(settings, data, among.world)
    model = build(settings.model, loader.layout_of(data, settings.data.n_times), settings.seed)
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
