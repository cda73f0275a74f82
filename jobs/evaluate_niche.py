"""Judging a network that looks for a niche."""

from typing import Any

import torch

from jobs.evaluate_judge import require_same
from jobs.evaluate_settings import EvaluateSettings
from learning.dataset import DataSet
from learning.distributed import Processes
from learning.loader import Samples, layout_of, require_split
from learning.precision import mixed_precision
from learning.predict import Trained
from learning.validation import validate


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
