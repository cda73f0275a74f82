"""The paper's conclusion as three questions that numbers answer.

Are structure classes spectrally pure? Are colour bands separate classes, or cuts through a
continuum? Can the wavelength be computed from the features?
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import adjusted_mutual_info_score, silhouette_score
from sklearn.model_selection import cross_val_predict

from opalux.learning.siqd.study.bands import BAND_LIMITS, BANDS, bands
from opalux.learning.siqd.study.classify import Assessment, Task, small_fits
from opalux.learning.siqd.study.networks import network
from opalux.learning.siqd.study.published import NETWORKS


@dataclasses.dataclass(frozen=True, kw_only=True)
class Purity:
    """How much the structure class says about the colour.

    Attributes
    ----------
    table : number of dots by cluster (rows) and band (columns)
    overall : share of dots in the most frequent band of their cluster
    by_chance : the same for random clusters of these sizes
    mutual_information : of clusters and bands, adjusted for chance: 0 none, 1 the same classes
    """

    table: NDArray[np.int64]
    overall: float
    by_chance: float
    mutual_information: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Separability:
    """Whether colour bands are separate classes in the space of features.

    Attributes
    ----------
    silhouette_bands, silhouette_clusters : mean silhouette, from -1 (mixed) to 1 (separate)
    accuracy : of the band network over folds
    accuracy_from_regression : of the bands of the regressor's wavelengths
    shifts : by which all limits between bands are moved (m,) [nm]
    accuracy_shifted : of the band network with moved limits (m,)
    error_distances : of misclassified dots from the nearest limit between bands (e,) [nm]
    typical_distance : median of that distance over all dots [nm]
    """

    silhouette_bands: float
    silhouette_clusters: float
    accuracy: float
    accuracy_from_regression: float
    shifts: NDArray[np.float64]
    accuracy_shifted: NDArray[np.float64]
    error_distances: NDArray[np.float64]
    typical_distance: float


def purity(clusters: NDArray[np.int64], wavelength: NDArray[np.float64], seed: int = 0) -> Purity:
    """Compare clusters (n,) with the colour bands of the wavelengths (n,) [nm]."""
    colour = bands(wavelength)
    rng = np.random.default_rng(seed)
    table = _crossed(clusters, colour)
    random = [_crossed(rng.permutation(clusters), colour).max(axis=1).sum() for _ in range(500)]
    return Purity(
        table=table,
        overall=float(table.max(axis=1).sum() / len(colour)),
        by_chance=float(np.mean(random) / len(colour)),
        mutual_information=float(adjusted_mutual_info_score(clusters, colour)),
    )


def _crossed(rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.int64]:
    table = np.zeros((rows.max() + 1, len(BAND_LIMITS) - 1), dtype=np.int64)
    np.add.at(table, (rows, columns), 1)
    return table


def separability(
    by_band: Assessment,
    clusters: NDArray[np.int64],
    regression: Assessment,
    *,
    folds: int,
    shifts: NDArray[np.float64],
) -> Separability:
    """Test whether the bands are more than cuts through a continuum of wavelengths.

    If they are separate classes, the same network is less accurate when all limits are moved. If
    they are cuts, moved limits are as good, errors lie near the limits, and the regressor, which
    was not trained on bands, is as accurate.

    Parameters
    ----------
    by_band : of the network for the bands
    clusters : structure class of each dot (n,)
    regression : of the network for the wavelength
    folds : number of folds of the cross-validation
    shifts : by which all limits are moved (m,) [nm]
    """
    features, wavelength = by_band.task.features, regression.task.target
    colour = by_band.task.target
    wrong = by_band.fold_predictions != colour
    distance = np.abs(wavelength[:, None] - np.array(BAND_LIMITS[1:-1])).min(axis=1)
    return Separability(
        silhouette_bands=float(silhouette_score(features, colour)),
        silhouette_clusters=_silhouette(features, clusters),
        accuracy=float(np.mean(~wrong)),
        accuracy_from_regression=float(np.mean(bands(regression.fold_predictions) == colour)),
        shifts=shifts,
        accuracy_shifted=np.array(
            [_accuracy(features, wavelength, float(shift), folds) for shift in shifts]
        ),
        error_distances=distance[wrong],
        typical_distance=float(np.median(distance)),
    )


def _silhouette(features: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    if len(np.unique(labels)) < 2:
        return float("nan")  # one cluster cannot be separate from another
    return float(silhouette_score(features, labels))


def _accuracy(
    features: NDArray[np.float64], wavelength: NDArray[np.float64], shift: float, folds: int
) -> float:
    """Return the accuracy of the band network over folds when all limits are moved [nm]."""
    classes, target = np.unique(bands(wavelength - shift), return_inverse=True)
    names = tuple(BANDS[band] for band in classes)
    task = Task(name="bands", features=features, target=target, classes=names)
    model = network("bands", NETWORKS["bands"].parameters, task.seed)
    parts = task.folds(folds, np.arange(len(target)))
    with small_fits():
        predictions = cross_val_predict(model, features, target, cv=parts)
    return float(np.mean(predictions == target))
