"""Bringing signals to the times that a network takes."""

import numpy as np
from numpy.typing import NDArray

from opalux.learning.data.part import resample


class Resampler:
    """Linear interpolation of signals (..., T, N).

    Parameters
    ----------
    given : (n,) times of the signals [sh]
    times : (n_times,) that are wanted [sh]
    """

    def __init__(self, given: NDArray[np.float64], times: NDArray[np.float64]) -> None:
        self.given = given
        self.times = times
        self._unchanged = np.array_equal(given, times)

    def __call__(self, signals: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the signals at the wanted times."""
        if self._unchanged:
            return signals
        return resample(signals, self.given, self.times).astype(np.float32)


def evenly(times: NDArray[np.float64], n_times: int | None) -> NDArray[np.float64]:
    """Return ``n_times`` equidistant times over the span of ``times``; None: ``times`` itself."""
    if n_times is None or n_times == len(times):
        return times
    return np.linspace(times[0], times[-1], n_times)
