"""How far a score depends on the split and on the seed, and what is left of it by chance.

A single split flatters or belittles: with 57 rows in the test part, one row is worth 0.018. So the
split, and the seed of the model with it, are drawn many times. The null repeats this with the
target shuffled over the rows, which keeps everything but the relation of features and target.
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone

from opalux.learning.siqd.study.classify import Task, small_fits
from opalux.learning.siqd.study.interval import Interval

MOST_ROWS = 3000
"""Rows that one repetition draws of a larger table."""
SHUFFLES = 5
"""Permutations of a feature in each repetition."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Repeated:
    """Scores over splits and seeds; accuracy, or R² where the target is a number.

    Attributes
    ----------
    train, test : of each repetition (r,)
    null : test scores with shuffled targets (k,)
    groups : names of what is permuted: a feature, or the parts of a whole (g,)
    importance : loss of the test score when a group is permuted (r, g)
    """

    train: NDArray[np.float64]
    test: NDArray[np.float64]
    null: NDArray[np.float64]
    groups: tuple[str, ...]
    importance: NDArray[np.float64]

    @property
    def score(self) -> Interval:
        """Of the test part."""
        return Interval.of(self.test)

    @property
    def above_chance(self) -> float:
        """Share of the null that the median test score exceeds."""
        return float(np.mean(self.null < np.median(self.test)))

    @property
    def leading(self) -> tuple[str, float]:
        """The most important group, and its share of the sum of positive importances."""
        means = np.maximum(self.importance.mean(axis=0), 0.0)
        first = int(np.argmax(means))
        return self.groups[first], float(means[first] / means.sum()) if means.sum() > 0 else 0.0


def groups_of(
    features: tuple[str, ...], parts: tuple[tuple[str, ...], ...]
) -> dict[str, list[int]]:
    """Return the columns of each group that is permuted as one: parts of a whole, or a feature.

    Permuted alone, a part would break the sum of its group.
    """
    groups: dict[str, list[int]] = {}
    for i, name in enumerate(features):
        owner = next((", ".join(group) for group in parts if name in group), name)
        groups.setdefault(owner, []).append(i)
    return groups


def repeat(
    task: Task,
    model: BaseEstimator,
    groups: dict[str, list[int]],
    *,
    repeats: int,
    nulls: int,
) -> Repeated:
    """Train and test a model on many splits.

    Parameters
    ----------
    task : to be learnt
    model : untrained; its ``random_state`` is set, where it has one
    groups : of `groups_of`
    repeats : number of splits, each with a seed of its own
    nulls : number of splits with a shuffled target
    """
    rng = np.random.default_rng([task.seed, 1])
    train, test, importance = [], [], []
    with small_fits():
        for seed in range(repeats):
            drawn = _drawn(task, seed, rng)
            fitted, scores, held_out = _fit(drawn, model, seed)
            train.append(scores[0])
            test.append(scores[1])
            importance.append(_importance(drawn, fitted, held_out, scores[1], groups, rng))
        null = []
        for seed in range(nulls):
            drawn = _drawn(task, seed, rng)
            shuffled = dataclasses.replace(drawn, target=rng.permutation(drawn.target))
            null.append(_fit(shuffled, model, seed)[1][1])
    return Repeated(
        train=np.array(train),
        test=np.array(test),
        null=np.array(null),
        groups=tuple(groups),
        importance=np.array(importance),
    )


def _drawn(task: Task, seed: int, rng: np.random.Generator) -> Task:
    return dataclasses.replace(task.sample(MOST_ROWS, rng), seed=seed)


def _fit(
    task: Task, model: BaseEstimator, seed: int
) -> tuple[BaseEstimator, tuple[float, float], NDArray[np.int64]]:
    rows, held_out = task.split()
    fitted = clone(model)
    seeds = {key: seed for key in fitted.get_params() if key.endswith("random_state")}
    fitted.set_params(**seeds).fit(task.features[rows], task.target[rows])
    scores = tuple(
        float(fitted.score(task.features[part], task.target[part])) for part in (rows, held_out)
    )
    return fitted, (scores[0], scores[1]), held_out


def _importance(
    task: Task,
    fitted: BaseEstimator,
    rows: NDArray[np.int64],
    score: float,
    groups: dict[str, list[int]],
    rng: np.random.Generator,
) -> list[float]:
    losses = []
    for columns in groups.values():
        permuted = []
        for _ in range(SHUFFLES):
            features = task.features[rows].copy()
            features[:, columns] = features[rng.permutation(len(rows))][:, columns]
            permuted.append(fitted.score(features, task.target[rows]))
        losses.append(score - float(np.mean(permuted)))
    return losses
