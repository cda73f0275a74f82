"""A residual V-Net that first maps the signals of each edge onto the cells behind that edge.

A signal at a cell of an edge depends on the column of cells behind it; later times correspond to
greater depth. A linear map from (source, quantity, time) to (channel, depth), learned and shared by
the four edges and all cells, turns the signals into features on the grid (``stem: columns``). It is
shared because a rotation of the square takes one edge to another: the sources of each edge are put
in the order same edge, opposite edge, side of low and side of high coordinate.

The two other stems keep the time axis (``turned``: the image of each edge is turned to lie as the
edge does; ``stacked``: all images lie alike, as in the published network). They serve for
comparison.

With ``patch: 2`` the network works on squares of 2×2 cells and gives all four densities of each
square, which costs a quarter. Maps that were smoothed over three cells lose almost nothing.
"""

from typing import Literal

import pydantic
import torch
from torch import nn
from torch.nn import functional

from opalux.base.axes import EDGES
from opalux.base.errors import InputError
from opalux.learning.data.layout import Layout
from opalux.learning.networks.blocks import ResidualUNet, ResidualUNetSettings
from opalux.learning.networks.images import stack_channels, turn_to_map

# For each edge, the positions of the sources in the order same, opposite, low side, high side.
SOURCES_SEEN_FROM = {
    "up": ("up", "down", "left", "right"),
    "down": ("down", "up", "left", "right"),
    "left": ("left", "right", "down", "up"),
    "right": ("right", "left", "down", "up"),
}


class EdgeVNetSettings(ResidualUNetSettings):
    """Shape of the network, besides that of its `ResidualUNet`.

    Attributes
    ----------
    stem : how signals come onto the grid, see the module's description
    features : channels that the stem gives
    patch : side of the squares of cells that the V-Net sees as one (only with ``columns``)
    """

    kind: Literal["edge_vnet"] = "edge_vnet"
    stem: Literal["columns", "turned", "stacked"] = "columns"
    features: int = pydantic.Field(24, ge=1, le=512)
    patch: int = pydantic.Field(1, ge=1, le=8)

    def build(self, layout: Layout) -> nn.Module:
        """Return a network for data of this layout."""
        side, left_over = divmod(layout.require_square(self.kind), self.patch)
        if left_over:
            raise InputError(
                f"model edge_vnet: a side of {layout.n_cells} cells is no multiple of model.patch "
                f"= {self.patch}; choose another"
            )
        if self.patch > 1 and self.stem != "columns":
            raise InputError(
                f"model.patch: found {self.patch} with model.stem={self.stem}, expected 1; "
                "only model.stem=columns knows patches"
            )
        if side < 2 ** (self.levels - 1):
            raise InputError(
                f"model edge_vnet: a side of {side} patches cannot be halved {self.levels - 1} "
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
            stem = Columns(layout, self.features, self.patch)
        else:
            stem = Images(layout, self.features, turned=self.stem == "turned")
        return EdgeVNet(stem, ResidualUNet(self.features, self, self.patch**2), self.patch)


class Columns(nn.Module):
    """Learned map from time to depth, column by column, shared by the edges."""

    seen: torch.Tensor

    def __init__(self, layout: Layout, features: int, patch: int = 1) -> None:
        super().__init__()
        self.depth = layout.shape[0] // patch
        self.features, self.patch = features, patch
        self.carry = nn.Linear(layout.per_edge * layout.n_times * patch, features * self.depth)
        order = [[EDGES.index(s) for s in SOURCES_SEEN_FROM[edge]] for edge in EDGES]
        self.register_buffer("seen", torch.tensor(order), persistent=False)

    def forward(self, signals_BSEQTN: torch.Tensor) -> torch.Tensor:
        """Return features (B, C, Y, X), one place a patch."""
        edges = [
            signals_BSEQTN[:, order, edge].flatten(1, 3)  # (B, S·Q·T, N)
            for edge, order in enumerate(self.seen)
        ]
        columns_BENK = torch.stack(edges, 1).transpose(-1, -2)
        if self.patch > 1:  # the cells of a patch are one input
            columns_BENK = columns_BENK.unflatten(2, (-1, self.patch)).flatten(-2)
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

    def __init__(self, stem: nn.Module, body: nn.Module, patch: int = 1) -> None:
        super().__init__()
        self.stem = stem
        self.body = body
        self.patch = patch

    def forward(self, signals_BSEQTN: torch.Tensor) -> torch.Tensor:
        """Return maps (B, Y, X), standardised."""
        features = self.stem(signals_BSEQTN)
        maps = self.body(features.contiguous(memory_format=torch.channels_last))
        return functional.pixel_shuffle(maps, self.patch)[:, 0]
