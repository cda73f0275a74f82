"""The objectives of the two earlier networks: the place and height of one niche, or its bearing."""

import dataclasses
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from opalux.base.errors import InputError
from opalux.learning.data.layout import Layout
from opalux.learning.data.stats import Stats
from opalux.learning.networks.objectives.objective import Array, Truth

PUBLISHED = MappingProxyType(
    {
        "r2": (
            "CNN, place and height of a niche: R²",
            "0.9881 (0.9480 with max pooling)",
        ),
        "custom_score": (
            "CNN, place within 0.1 cm and height within 1 g/cm³ (custom score)",
            "0.9350 (0.5575 with max pooling)",
        ),
        "binary_accuracy": (
            "CNN, sources that have the niche in front: binary accuracy",
            "0.9886 (0.7500 with max pooling)",
        ),
        "strict_score": (
            "CNN, all four labels right (strict score)",
            "0.9545 (0.2727 with max pooling)",
        ),
    }
)
"""Figures of the published networks (an internship report before Ngueguin, 2021)."""


@dataclasses.dataclass(frozen=True)
class NichePlace:
    """Abscissa, ordinate and height of the one niche in each map.

    Attributes
    ----------
    near, alike : a niche counts as found when both coordinates are within ``near`` [cm] and the
        height is within ``alike`` [g/cm³] (the published custom score)
    """

    near: float = 0.1
    alike: float = 1.0
    answer: ClassVar[str] = "x [cm], y [cm] and height [g/cm³] of the niche"
    is_map: ClassVar[bool] = False
    leading: ClassVar[str] = "r2"
    meaning: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "r2": "R², mean over x, y and height",
            "custom_score": "share of niches within 0.1 cm and 1 g/cm³ (custom score)",
            "r2_x": "R² of x",
            "r2_y": "R² of y",
            "r2_height": "R² of the height",
        }
    )
    published: ClassVar[Mapping[str, tuple[str, str]]] = PUBLISHED

    def scale_shape(self, layout: Layout) -> tuple[int, ...]:
        """See `Objective`."""
        return (3,)

    def target(self, truth: Truth) -> Array:
        """See `Objective`."""
        return np.array(_niche(truth), dtype=np.float32)

    def scale(self, truths: Iterable[Truth], stats: Stats, layout: Layout) -> tuple[Array, Array]:
        """See `Objective`."""
        targets = np.array([_niche(truth) for truth in truths])
        deviation = targets.std(0)
        unit = np.where(deviation > 0, deviation, 1.0)
        return targets.mean(0).astype(np.float32), unit.astype(np.float32)

    def loss(self, given: torch.Tensor, scaled_target: torch.Tensor) -> torch.Tensor:
        """Return the mean squared error."""
        return functional.mse_loss(given, scaled_target)

    def sums(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return samples, found ones, and Σy, Σy², Σ(ŷ−y)² of each of the three numbers."""
        error = output - target
        limit = torch.tensor([self.near, self.near, self.alike], dtype=torch.float64)
        found = (error.abs() <= limit).all(1).double().sum()
        count = torch.tensor(float(len(target)), dtype=torch.float64)
        return torch.cat(
            [
                torch.stack([count, found]),
                target.sum(0),
                target.square().sum(0),
                error.square().sum(0),
            ]
        )

    def scores(self, sums: NDArray[np.float64]) -> dict[str, float]:
        """Return R², its mean over the three numbers and each, and the custom score."""
        count, found = float(sums[0]), float(sums[1])
        total, squares, residuals = sums[2:].reshape(3, 3)
        r2 = 1 - residuals / (squares - total**2 / count)
        names = ("r2_x", "r2_y", "r2_height")
        each = {name: float(value) for name, value in zip(names, r2, strict=True)}
        return {"r2": float(r2.mean()), "custom_score": found / count, **each}


@dataclasses.dataclass(frozen=True)
class NicheInFront:
    """Whether the niche lies in front of each source: some of its disc is level with the source.

    Attributes
    ----------
    radius : of the niche's disc [cm]
    """

    radius: float = 0.05
    answer: ClassVar[str] = "for each source, a positive number when the niche lies in front of it"
    is_map: ClassVar[bool] = False
    leading: ClassVar[str] = "strict_score"
    meaning: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "binary_accuracy": "share of right labels (binary accuracy)",
            "strict_score": "share of maps with all labels right (strict score)",
        }
    )
    published: ClassVar[Mapping[str, tuple[str, str]]] = PUBLISHED

    def scale_shape(self, layout: Layout) -> tuple[int, ...]:
        """See `Objective`."""
        return (len(layout.sources),)

    def target(self, truth: Truth) -> Array:
        """Return one label (0 or 1) per source."""
        _, y, _ = _niche(truth)
        start, stop = truth.sources.T
        return ((start <= y + self.radius) & (y - self.radius <= stop)).astype(np.float32)

    def scale(self, truths: Iterable[Truth], stats: Stats, layout: Layout) -> tuple[Array, Array]:
        """See `Objective`; labels have no scale."""
        labels = self.scale_shape(layout)
        return np.zeros(labels, np.float32), np.ones(labels, np.float32)

    def loss(self, given: torch.Tensor, scaled_target: torch.Tensor) -> torch.Tensor:
        """Return the binary cross entropy of the logits."""
        return functional.binary_cross_entropy_with_logits(given, scaled_target)

    def sums(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return samples, labels, right labels, samples with all labels right."""
        right = (output > 0) == (target > 0.5)
        counts = [len(target), target.numel(), int(right.sum()), int(right.all(1).sum())]
        return torch.tensor(counts, dtype=torch.float64)

    def scores(self, sums: NDArray[np.float64]) -> dict[str, float]:
        """Return the share of right labels and of samples with all of them right."""
        samples, labels, right, strict = map(float, sums)
        return {"binary_accuracy": right / labels, "strict_score": strict / samples}


def _niche(truth: Truth) -> tuple[float, float, float]:
    drawn = truth.drawn
    try:
        return float(drawn["x"]), float(drawn["y"]), float(drawn["height"])
    except KeyError:
        raise InputError(
            f"{truth.origin} is of family '{truth.family}', expected maps of one niche, which keep "
            "x, y and height; see configs/sample/niche_*.yaml"
        ) from None
