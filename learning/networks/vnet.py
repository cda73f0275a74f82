"""The published V-Net (Milletari et al., 2016, in two dimensions; Ngueguin, 2021).

Signals enter as images of time × position. Each left block is two convolutions; a strided 2×2
convolution halves the image and doubles the channels. On the way up a transposed 2×2 convolution
doubles the image, and the left block's output of the same size is ADDED before the right block's
two convolutions. Batch normalisation throughout, a sigmoid at the end.
"""

import itertools
from typing import Literal

import pydantic
import torch
from torch import nn

from opalux.base.errors import InputError
from opalux.base.settings import Settings
from opalux.learning.data.layout import Layout
from opalux.learning.networks.images import stack_channels
from opalux.learning.networks.objectives.objective import Objective
from opalux.learning.networks.objectives.whole_map import WholeMap


class VNetSettings(Settings):
    """Shape of the V-Net; the defaults are the published one.

    Attributes
    ----------
    levels : resolutions, the full one included
    width : channels at full resolution; they double with every level
    kernel : side of the convolutions, odd
    convolutions : in each block
    """

    kind: Literal["vnet"] = "vnet"
    levels: int = pydantic.Field(5, ge=2, le=8)
    width: int = pydantic.Field(32, ge=1, le=512)
    kernel: int = pydantic.Field(5, ge=1, le=15)
    convolutions: int = pydantic.Field(2, ge=1, le=4)

    @pydantic.field_validator("kernel")
    @classmethod
    def _odd(cls, kernel: int) -> int:
        if kernel % 2 == 0:
            raise ValueError(f"found {kernel}, expected an odd number of cells")
        return kernel

    @property
    def objective(self) -> Objective:
        """What the network is trained to give."""
        return WholeMap(share_of_maximum=True)

    def build(self, layout: Layout) -> nn.Module:
        """Return a network for data of this layout."""
        side = layout.require_square(self.kind)
        if layout.n_times != side:
            raise InputError(
                f"model vnet: found {layout.n_times} times on {side} cells, expected as many "
                f"times as cells; set data.n_times={side}"
            )
        if side % 2 ** (self.levels - 1):
            raise InputError(
                f"model vnet: a side of {side} cells cannot be halved {self.levels - 1} times; "
                "choose fewer model.levels"
            )
        return VNet(layout.n_channels, self)


def _block(channels: int, settings: VNetSettings) -> nn.Sequential:
    layers: list[nn.Module] = []
    for _ in range(settings.convolutions):
        layers += [
            nn.Conv2d(
                channels, channels, settings.kernel, padding=settings.kernel // 2, bias=False
            ),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*layers)


def _change(convolution: nn.Module, channels: int) -> nn.Sequential:
    return nn.Sequential(convolution, nn.BatchNorm2d(channels), nn.ReLU(inplace=True))


class VNet(nn.Module):
    """See the module's description.

    Parameters
    ----------
    channels : images in the input
    settings : shape of the network
    """

    def __init__(self, channels: int, settings: VNetSettings) -> None:
        super().__init__()
        widths = [settings.width * 2**level for level in range(settings.levels)]
        pairs = list(itertools.pairwise(widths))
        self.enter = _change(nn.Conv2d(channels, widths[0], 1, bias=False), widths[0])
        self.left = nn.ModuleList(_block(size, settings) for size in widths)
        self.right = nn.ModuleList(_block(size, settings) for size in widths[:-1])
        self.down = nn.ModuleList(
            _change(nn.Conv2d(fine, coarse, 2, stride=2, bias=False), coarse)
            for fine, coarse in pairs
        )
        self.up = nn.ModuleList(
            _change(nn.ConvTranspose2d(coarse, fine, 2, stride=2, bias=False), fine)
            for fine, coarse in pairs
        )
        self.leave = nn.Conv2d(widths[0], 1, 1)

    def forward(self, signals_BSEQTN: torch.Tensor) -> torch.Tensor:
        """Return maps (B, Y, X) in (0, 1)."""
        h = self.enter(stack_channels(signals_BSEQTN))
        kept = []
        for level, down in enumerate(self.down):
            h = self.left[level](h)
            kept.append(h)
            h = down(h)
        h = self.left[-1](h)
        for level in reversed(range(len(self.up))):
            h = self.right[level](self.up[level](h) + kept[level])
        return torch.sigmoid(self.leave(h))[:, 0]
