"""Trials of the random search; its number alone defines a trial.

The score of a trial is the mean over folds of the training part. A trial is given up when perfect
scores on the remaining folds could no longer make it better than the best known trial. Because no
score is larger than 1, the winner is the winner of the full search. The best known trial comes
from earlier rounds or from earlier trials of the same chunk, so that the same trials are given up
for any number of workers.
"""

import dataclasses
from collections.abc import Iterable

import numpy as np

from opalux.learning.siqd.study.classify import Task, small_fits
from opalux.learning.siqd.study.networks import network
from opalux.learning.siqd.study.settings import Space

LEAST = -np.inf
"""Mean score of a trial that was given up."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Trial:
    """A trial and its scores.

    Attributes
    ----------
    number : defines the hyper-parameters
    scores : of the folds that were run, in order; not all when it was given up
    complete : whether all folds were run
    """

    number: int
    scores: tuple[float, ...]
    complete: bool

    @property
    def mean(self) -> float:
        """Mean score over the folds; minus infinity for a trial that was given up."""
        return float(np.mean(self.scores)) if self.complete else LEAST


def run_trials(task: Task, space: Space, numbers: Iterable[int], to_beat: float) -> list[Trial]:
    """Return trials, run one after the other; those that cannot become the best are given up.

    Parameters
    ----------
    task : scored on its training part; the test part is not used
    space : where the hyper-parameters are drawn from
    numbers : of the trials
    to_beat : best known mean score
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
    model = network(task, space.draw(number), task.seed)
    features, target = task.features[train], task.target[train]
    scores: list[float] = []
    for fit, check in folds:
        model.fit(features[fit], target[fit])
        scores.append(float(model.score(features[check], target[check])))
        if (sum(scores) + len(folds) - len(scores)) / len(folds) < best:
            break
    return Trial(number=number, scores=tuple(scores), complete=len(scores) == len(folds))


def winner(trials: Iterable[Trial]) -> Trial:
    """Return the trial of the highest mean score; of equals, the one with the lowest number."""
    return max(trials, key=lambda trial: (trial.mean, -trial.number))
