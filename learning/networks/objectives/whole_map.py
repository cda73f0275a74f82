"""The objective of most networks: the density of every cell."""

import dataclasses
import math
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from opalux.learning.data.layout import Layout
from opalux.learning.data.stats import Stats
from opalux.learning.networks.objectives.objective import Array, Truth

NEARLY_UNIFORM = 0.05
"""Deviation of a map, as a share of its mean, below which its own R² is not counted in the mean.

R² divides by the variance of the map: of a nearly uniform one it says how small that is, not how
good the answer is, and one such map would outweigh thousands of others.
"""


@dataclasses.dataclass(frozen=True)
class WholeMap:
    """The density map (ny, nx) [g/cm³].

    Attributes
    ----------
    share_of_maximum : the network gives the share of the largest density, for a sigmoid output;
        otherwise it gives standard deviations from the mean
    """

    share_of_maximum: bool = False
    answer: ClassVar[str] = "the density of every cell [g/cm³]"
    is_map: ClassVar[bool] = True
    leading: ClassVar[str] = "r2_pooled"
    meaning: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "r2_pooled": "R², all cells of all maps pooled",
            "r2_mean": "R² of each map, mean (without nearly uniform ones)",
            "mae": "mean absolute error [g/cm³]",
        }
    )
    published: ClassVar[Mapping[str, tuple[str, str]]] = MappingProxyType(
        {"r2_pooled": ("V-Net, 64×64 maps: pooled R²", "0.87–0.89")}
    )

    def scale_shape(self, layout: Layout) -> tuple[int, ...]:
        """See `Objective`."""
        return ()

    def target(self, truth: Truth) -> Array:
        """See `Objective`."""
        return truth.density

    def scale(self, truths: Iterable[Truth], stats: Stats, layout: Layout) -> tuple[Array, Array]:
        """See `Objective`; from the statistics of the training split."""
        pair = (0.0, stats.density_max)
        if not self.share_of_maximum:
            pair = (stats.density_mean, stats.density_std or 1.0)
        return np.float32(pair[0]), np.float32(pair[1])  # type: ignore[return-value]

    def loss(self, given: torch.Tensor, scaled_target: torch.Tensor) -> torch.Tensor:
        """Return the mean squared error."""
        return functional.mse_loss(given, scaled_target)

    def sums(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return varied maps, cells, Σρ, Σρ², Σ(ρ̂−ρ)², Σ|ρ̂−ρ|, Σ R² of each varied map."""
        error = output - target
        residual = error.square().sum((1, 2))
        mean = target.mean((1, 2), keepdim=True)
        variation = (target - mean).square().sum((1, 2))
        least = NEARLY_UNIFORM**2 * mean.square().sum((1, 2)) * target[0].numel()
        varied = variation > least
        return torch.stack(
            [
                varied.double().sum(),
                torch.tensor(float(target.numel()), dtype=torch.float64),
                target.sum(),
                target.square().sum(),
                residual.sum(),
                error.abs().sum(),
                (1 - residual / variation)[varied].sum(),
            ]
        )

    def scores(self, sums: NDArray[np.float64]) -> dict[str, float]:
        """Return pooled R², mean R² of the varied maps and mean absolute error [g/cm³].

        The mean is NaN where no map varies.
        """
        varied, cells, total, squares, residuals, absolute, r2s = map(float, sums)
        return {
            "r2_pooled": 1 - residuals / (squares - total**2 / cells),
            "r2_mean": r2s / varied if varied else math.nan,
            "mae": absolute / cells,
        }
