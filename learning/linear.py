"""The linear baseline: ridge regression from standardised signals to the density.

A network is worth its training only where it does better than this. The penalty is chosen by
leave-one-out errors on the training split.
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import RidgeCV

from learning.dataset import DataSet
from learning.reconstructor import Reconstructor
from learning.resampler import Resampler

PENALTIES = np.logspace(-1, 6, 15)
"""In units of the squared standardised signals."""


@dataclasses.dataclass(frozen=True)
class Linear:
    """A fitted baseline.

    Attributes
    ----------
    regression : of flattened maps on flattened standardised signals
    mean, std : of each channel
    times : (n_times,) [sh]
    """

    regression: RidgeCV
    mean: NDArray[np.float32]
    std: NDArray[np.float32]
    times: NDArray[np.float64]

    def reconstruct(self, data: DataSet, positions: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return reconstructions (n, ny, nx) [g/cm³]."""
        rows = _rows(data, positions, self.times, self.mean, self.std)
        maps: NDArray[np.float32] = self.regression.predict(rows).astype(np.float32)
        return maps.reshape(len(positions), *data.card.shape)


def fit(
    model: Reconstructor, data: DataSet, positions: NDArray[np.int64], times: NDArray[np.float64]
) -> Linear:
    """Fit the baseline to the samples at ``positions``, standardised as for ``model``."""
    mean, std = model.signal_mean.cpu().numpy(), model.signal_std.cpu().numpy()
    rows = _rows(data, positions, times, mean, std)
    maps = np.stack([data.density(int(position)).ravel() for position in positions])
    return Linear(RidgeCV(PENALTIES).fit(rows, maps), mean, std, times)


def _rows(
    data: DataSet,
    positions: NDArray[np.int64],
    times: NDArray[np.float64],
    mean: NDArray[np.float32],
    std: NDArray[np.float32],
) -> NDArray[np.float32]:
    resampler = Resampler(data.times, times)
    return np.stack([((resampler(data.signals(int(p))) - mean) / std).ravel() for p in positions])
