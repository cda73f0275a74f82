"""Trainings that differ in their seed alone, judged alike: mean and spread of every measure."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from opalux.base.differences import differences
from opalux.base.errors import InputError
from opalux.jobs.inversion.kind import Judged
from opalux.jobs.inversion.settings import EvaluateSettings
from opalux.jobs.inversion.trained import Trained, load_one
from opalux.learning.training.plan import TrainSettings

BESIDES: Any = {
    "seed": True,
    "mlflow": True,
    "log_every": True,
    "checkpoint_every": True,
    "data": {"folder"},
    "augmentation": {"other_grid"},
}
"""Settings that may differ: the seed, what changes no weight, and where data sets lie."""


class OverTrainings(NamedTuple):
    """One measure of several trainings.

    Attributes
    ----------
    mean : of the trainings
    deviation : standard deviation of one training, from as few as there are
    values : of each training, the judged run's first
    """

    mean: float
    deviation: float
    values: list[float]

    def __str__(self) -> str:
        return f"{self.mean:.4f}\u00a0±\u00a0{self.deviation:.4f}"  # in one line of a table's cell


def load_repeated(run: Path, trained: Trained, settings: EvaluateSettings) -> list[Trained]:
    """Return the networks of the further trainings.

    Raises
    ------
    InputError
        When one differs from the judged run in more than its seed, or does not differ at all.
    """
    if settings.repeated and settings.also:
        raise InputError(
            "repeated: found it together with also, expected one of them: also averages the "
            "answers of networks, repeated the measures of each"
        )
    networks: list[Trained] = []
    seeds = {_seeds(trained): run}
    for path in settings.repeated:
        network = load_one(path, settings.checkpoint, trained.model.signal_mean.device)
        if other := _difference(trained, network):
            raise InputError(
                f"repeated: {path} differs from {run} in more than its seed ({other}); give runs "
                "of one configuration"
            )
        own = _seeds(network)
        if own in seeds:
            raise InputError(
                f"repeated: {path} and {seeds[own]} both have seed={own[-1]}, expected another "
                "one for each training; train again with `--set seed=N`"
            )
        seeds[own] = path
        networks.append(network)
    return networks


def _seeds(network: Trained) -> tuple[int, ...]:
    return tuple(one.seed for one in (network.settings, *network.corrected_with))


def _difference(one: Trained, other: Trained) -> str:
    """Return the first difference beside the seed, in words; empty: there is none."""
    if [each.fingerprint for each in one.data_sets] != [e.fingerprint for e in other.data_sets]:
        return "their training data"
    if found := next(differences(_kept(one.settings), _kept(other.settings)), ""):
        return found
    if len(one.corrected_with) != len(other.corrected_with):
        return "how often it is corrected"
    for before, now in zip(one.corrected_with, other.corrected_with, strict=True):
        if found := next(differences(_kept(before), _kept(now)), ""):
            return f"its correction's {found}"
    return ""


def _kept(settings: TrainSettings) -> dict[str, Any]:
    kept = settings.model_dump(mode="json", exclude=BESIDES)
    kept["model"].pop("of", None)  # a correction's: of the other seed, too
    return kept


def over_trainings(
    trainings: Sequence[Mapping[str, Judged]],
) -> dict[str, dict[str, OverTrainings]]:
    """Return the measures of all trainings, by name of the set and of the measure.

    ``trainings`` : what each reached, by name of the set; measures that one lacks are left out
    """
    found: dict[str, dict[str, OverTrainings]] = {}
    for name, first in trainings[0].items():
        found[name] = {}
        for measure in first.headline:
            taken = [one[name].headline[measure] for one in trainings]
            values = [float(value) for value in taken if value is not None]
            if len(values) == len(taken):
                mean, deviation = float(np.mean(values)), float(np.std(values, ddof=1))
                found[name][measure] = OverTrainings(mean, deviation, values)
    return found
