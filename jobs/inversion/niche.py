"""Judging a network that looks for a niche."""

from typing import Any

import torch

from opalux.jobs.inversion.judge import require_same
from opalux.jobs.inversion.settings import EvaluateSettings
from opalux.learning.data.data_set import DataSet
from opalux.learning.training.distributed import Processes
from opalux.learning.training.loader import Samples, layout_of, require_split
from opalux.learning.training.precision import mixed_precision
from opalux.learning.training.predict import Trained
from opalux.learning.training.validation import validate


def judge_niche(trained: Trained, settings: EvaluateSettings) -> dict[str, Any]:
    """Return the scores of a network that looks for a niche, for metrics.json.

    Raises
    ------
    InputError
        When the data set is not of the kind that the network was trained on.
    """
    data = DataSet(settings.folder or trained.settings.data.folder)
    positions = require_split(data, settings.split)
    layout = layout_of(data, trained.settings.data.n_times)
    require_same(data, layout, trained.model.layout)
    cpu = torch.device("cpu")
    scores = validate(
        trained.model,
        Samples(data, trained.times, trained.model.objective),
        positions,
        settings.batch,
        Processes(0, 1, cpu),
        mixed_precision("float32", cpu),
    )
    return {
        "scores": {name: value for name, value in scores.items() if name != "loss"},
        "n_maps": len(positions),
        "data": str(data.folder),
        "split": settings.split,
    }
