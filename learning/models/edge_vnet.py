"""A residual V-Net that first carries each edge's signals to the place that they speak of.

A signal at a cell of an edge tells of the column of the map that stands on that cell: the later the
time, the deeper the place. A linear map from (source, quantity, time) to (channel, depth), learned
and shared by the four edges and all cells, turns the signals into features on the grid
(``stem: columns``). Shared, because the four edges differ by a turn of the square alone: an edge's
sources are put in the order same edge, opposite edge, side of low and side of high coordinate.

The two other stems leave the time axis as it is (``turned``: each edge's image lies as the edge
does; ``stacked``: all lie alike, as in the published network) and are there for comparison.
"""

from typing import Literal

import pydantic
import torch
from torch import nn
from torch.nn import functional

from learning.errors import InputError
from learning.models.blocks import Norm, ResidualUNet
from learning.models.images import stack_channels, turn_to_map
from learning.models.layout import EDGES, Layout
from learning.objectives import Density, Objective

# For each edge, the positions of the sources in the order same, opposite, low side, high side.
SOURCES_SEEN_FROM = {
    "up": ("up", "down", "left", "right"),
    "down": ("down", "up", "left", "right"),
    "left": ("left", "right", "down", "up"),
    "right": ("right", "left", "down", "up"),
}


class EdgeVNetSettings(pydantic.BaseModel):
    """Shape of the network.

    Attributes
    ----------
    stem : how signals come onto the grid, see the module's description
    features : channels that the stem gives
    width, levels, blocks, norm : see `learning.models.blocks.ResidualUNet`
    """

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    kind: Literal["edge_vnet"] = "edge_vnet"
    stem: Literal["columns", "turned", "stacked"] = "columns"
    features: int = pydantic.Field(24, ge=1, le=512)
    width: int = pydantic.Field(24, ge=1, le=512)
    levels: int = pydantic.Field(4, ge=1, le=8)
    blocks: int = pydantic.Field(1, ge=1, le=8)
    norm: Norm = "group"

    @property
    def objective(self) -> Objective:
        """What the network is trained to give."""
        return Density()

    def build(self, layout: Layout) -> nn.Module:
        """Return a network for data of this layout."""
        side = layout.require_square(self.kind)
        if side < 2 ** (self.levels - 1):
            raise InputError(
                f"model edge_vnet: a side of {side} cells cannot be halved {self.levels - 1} "
                "times; choose fewer model.levels"
            )
        if self.stem != "stacked" and layout.edges != EDGES:
            raise InputError(f"model edge_vnet: found edges {layout.edges}, expected {EDGES}")
        stem: nn.Module
        if self.stem == "columns":
            if layout.sources != EDGES:
                raise InputError(
                    f"model edge_vnet: found sources {layout.sources}, expected one on the whole "
                    f"of each edge {EDGES}; choose model.stem=turned"
                )
            stem = Columns(layout, self.features)
        else:
            stem = Images(layout, self.features, turned=self.stem == "turned")
        body = ResidualUNet(self.features, self.width, self.levels, self.blocks, self.norm)
        return EdgeVNet(stem, body)


class Columns(nn.Module):
    """Learned map from time to depth, column by column, shared by the edges."""

    seen: torch.Tensor

    def __init__(self, layout: Layout, features: int) -> None:
        super().__init__()
        self.depth = layout.shape[0]
        self.features = features
        self.carry = nn.Linear(layout.per_edge * layout.n_times, features * self.depth)
        order = [[EDGES.index(s) for s in SOURCES_SEEN_FROM[edge]] for edge in EDGES]
        self.register_buffer("seen", torch.tensor(order), persistent=False)

    def forward(self, signals_BSEQTN: torch.Tensor) -> torch.Tensor:
        """Return features (B, C, Y, X)."""
        edges = [
            signals_BSEQTN[:, order, edge].flatten(1, 3)  # (B, S·Q·T, N)
            for edge, order in enumerate(self.seen)
        ]
        columns_BENK = torch.stack(edges, 1).transpose(-1, -2)
        carried = self.carry(columns_BENK).unflatten(-1, (self.features, self.depth))
        carried_BECYN = carried.permute(0, 1, 3, 4, 2)
        # Four terms of equal size: halving keeps the variance.
        return 0.5 * turn_to_map(carried_BECYN).sum(1)


class Images(nn.Module):
    """Images of time × cell, brought to the map's size by gathering neighbouring times."""

    def __init__(self, layout: Layout, features: int, *, turned: bool) -> None:
        super().__init__()
        self.side = layout.shape[0]
        self.gathered = -(-layout.n_times // self.side)
        self.turned = turned
        self.mix = nn.Conv2d(layout.n_channels * self.gathered, features, 1)

    def forward(self, signals_BSEQTN: torch.Tensor) -> torch.Tensor:
        """Return features (B, C, Y, X)."""
        padding = self.gathered * self.side - signals_BSEQTN.shape[-2]
        padded = functional.pad(signals_BSEQTN, (0, 0, 0, padding))
        split = padded.unflatten(-2, (self.side, self.gathered)).transpose(-3, -2)
        if not self.turned:
            return self.mix(stack_channels(split).flatten(1, 2))
        by_edge_BECTN = split.transpose(1, 2).flatten(2, 4)
        return self.mix(turn_to_map(by_edge_BECTN).flatten(1, 2))


class EdgeVNet(nn.Module):
    """A stem that brings signals onto the grid, and a residual V-shaped network behind it."""

    def __init__(self, stem: nn.Module, body: nn.Module) -> None:
        super().__init__()
        self.stem = stem
        self.body = body

    def forward(self, signals_BSEQTN: torch.Tensor) -> torch.Tensor:
        """Return maps (B, Y, X), standardised."""
        features = self.stem(signals_BSEQTN)
        return self.body(features.contiguous(memory_format=torch.channels_last))
