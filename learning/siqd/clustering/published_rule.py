"""The published rule for cutting the curve R_min: peaks of its wavelet transform.

References
----------
A. J. Parker, A. S. Barnard, Adv. Theory Simul. 2, 1900145 (2019), doi 10.1002/adts.201900145.
"""

import itertools

import numpy as np
from numpy.typing import NDArray
from scipy.signal import convolve


def inner_peaks(curve: NDArray[np.float64], width: int) -> NDArray[np.int64]:
    """Return the peaks i of a smooth curve (m,) with width < i < m - width, as the reference."""
    peaks = wavelet_peaks(curve, width)
    return peaks[(peaks > width) & (peaks < len(curve) - width)]


def wavelet_peaks(curve: NDArray[np.float64], width: int) -> NDArray[np.int64]:
    """Return the peaks of the curve's transform by the Ricker wavelet of one width.

    They are the peaks of ``scipy.signal.find_peaks_cwt(curve, [width])``: maxima of the transform
    that are at least as large as the noise around them. The noise is the 10 % quantile of the
    transform in a window of one twentieth of the curve. SciPy computes the noise at all n points,
    in a time of n²; here it is computed at the maxima only. The wavelet has an even number of
    points. Two neighbours are therefore equal at the top of a perfectly symmetric peak, and such a
    peak is not found.
    """
    n = len(curve)
    if n < 3:
        return np.empty(0, dtype=np.int64)
    transform = convolve(curve, ricker(min(10 * width, n), width)[::-1], mode="same")
    middle = transform[1:-1]
    maxima = 1 + np.flatnonzero((middle > transform[:-2]) & (middle > transform[2:]))
    window = int(np.ceil(n / 20))
    half, odd = divmod(window, 2)
    noise = np.array(
        [np.percentile(transform[max(i - half, 0) : min(i + half + odd, n)], 10) for i in maxima]
    )
    return maxima[np.abs(transform[maxima]) >= np.abs(noise)]


def ricker(points: int, width: float) -> NDArray[np.float64]:
    """Return the Ricker ("Mexican hat") wavelet of unit norm on a number of points."""
    t = (np.arange(points) - (points - 1) / 2.0) / width
    return 2.0 / (np.sqrt(3.0 * width) * np.pi**0.25) * (1.0 - t**2) * np.exp(-(t**2) / 2.0)


def valley_bottoms(curve: NDArray[np.float64], peaks: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the position of the minimum of each part between peaks; of equals, the first."""
    ends = [0, *peaks, len(curve)]
    return np.array(
        [a + int(np.argmin(curve[a:b])) for a, b in itertools.pairwise(ends) if b > a],
        dtype=np.int64,
    )
