"""Building blocks that the models share."""

import itertools
from typing import Literal

import pydantic
import torch
from torch import nn
from torch.nn import functional

from opalux.base.settings import Settings
from opalux.learning.networks.objectives.objective import Objective
from opalux.learning.networks.objectives.whole_map import WholeMap

Norm = Literal["batch", "group"]


def normalisation(kind: Norm, channels: int) -> nn.Module:
    """Return a normalisation layer; groups have at least 4 channels and there are at most 8."""
    if kind == "batch":
        return nn.BatchNorm2d(channels)
    groups = next(g for g in range(min(8, max(1, channels // 4)), 0, -1) if channels % g == 0)
    return nn.GroupNorm(groups, channels)


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions with normalisation around a shortcut: y = g(x + h(x)).

    Parameters
    ----------
    channels : of input and output
    norm : normalisation after each convolution
    """

    def __init__(self, channels: int, norm: Norm) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.first_norm = normalisation(norm, channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.second_norm = normalisation(norm, channels)

    def forward(self, x_BCYX: torch.Tensor) -> torch.Tensor:
        """Return features of the same shape."""
        h = functional.gelu(self.first_norm(self.first(x_BCYX)))
        return functional.gelu(x_BCYX + self.second_norm(self.second(h)))


class ResidualUNetSettings(Settings):
    """Shape of a `ResidualUNet`.

    Attributes
    ----------
    width : channels at full resolution; they double with every level
    levels : resolutions, the full one included
    blocks : residual blocks at each level on either side
    norm : see `normalisation`
    """

    width: int = pydantic.Field(24, ge=1, le=512)
    levels: int = pydantic.Field(4, ge=1, le=8)
    blocks: int = pydantic.Field(1, ge=1, le=8)
    norm: Norm = "group"

    @property
    def objective(self) -> Objective:
        """What the network is trained to give."""
        return WholeMap()


class ResidualUNet(nn.Module):
    """A residual V-shaped network from features on the grid to maps.

    Down by strided 2×2 convolutions, up by resizing and a 1×1 convolution: transposed convolutions
    leave a dotted pattern. The left blocks' output is added on the right. Any size is accepted: a
    resized map takes the size of the one that it is added to.

    Parameters
    ----------
    channels : of the input features
    settings : shape of the network
    maps : channels of the output
    """

    def __init__(self, channels: int, settings: ResidualUNetSettings, maps: int = 1) -> None:
        super().__init__()
        width, norm = settings.width, settings.norm
        widths = [width * 2**level for level in range(settings.levels)]

        def stage(size: int) -> nn.Sequential:
            return nn.Sequential(*(ResidualBlock(size, norm) for _ in range(settings.blocks)))

        self.enter = nn.Conv2d(channels, width, 1)
        self.left = nn.ModuleList(stage(size) for size in widths)
        self.right = nn.ModuleList(stage(size) for size in widths[:-1])
        pairs = list(itertools.pairwise(widths))
        self.down = nn.ModuleList(nn.Conv2d(fine, coarse, 2, stride=2) for fine, coarse in pairs)
        self.up = nn.ModuleList(nn.Conv2d(coarse, fine, 1) for fine, coarse in pairs)
        self.leave = nn.Conv2d(width, maps, 3, padding=1)

    def forward(self, x_BCYX: torch.Tensor) -> torch.Tensor:
        """Return the maps (B, maps, Y, X)."""
        h = self.enter(x_BCYX)
        kept = []
        for level, down in enumerate(self.down):
            h = self.left[level](h)
            kept.append(h)
            h = down(h)
        h = self.left[-1](h)
        for level in reversed(range(len(self.up))):
            beside = kept[level]
            h = functional.interpolate(self.up[level](h), size=beside.shape[-2:], mode="nearest")
            h = self.right[level](h + beside)
        y_BMYX: torch.Tensor = self.leave(h)
        return y_BMYX
