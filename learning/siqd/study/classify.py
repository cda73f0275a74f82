"""What is to be learnt, and how well a model learns it: split, folds, scores, learning curve."""

import contextlib
import dataclasses
import warnings
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support
from sklearn.model_selection import (
    KFold,
    StratifiedKFold,
    cross_val_predict,
    learning_curve,
    train_test_split,
)
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

Role = Literal["classes", "clusters", "property"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Task:
    """Something to be learnt from the features.

    Attributes
    ----------
    name : of the target
    role : "classes" of the property, structure "clusters", or the "property" itself
    features : (n, d)
    target : class numbers, or values of the property (n,)
    classes : names of the classes; none for the property
    scale_target : whether a network learns the property in units of its standard deviation
    seed : of the split and the folds
    """

    name: str
    role: Role
    features: NDArray[np.float64]
    target: NDArray[Any]
    classes: tuple[str, ...] = ()
    scale_target: bool = False
    seed: int = 42

    def split(self, share: float = 0.2) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the rows to train on and to test on, shuffled; classes keep their shares."""
        train, test = train_test_split(
            np.arange(len(self.target)),
            test_size=share,
            random_state=self.seed,
            stratify=self._strata(2) if self.classes else None,
        )
        return train, test

    def folds(
        self, count: int, rows: NDArray[np.int64]
    ) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Return shuffled folds of the rows, as positions among them; classes keep their shares.

        With unshuffled folds of rows that are sorted by size the regressor would extrapolate.
        """
        if self.classes:
            folds = StratifiedKFold(count, shuffle=True, random_state=self.seed)
            return list(folds.split(rows, self._strata(count)[rows]))
        return list(KFold(count, shuffle=True, random_state=self.seed).split(rows))

    def sample(self, most: int, rng: np.random.Generator) -> "Task":
        """Return the task of a sample of the rows, where there are more than ``most``."""
        if len(self.target) <= most:
            return self
        rows = rng.choice(len(self.target), most, replace=False)
        return dataclasses.replace(self, features=self.features[rows], target=self.target[rows])

    def _strata(self, least: int) -> NDArray[np.int64]:
        """Return the classes (n,); those of fewer than ``least`` dots count as the largest one."""
        counts = np.bincount(self.target)
        return np.where(counts[self.target] < least, np.argmax(counts), self.target)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClassScores:
    """Scores of one class on the test part.

    Attributes
    ----------
    name : of the class
    precision, recall, f1 : on the test part; 0 where no dot is predicted or present
    tested : number of dots of the class in the test part
    count : number of dots of the class
    """

    name: str
    precision: float
    recall: float
    f1: float
    tested: int
    count: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Curve:
    """A learning curve.

    Attributes
    ----------
    sizes : number of training dots (m,)
    train, validation : scores by size and fold (m, folds)
    """

    sizes: NDArray[np.int64]
    train: NDArray[np.float64]
    validation: NDArray[np.float64]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Assessment:
    """The result of a model on a task; scores are accuracy, or R² for the property.

    Attributes
    ----------
    task : the task
    model : fitted on the training part
    train, test : score on each part of the 80/20 split
    fold_scores : of shuffled folds (k,)
    test_rows : rows of the test part (m,)
    test_predictions : of these rows (m,)
    fold_predictions : of each row, by the model that was not trained on it (n,)
    confusion : of the fold predictions, true classes in rows (c, c); empty for the property
    class_scores : of the test part; empty for the property
    """

    task: Task
    model: BaseEstimator
    train: float
    test: float
    fold_scores: NDArray[np.float64]
    test_rows: NDArray[np.int64]
    test_predictions: NDArray[Any]
    fold_predictions: NDArray[Any]
    confusion: NDArray[np.int64]
    class_scores: tuple[ClassScores, ...]


@contextlib.contextmanager
def small_fits() -> Iterator[None]:
    """Use one thread, and do not warn when the iterations end: their number is a hyper-parameter.

    More threads make these small networks slower, by a factor of up to thirty.
    """
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def assess(task: Task, model: BaseEstimator, *, folds: int = 10) -> Assessment:
    """Train and test a model on the 80/20 split, and cross-validate it on all dots.

    Parameters
    ----------
    task : to be learnt
    model : untrained
    folds : number of folds of the cross-validation
    """
    features, target = task.features, task.target
    train, test = task.split()
    everyone = np.arange(len(target))
    parts = task.folds(folds, everyone)
    with small_fits():
        fitted = clone(model).fit(features[train], target[train])
        fold_predictions = cross_val_predict(model, features, target, cv=parts)
        predictions = fitted.predict(features[test])
        train_score = fitted.score(features[train], target[train])
        test_score = fitted.score(features[test], target[test])
    score = _accuracy if is_classifier(model) else _r2
    return Assessment(
        task=task,
        model=fitted,
        train=float(train_score),
        test=float(test_score),
        fold_scores=np.array([score(target[part], fold_predictions[part]) for _, part in parts]),
        test_rows=test,
        test_predictions=predictions,
        fold_predictions=fold_predictions,
        confusion=_confusion(task, fold_predictions),
        class_scores=_class_scores(task, test, predictions),
    )


def learn(task: Task, model: BaseEstimator, *, sizes: int = 8, folds: int = 5) -> Curve:
    """Return the learning curve of a model: its scores over folds by number of training dots."""
    with small_fits():
        counts, train, validation = learning_curve(
            model,
            task.features,
            task.target,
            cv=task.folds(folds, np.arange(len(task.target))),
            train_sizes=np.linspace(0.2, 1.0, sizes),
            shuffle=True,
            random_state=task.seed,
        )
    return Curve(sizes=counts, train=train, validation=validation)


def _accuracy(truth: NDArray, prediction: NDArray) -> float:
    return float(np.mean(truth == prediction))


def _r2(truth: NDArray, prediction: NDArray) -> float:
    return float(1.0 - np.sum((truth - prediction) ** 2) / np.sum((truth - truth.mean()) ** 2))


def _confusion(task: Task, predictions: NDArray) -> NDArray[np.int64]:
    if not task.classes:
        return np.empty((0, 0), dtype=np.int64)
    return confusion_matrix(task.target, predictions, labels=np.arange(len(task.classes)))


def _class_scores(
    task: Task, rows: NDArray[np.int64], predictions: NDArray
) -> tuple[ClassScores, ...]:
    if not task.classes:
        return ()
    labels = np.arange(len(task.classes))
    by_class = precision_recall_fscore_support(
        task.target[rows], predictions, labels=labels, zero_division=0.0
    )
    counts = np.bincount(task.target, minlength=len(labels))
    return tuple(
        ClassScores(
            name=name,
            precision=float(precision),
            recall=float(recall),
            f1=float(f1),
            tested=int(tested),
            count=int(count),
        )
        for name, precision, recall, f1, tested, count in zip(
            task.classes, *by_class, counts, strict=True
        )
    )
