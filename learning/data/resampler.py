"""Interpolating signals in time: to the times that are recorded, or that a network takes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def brackets(
    steps: NDArray[np.float64], times: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return for each of ``times`` the index of the step before or at it, and of the one after."""
    after = np.clip(np.searchsorted(steps, times, side="right"), 1, len(steps) - 1)
    return after - 1, after


def resample(
    signals: NDArray[Any], steps: NDArray[np.float64], times: NDArray[np.float64]
) -> NDArray[Any]:
    """Interpolate signals (..., n, cells) linearly from ``steps`` (n,) to ``times`` (n_times,)."""
    before, after = brackets(steps, times)
    weight = ((times - steps[before]) / (steps[after] - steps[before]))[:, None]
    mixed: NDArray[Any] = (1.0 - weight) * signals[..., before, :] + weight * signals[..., after, :]
    return mixed


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
