"""What signals and answers are scaled by: statistics of the training split, read from the data."""

from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from opalux.base.errors import InputError
from opalux.learning.data.data_set import DataSet
from opalux.learning.data.layout import Layout
from opalux.learning.data.resampler import Resampler
from opalux.learning.networks.objectives.objective import Objective
from opalux.learning.networks.reconstructor import Scaling
from opalux.learning.training.truth import StoredTruth

STATISTICS_SAMPLES = 512
"""Training samples that the statistics of each time, or of each time and cell, are taken from."""

Standardise = Literal["channel", "time", "cell"]


def scaling_of(
    data: DataSet,
    positions: NDArray[np.int64],
    times: NDArray[np.float64],
    layout: Layout,
    objective: Objective,
    *,
    standardise: Standardise = "channel",
    floor: float = 0.01,
) -> Scaling:
    """Return the scaling for a network that is trained on the samples at ``positions``.

    Parameters
    ----------
    data, positions : the training samples
    times : (n_times,) that the network takes [sh]
    layout : of the signals at these times
    objective : what the network is trained to give
    standardise, floor : see `opalux.learning.training.loader.DataSettings`

    Raises
    ------
    InputError
        When the statistics are not numbers, which means that the data are not.
    """
    mean, std = torch.tensor(data.stats.signal_mean), torch.tensor(data.stats.signal_std)
    if mean.shape != layout.signals_shape[:3]:
        raise InputError(
            f"{data.folder}: statistics of shape {tuple(mean.shape)} (source, edge, quantity), "
            f"expected {layout.signals_shape[:3]}; make stats.json again"
        )
    truths = (StoredTruth(data, int(position)) for position in positions)
    offset, unit = map(torch.as_tensor, objective.scale(truths, data.stats, layout))
    if not all(torch.isfinite(x).all() for x in (mean, std, offset, unit)):
        raise InputError(
            f"{data.folder}: found NaN or infinity in the training split's statistics, "
            "expected numbers; check the data set with `opalux dataset check`"
        )
    # A constant channel carries nothing; dividing by 1 leaves it at 0.
    std = torch.where(std > 1e-12 * mean.abs(), std, 1.0)
    centre, deviation = mean[..., None, None], std[..., None, None]
    if standardise != "channel":
        each, variance = _statistics(data, positions[:STATISTICS_SAMPLES], times)
        if standardise == "time":
            of_cells, each = each, _over_cells(each, layout)
            variance = _over_cells(variance + (of_cells - each) ** 2, layout)
        centre = torch.tensor(each)
        least = floor * deviation.float()
        deviation = torch.maximum(torch.tensor(variance).sqrt(), least)
    return Scaling(mean, std, centre, deviation, offset, unit)


def _over_cells(values: NDArray[np.float64], layout: Layout) -> NDArray[np.float64]:
    """Return the mean (S, E, Q, T, 1) over the cells of each edge."""
    means = [
        values[:, e, ..., : layout.cells_on(edge)].mean(-1, keepdims=True)
        for e, edge in enumerate(layout.edges)
    ]
    return np.stack(means, axis=1)


def _statistics(
    data: DataSet, positions: NDArray[np.int64], times: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and variance over samples of the signals at each time and cell."""
    resampler = Resampler(data.times, times)
    first = resampler(data.signals(int(positions[0]))).astype(np.float64)
    total, squares = np.zeros_like(first), np.zeros_like(first)
    for position in positions:
        # Deviations from one sample: squares of the signals themselves would lose small ones.
        deviation = resampler(data.signals(int(position))) - first
        total += deviation
        squares += deviation**2
    mean = total / len(positions)
    return first + mean, np.maximum(squares / len(positions) - mean**2, 0.0)
