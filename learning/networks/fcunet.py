"""FC-UNet: a learned linear map from all signals to the grid, then a residual U-Net.

Each signal's course in time is first written with a few learned functions of time; a full matrix
then takes the coefficients of all cells of all edges to a coarse map of features, which is resized
and refined. It won against the reference in the Kuopio tomography challenge (KTC 2023).
"""

from typing import Literal

import pydantic
import torch
from torch import nn
from torch.nn import functional

from opalux.learning.data.layout import Layout
from opalux.learning.networks.blocks import ResidualUNet, ResidualUNetSettings


class FCUNetSettings(ResidualUNetSettings):
    """Shape of the network, besides that of its `ResidualUNet`.

    Attributes
    ----------
    courses : learned functions of time per signal
    coarse : side of the map that the full matrix gives
    features : channels of that map
    """

    kind: Literal["fcunet"] = "fcunet"
    courses: int = pydantic.Field(4, ge=1, le=64)
    coarse: int = pydantic.Field(16, ge=2, le=128)
    features: int = pydantic.Field(8, ge=1, le=128)

    def build(self, layout: Layout) -> nn.Module:
        """Return a network for data of this layout."""
        return FCUNet(layout, self)


class FCUNet(nn.Module):
    """See the module's description."""

    def __init__(self, layout: Layout, settings: FCUNetSettings) -> None:
        super().__init__()
        self.shape = layout.shape
        self.coarse = (settings.features, settings.coarse, settings.coarse)
        numbers = layout.n_channels * settings.courses * layout.n_cells
        self.course = nn.Conv2d(
            layout.n_channels,
            layout.n_channels * settings.courses,
            (layout.n_times, 1),
            groups=layout.n_channels,
        )
        self.carry = nn.Linear(numbers, settings.features * settings.coarse**2)
        self.body = ResidualUNet(settings.features, settings)

    def forward(self, signals_BSEQTN: torch.Tensor) -> torch.Tensor:
        """Return maps (B, Y, X), standardised."""
        coefficients = self.course(signals_BSEQTN.flatten(1, 3)).flatten(1)
        coarse_BCYX = self.carry(coefficients).unflatten(1, self.coarse)
        features = functional.interpolate(coarse_BCYX, self.shape, mode="bilinear")
        return self.body(features.contiguous(memory_format=torch.channels_last))[:, 0]
