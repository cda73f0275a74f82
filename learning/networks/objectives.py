"""What a network is trained to give: its target, its loss, and how well it does.

Scores are made of sums over samples, so that several processes add theirs up and get the same.
"""

import dataclasses
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from opalux.base.errors import InputError
from opalux.learning.data.data_set import DataSet
from opalux.learning.data.layout import Layout

Array = NDArray[np.float32]


class Objective(Protocol):
    """What a network is trained to give.

    Attributes
    ----------
    best : name of the score by which the best network is chosen; larger is better
    """

    best: str

    def scale_shape(self, layout: Layout) -> tuple[int, ...]:
        """Return the shape of offset and unit."""

    def target(self, data: DataSet, position: int) -> Array:
        """Return what the network is to give for one sample, in physical units."""

    def scale(self, data: DataSet, positions: NDArray[np.int64]) -> tuple[Array, Array]:
        """Return offset and unit such that the network gives (target − offset) / unit."""

    def loss(self, given: torch.Tensor, scaled_target: torch.Tensor) -> torch.Tensor:
        """Return the loss of a batch of network outputs."""

    def sums(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return sums (k,) float64 over a batch, in physical units."""

    def scores(self, sums: NDArray[np.float64]) -> dict[str, float]:
        """Return the scores out of the sums over all samples."""


@dataclasses.dataclass(frozen=True)
class Density:
    """The density map (ny, nx) [g/cm³].

    Attributes
    ----------
    share_of_maximum : the network gives the share of the largest density, for a sigmoid output;
        otherwise it gives standard deviations from the mean
    """

    share_of_maximum: bool = False
    best = "r2_pooled"

    def scale_shape(self, layout: Layout) -> tuple[int, ...]:
        """See `Objective`."""
        return ()

    def target(self, data: DataSet, position: int) -> Array:
        """See `Objective`."""
        return data.density(position)

    def scale(self, data: DataSet, positions: NDArray[np.int64]) -> tuple[Array, Array]:
        """See `Objective`; from the statistics of the training split."""
        stats = data.stats
        pair = (0.0, stats.density_max)
        if not self.share_of_maximum:
            pair = (stats.density_mean, stats.density_std or 1.0)
        return np.float32(pair[0]), np.float32(pair[1])  # type: ignore[return-value]

    def loss(self, given: torch.Tensor, scaled_target: torch.Tensor) -> torch.Tensor:
        """Return the mean squared error."""
        return functional.mse_loss(given, scaled_target)

    def sums(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return maps, cells, Σρ, Σρ², Σ(ρ̂−ρ)², Σ|ρ̂−ρ|, Σ R² per map."""
        error = output - target
        residual = error.square().sum((1, 2))
        spread = (target - target.mean((1, 2), keepdim=True)).square().sum((1, 2))
        return torch.stack(
            [
                torch.tensor(float(len(target)), dtype=torch.float64),
                torch.tensor(float(target.numel()), dtype=torch.float64),
                target.sum(),
                target.square().sum(),
                residual.sum(),
                error.abs().sum(),
                (1 - residual / spread.clamp_min(1e-12)).sum(),
            ]
        )

    def scores(self, sums: NDArray[np.float64]) -> dict[str, float]:
        """Return pooled R², mean R² of the maps and mean absolute error [g/cm³]."""
        maps, cells, total, squares, residuals, absolute, r2s = map(float, sums)
        return {
            "r2_pooled": 1 - residuals / (squares - total**2 / cells),
            "r2_mean": r2s / maps,
            "mae": absolute / cells,
        }


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
    best = "r2"

    def scale_shape(self, layout: Layout) -> tuple[int, ...]:
        """See `Objective`."""
        return (3,)

    def target(self, data: DataSet, position: int) -> Array:
        """See `Objective`."""
        return np.array(_niche(data, position), dtype=np.float32)

    def scale(self, data: DataSet, positions: NDArray[np.int64]) -> tuple[Array, Array]:
        """See `Objective`."""
        targets = np.array([_niche(data, int(p)) for p in positions])
        spread = targets.std(0)
        unit = np.where(spread > 0, spread, 1.0)
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
    best = "strict_score"

    def scale_shape(self, layout: Layout) -> tuple[int, ...]:
        """See `Objective`."""
        return (len(layout.sources),)

    def target(self, data: DataSet, position: int) -> Array:
        """Return one label (0 or 1) per source."""
        _, y, _ = _niche(data, position)
        start, stop = data.sources(position).T
        return ((start <= y + self.radius) & (y - self.radius <= stop)).astype(np.float32)

    def scale(self, data: DataSet, positions: NDArray[np.int64]) -> tuple[Array, Array]:
        """See `Objective`; labels have no scale."""
        labels = len(data.card.sources)
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


def _niche(data: DataSet, position: int) -> tuple[float, float, float]:
    drawn = data.drawn(position)
    try:
        return float(drawn["x"]), float(drawn["y"]), float(drawn["height"])
    except KeyError:
        raise InputError(
            f"{data.folder}: sample {position} is of family '{data.family(position)}', expected "
            "maps of one niche, which keep x, y and height; see configs/sample/niche_*.yaml"
        ) from None
