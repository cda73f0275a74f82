"""Random search for the hyper-parameters of a network, each trial defined by its number alone.

A trial is scored by the mean over folds of the training part, and given up as soon as perfect
scores on the folds left could no longer lift it above the best trial known: since no score exceeds
1, the winner is the one of the full search.  "Known" means the rounds before, and the trials
before it in its own chunk, so that the same trials are given up however many workers there are.
"""

import dataclasses
from collections.abc import Iterable
from typing import Any, Literal, get_args

import numpy as np
import pydantic

from opalux.base.settings import Settings
from opalux.learning.siqd.study.classify import Assessment, Task, small_fits
from opalux.learning.siqd.study.published import network

LEAST = -np.inf

Activation = Literal["identity", "logistic", "tanh", "relu"]
Schedule = Literal["constant", "invscaling", "adaptive"]


class Space(Settings):
    """What the hyper-parameters are drawn from, and how trials are scored."""

    activations: tuple[Activation, ...] = pydantic.Field(get_args(Activation), min_length=1)
    depth: tuple[pydantic.PositiveInt, pydantic.PositiveInt] = (1, 3)
    """Fewest and most hidden layers."""
    width: tuple[pydantic.PositiveInt, pydantic.PositiveInt] = (2, 10)
    """Fewest and most units of a layer."""
    alpha: tuple[pydantic.PositiveFloat, pydantic.PositiveFloat] = (1e-4, 10.0)
    """L2 penalty, drawn evenly on a logarithmic scale."""
    max_iter: tuple[pydantic.PositiveInt, pydantic.PositiveInt] = (200, 300)
    """Fewest and most iterations."""
    learning_rates: tuple[Schedule, ...] = pydantic.Field(get_args(Schedule), min_length=1)
    """Kept for the sake of comparison: L-BFGS has no learning rate."""
    folds: int = pydantic.Field(5, ge=2, le=20)
    """Folds of the training part over which a trial is scored."""
    seed: int = pydantic.Field(0, ge=0)

    @pydantic.field_validator("depth", "width", "alpha", "max_iter")
    @classmethod
    def _in_order(cls, ends: tuple[float, float]) -> tuple[float, float]:
        if ends[0] > ends[1]:
            raise ValueError(f"found {list(ends)}, expected [least, most]")
        return ends

    def draw(self, trial: int) -> dict[str, Any]:
        """Hyper-parameters of a trial, under scikit-learn's names."""
        rng = np.random.default_rng([self.seed, trial])
        depth = rng.integers(self.depth[0], self.depth[1] + 1)
        layers = rng.integers(self.width[0], self.width[1] + 1, size=depth)
        return {
            "hidden_layer_sizes": tuple(int(width) for width in layers),
            "activation": str(rng.choice(self.activations)),
            "alpha": float(10.0 ** rng.uniform(*np.log10(self.alpha))),
            "max_iter": int(rng.integers(self.max_iter[0], self.max_iter[1] + 1)),
            "learning_rate": str(rng.choice(self.learning_rates)),
        }


@dataclasses.dataclass(frozen=True, kw_only=True)
class Trial:
    """A trial and its scores.

    Attributes
    ----------
    number : which fixes the hyper-parameters
    scores : of the folds that were run, in order; fewer than all when it was given up
    complete : whether all folds were run
    """

    number: int
    scores: tuple[float, ...]
    complete: bool

    @property
    def mean(self) -> float:
        """Mean score over the folds, minus infinity for a trial given up."""
        return float(np.mean(self.scores)) if self.complete else LEAST


def run_trials(task: Task, space: Space, numbers: Iterable[int], to_beat: float) -> list[Trial]:
    """Run trials one after the other, giving up those that cannot exceed the best so far.

    Parameters
    ----------
    task : Task
        Scored on its training part; the test part stays unseen.
    space : Space
    numbers : of the trials
    to_beat : best mean score known
    """
    train, _ = task.split()
    folds = task.folds(space.folds, train)
    best, trials = to_beat, []
    with small_fits():
        for number in numbers:
            trial = _run(task, train, folds, number, space, best)
            best = max(best, trial.mean)
            trials.append(trial)
    return trials


def _run(
    task: Task,
    train: np.ndarray,
    folds: list[tuple[np.ndarray, np.ndarray]],
    number: int,
    space: Space,
    best: float,
) -> Trial:
    model = network(task.name, space.draw(number), task.seed)
    features, target = task.features[train], task.target[train]
    scores: list[float] = []
    for fit, check in folds:
        model.fit(features[fit], target[fit])
        scores.append(float(model.score(features[check], target[check])))
        if (sum(scores) + len(folds) - len(scores)) / len(folds) < best:
            break
    return Trial(number=number, scores=tuple(scores), complete=len(scores) == len(folds))


def winner(trials: Iterable[Trial]) -> Trial:
    """The trial of the highest mean score; of equals, the first drawn."""
    return max(trials, key=lambda trial: (trial.mean, -trial.number))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Searched:
    """What the random search found for one task.

    Attributes
    ----------
    space : drawn from
    trials : all of them
    assessment : of the winner, as for the published network
    """

    space: Space
    trials: tuple[Trial, ...]
    assessment: Assessment

    @property
    def task(self) -> str:
        """Name of the task."""
        return self.assessment.task.name

    @property
    def best(self) -> Trial:
        """The winner."""
        return winner(self.trials)

    @property
    def parameters(self) -> dict[str, Any]:
        """Hyper-parameters of the winner."""
        return self.space.draw(self.best.number)

    @property
    def complete(self) -> int:
        """How many trials ran all their folds."""
        return sum(trial.complete for trial in self.trials)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Yardstick:
    """Our search and scikit-learn's on the same trials, side by side.

    Attributes
    ----------
    task : its name
    trials : number of trials
    ours, theirs : time [s]
    same_winner : whether both found the same trial, or one of equal score
    """

    task: str
    trials: int
    ours: float
    theirs: float
    same_winner: bool
