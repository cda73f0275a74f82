"""Whether the limits between the property's classes are special, or cuts through a continuum.

If they are special, the same network is less accurate when all limits are moved. If they are cuts,
moved limits are as good, errors lie near the limits, and a regressor of the property, which was not
trained on classes, tells them as well.
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.model_selection import cross_val_predict

from opalux.learning.siqd.study.classify import Assessment, Task, small_fits
from opalux.learning.siqd.study.preparation import Prepared

FOLDS = 5
MOST_ROWS = 3000
"""Rows that are sampled of a larger table."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class MovedLimits:
    """Accuracies with moved limits, and where the errors lie.

    Attributes
    ----------
    accuracy : of the network for the classes over its folds
    accuracy_from_regression : of the classes of the regressor's predictions over its folds
    shifts : by which all limits between classes are moved (m,) [unit of the property]
    accuracy_shifted : of the network with moved limits over five folds (m,)
    error_distances : of misclassified rows from the nearest limit (e,) [unit of the property]
    typical_distance : median of that distance over all rows
    """

    accuracy: float
    accuracy_from_regression: float
    shifts: NDArray[np.float64]
    accuracy_shifted: NDArray[np.float64]
    error_distances: NDArray[np.float64]
    typical_distance: float


def move_limits(
    prepared: Prepared,
    by_class: Assessment,
    regression: Assessment,
    model: BaseEstimator,
    *,
    shifts: int,
    largest: float | None,
) -> MovedLimits:
    """Move all limits between classes together, and train the network again.

    Parameters
    ----------
    prepared : the rows
    by_class : of the network for the classes
    regression : of the network for the property
    model : the network for the classes, untrained
    shifts : how many shifts are tried
    largest : largest shift; None: a quarter of the distance of the property's quartiles
    """
    values, classes = prepared.values, prepared.classes
    if largest is None:
        largest = float(np.subtract(*np.quantile(values, (0.75, 0.25)))) / 4.0
    wrong = by_class.fold_predictions != prepared.labels
    distance = classes.distance(values)
    moved = np.linspace(-largest, largest, shifts)
    task = by_class.task
    rows = np.arange(len(values))
    if len(values) > MOST_ROWS:
        rows = np.random.default_rng([task.seed, 7]).choice(len(values), MOST_ROWS, replace=False)
    return MovedLimits(
        accuracy=float(np.mean(~wrong)),
        accuracy_from_regression=float(
            np.mean(classes.of(regression.fold_predictions) == prepared.labels)
        ),
        shifts=moved,
        accuracy_shifted=np.array(
            [_accuracy(task, rows, classes.of(values[rows] - shift), model) for shift in moved]
        ),
        error_distances=distance[wrong],
        typical_distance=float(np.median(distance)),
    )


def _accuracy(
    task: Task, rows: NDArray[np.int64], labels: NDArray[np.int64], model: BaseEstimator
) -> float:
    """Return the accuracy over folds of a network for other classes; NaN for a single class."""
    present, target = np.unique(labels, return_inverse=True)
    if len(present) < 2:
        return float("nan")
    other = dataclasses.replace(
        task,
        features=task.features[rows],
        target=target,
        classes=tuple(task.classes[label] for label in present),
    )
    parts = other.folds(FOLDS, np.arange(len(target)))
    with small_fits():
        predictions = cross_val_predict(model, other.features, target, cv=parts)
    return float(np.mean(predictions == target))
