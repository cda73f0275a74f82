"""Measures of a reconstruction; maps are (..., ny, nx) in g/cm³."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from opalux.base.axes import depths
from opalux.learning.networks.objectives.whole_map import NEARLY_UNIFORM

Array = NDArray[np.floating]

MEANING = {
    "r2_pooled": "R², all cells of all maps pooled",
    "r2_mean": "R² of each map, mean (without nearly uniform ones)",
    "rel_l1": "Σ|ρ̂−ρ| / Σ|ρ|, mean over maps",
    "rel_l2": "‖ρ̂−ρ‖ / ‖ρ‖, mean over maps",
    "mae": "mean absolute error [g/cm³]",
    "ssim": "structural similarity",
    "data_misfit": "‖F(ρ̂)−d‖ / ‖d‖ by simulation of ρ̂, mean over maps",
}
"""The measures that reports compare, by their names in metrics.json."""

LOWEST = 1e-3
"""Density [g/cm³] that a reconstruction is raised to before it is simulated."""


def r2_pooled(truth: Array, predicted: Array) -> float:
    """Return 1 − Σ(ρ̂−ρ)² / Σ(ρ−ρ̄)² over all cells of all maps, as in the published figures."""
    truth = truth.astype(np.float64)
    return float(1 - np.sum((predicted - truth) ** 2) / np.sum((truth - truth.mean()) ** 2))


def r2_each(truth: Array, predicted: Array) -> NDArray[np.float64]:
    """Return R² of each map; NaN for a uniform one, which has no variance to explain."""
    truth = truth.astype(np.float64)
    axes = (-2, -1)
    residual = np.sum((predicted - truth) ** 2, axis=axes)
    variance = np.sum((truth - truth.mean(axis=axes, keepdims=True)) ** 2, axis=axes)
    share = np.divide(residual, variance, out=np.full_like(residual, np.nan), where=variance > 0)
    return np.asarray(1 - share)


def r2_mean(truth: Array, predicted: Array) -> float | None:
    """Return the mean R² of the maps that vary by more than `NEARLY_UNIFORM`; None: none does."""
    kept = varied(truth)
    return float(np.mean(r2_each(truth[kept], predicted[kept]))) if kept.any() else None


def varied(truth: Array) -> NDArray[np.bool_]:
    """Return which maps vary by more than `NEARLY_UNIFORM`, so that their R² says something."""
    axes = (-2, -1)
    return np.asarray(truth.std(axes, dtype=np.float64) > NEARLY_UNIFORM * np.abs(truth.mean(axes)))


def rel_l1(truth: Array, predicted: Array) -> float:
    """Return Σ|ρ̂−ρ| / Σ|ρ|, the mean over maps."""
    axes = (-2, -1)
    return float(np.mean(np.abs(predicted - truth).sum(axes) / np.abs(truth).sum(axes)))


def rel_l2(truth: Array, predicted: Array) -> float:
    """Return ‖ρ̂−ρ‖/‖ρ‖, the mean over maps."""
    return float(np.mean(rel_l2_each(truth, predicted)))


def rel_l2_each(truth: Array, predicted: Array) -> Array:
    """Return ‖ρ̂−ρ‖/‖ρ‖ of each map."""
    axes = (-2, -1)
    error = np.linalg.norm(predicted - truth, axis=axes)
    return np.asarray(error / np.linalg.norm(truth, axis=axes))


def mae(truth: Array, predicted: Array) -> float:
    """Return the mean absolute error [g/cm³]."""
    return float(np.mean(np.abs(predicted - truth)))


def ssim(truth: Array, predicted: Array, data_range: float) -> float:
    """Return the structural similarity, the mean over cells and maps.

    Gaussian window of σ = 1.5 cells cut at 3.5 σ, K₁ = 0.01, K₂ = 0.03.

    Parameters
    ----------
    truth, predicted : (n, ny, nx)
    data_range : largest minus smallest density that can occur; the same for all maps of a set

    References
    ----------
    Wang, Bovik, Sheikh and Simoncelli, IEEE Trans. Image Process. 13 (2004) 600.
    """
    x, y = truth.astype(np.float64), predicted.astype(np.float64)

    def smooth(maps: NDArray[np.float64]) -> NDArray[np.float64]:
        smoothed: NDArray[np.float64] = ndimage.gaussian_filter(
            maps, sigma=(0, 1.5, 1.5), truncate=3.5
        )
        return smoothed

    mx, my = smooth(x), smooth(y)
    vx, vy, covariance = smooth(x * x) - mx**2, smooth(y * y) - my**2, smooth(x * y) - mx * my
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    similar = (2 * mx * my + c1) * (2 * covariance + c2)
    return float(np.mean(similar / ((mx**2 + my**2 + c1) * (vx + vy + c2))))


def error_by_depth(truth: Array, predicted: Array) -> NDArray[np.float64]:
    """Return the root mean square error (depths,) [g/cm³] against the distance from the edge.

    Entry d is over the cells with d cells between them and the nearest edge.
    """
    depth = depths(truth.shape[-2:])
    square = ((predicted - truth).astype(np.float64) ** 2).reshape(-1, *depth.shape).mean(0)
    return np.array([np.sqrt(square[depth == d].mean()) for d in range(depth.max() + 1)])


def data_misfit(simulated: Array, recorded: Array) -> float:
    """Return ‖F(ρ̂)−d‖/‖d‖ of one sample's signals, any shape."""
    difference = (simulated - recorded).astype(np.float64)
    return float(np.linalg.norm(difference) / np.linalg.norm(recorded.astype(np.float64)))


def coverage(truth: Array, predicted: Array, deviation: Array) -> dict[str, float]:
    """Return how well the standard deviation of several reconstructions shows their error.

    Returns
    -------
    ``within_1``, ``within_2`` : share of cells whose error is at most one and two deviations (0.683
    and 0.954 for a Gaussian error of that size); ``scale``: root mean square error over root mean
    square deviation, by which the deviation must be multiplied to be as large as the error.
    """
    error = np.abs(predicted - truth).astype(np.float64)
    return {
        "within_1": float(np.mean(error <= deviation)),
        "within_2": float(np.mean(error <= 2 * deviation)),
        "scale": float(np.sqrt(np.mean(error**2) / np.mean(deviation.astype(np.float64) ** 2))),
    }


def coverage_by_depth(truth: Array, predicted: Array, spread: Array) -> dict[str, list[float]]:
    """Return the shares of cells within one and two spreads at each distance from the edge.

    A Gaussian error has 0.683 and 0.954. Entry d is over the cells with d cells between them and
    the nearest edge.
    """
    depth = depths(truth.shape[-2:])
    far = np.abs(predicted - truth) / np.maximum(spread, np.finfo(np.float32).tiny)
    bands = [far[:, depth == d] for d in range(depth.max() + 1)]
    return {f"within_{k}": [float(np.mean(band <= k)) for band in bands] for k in (1, 2)}


def summary(truth: Array, predicted: Array, data_range: float) -> dict[str, float | None]:
    """Return all measures that need no simulation, by the names used in metrics.json."""
    return {
        "r2_pooled": r2_pooled(truth, predicted),
        "r2_mean": r2_mean(truth, predicted),
        "rel_l1": rel_l1(truth, predicted),
        "rel_l2": rel_l2(truth, predicted),
        "mae": mae(truth, predicted),
        "ssim": ssim(truth, predicted, data_range),
    }
