"""Random changes of each training sample: symmetries, noise, missing measurements."""

import math
from typing import Self

import numpy as np
import pydantic
import torch
from numpy.typing import NDArray

from opalux.base.axes import EDGES
from opalux.base.errors import InputError
from opalux.base.settings import Settings, SettingsPath
from opalux.learning.data.layout import Layout
from opalux.learning.networks.symmetry import symmetries_of, transform_map, transform_signals
from opalux.learning.networks.told import tell_noise
from opalux.learning.training.grid_error import FARTHEST, GridErrors
from opalux.learning.training.subsets import draw_known


class AugmentationSettings(Settings):
    """What is changed at random in each training sample, differently in each epoch.

    Attributes
    ----------
    symmetries : turn and reflect map, edges and sources together (only reflect what is no square)
    noise : standard deviation of the noise added to the signals, relative to each channel's own; or
        [low, high], from which it is drawn for each sample
    other_grid : data set with some of the training densities, simulated on a finer grid; the errors
        that calibration leaves are added to the signals, and signals on the edge itself are moved
        towards those of that grid, see `opalux.learning.training.grid_error`
    drop_sources, drop_edges : leave out up to so many sources and edges (their signals are set to
        the channel's mean), so that one model serves fewer measurements
    subsets : leave out any sources, edges, quantities, detectors and times, and tell the network
        what lacks and how large the noise is, so that one model serves any measurement
    """

    symmetries: bool = True
    noise: float | tuple[float, float] = 0.0
    other_grid: SettingsPath | None = None
    drop_sources: int = pydantic.Field(0, ge=0, le=3)
    drop_edges: int = pydantic.Field(0, ge=0, le=3)
    subsets: bool = False

    @pydantic.model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.subsets and (self.drop_sources or self.drop_edges):
            raise ValueError(
                f"subsets: found true with drop_sources {self.drop_sources} and drop_edges "
                f"{self.drop_edges}, expected one way to leave signals out; subsets leave out "
                "sources and edges, too"
            )
        low, high = self.noise_range
        if not 0 <= low <= high < math.inf:
            raise ValueError(
                f"noise: found {self.noise}, expected a number >= 0, or [low, high] with "
                "0 <= low <= high"
            )
        return self

    @property
    def noise_range(self) -> tuple[float, float]:
        """Smallest and largest noise."""
        return self.noise if isinstance(self.noise, tuple) else (self.noise, self.noise)


class Augmentation:
    """Draws and applies the changes of `AugmentationSettings`.

    Parameters
    ----------
    settings : what is changed
    layout : of the data
    mean, std : (sources, edges, quantities) of each channel, over the training split
    seed : with epoch and position it gives the change
    errors : of another grid
    """

    def __init__(
        self,
        settings: AugmentationSettings,
        layout: Layout,
        mean: NDArray[np.floating],
        std: NDArray[np.floating],
        seed: int,
        errors: GridErrors | None = None,
    ) -> None:
        self.settings = settings
        self.seed = seed
        self.errors = None if errors is None else torch.from_numpy(errors.left)
        self._towards = None if errors is None else errors.towards
        if settings.symmetries and not layout.is_symmetric:
            raise InputError(
                f"augmentation.symmetries: found sources {layout.sources} and edges "
                f"{layout.edges}, expected {EDGES} for both; set augmentation.symmetries=false"
            )
        self._symmetries, self._shape = symmetries_of(layout), layout.shape
        self._mean = torch.tensor(mean, dtype=torch.float32)[..., None, None]
        self._std = torch.tensor(std, dtype=torch.float32)[..., None, None]

    def __call__(
        self, signals: torch.Tensor, target: torch.Tensor, epoch: int, position: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the changed signals (S, E, Q, T, N) and target, which symmetries move as a map.

        With ``subsets``, NaN stands where signals lack, and a last plane tells the noise.
        """
        draw = np.random.default_rng([self.seed, epoch, position])
        if self._towards is not None:
            moved = torch.from_numpy(self._towards(signals.numpy()))
            signals = torch.lerp(signals, moved, draw.uniform(0, FARTHEST))
        if self.settings.symmetries:
            symmetry = self._symmetries[draw.integers(len(self._symmetries))]
            signals = transform_signals(signals, symmetry, self._shape)
            target = transform_map(target, symmetry)
        low, high = self.settings.noise_range
        level = float(draw.uniform(low, high)) if low < high else high
        if level:
            noise = draw.standard_normal(signals.shape, dtype=np.float32)
            signals = signals + level * self._std * torch.from_numpy(noise)
        if self.errors is not None:
            error = self.errors[draw.integers(len(self.errors))]
            if self.settings.symmetries:  # the error of a turned density is the turned error
                other = self._symmetries[draw.integers(len(self._symmetries))]
                error = transform_signals(error, other, self._shape)
            signals = signals + draw.standard_normal(dtype=np.float32) * error
        for axis, most in enumerate((self.settings.drop_sources, self.settings.drop_edges)):
            length = signals.shape[axis]
            dropped = draw.permutation(length)[: draw.integers(min(most, length - 1) + 1)]
            if len(dropped):
                kept = torch.ones([length if a == axis else 1 for a in range(5)])
                kept.index_fill_(axis, torch.from_numpy(dropped), 0.0)
                signals = torch.where(kept.bool(), signals, self._mean)
        if self.settings.subsets:
            known = torch.from_numpy(draw_known(draw, tuple(signals.shape)))
            signals = tell_noise(torch.where(known, signals, torch.nan), level)
        return signals, target
