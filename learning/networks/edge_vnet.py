"""A residual V-Net that first maps the signals of each edge onto the cells behind that edge.

A signal at a cell of an edge depends on the column of cells behind it; later times correspond to
greater depth. A linear map from (source, quantity, time) to (channel, depth), learned and shared by
the four edges and all cells, turns the signals into features on the grid (``stem: columns``). It is
shared because a rotation of the square takes one edge to another: the sources of each edge are put
in the order same edge, opposite edge, side of low and side of high coordinate. On a rectangle the
edges along x share one map and those along y another.

With ``courses`` the signal of each source and quantity is first written by so many learned
functions of time, which all edges share; most of the work and of the weights of the stem go.

The two other stems keep the time axis (``turned``: the image of each edge is turned to lie as the
edge does; ``stacked``: all images lie alike, as in the published network). They serve for
comparison.

With ``patch: 2`` the network works on squares of 2×2 cells and gives all four densities of each
square, which costs a quarter. Maps that were smoothed over three cells lose almost nothing.
"""

from typing import Literal, Self

import pydantic
import torch
from torch import nn
from torch.nn import functional

from opalux.base.axes import EDGES, along
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


class EdgeShape(ResidualUNetSettings):
    """Shape of a network on edge signals, besides that of its `ResidualUNet`.

    Attributes
    ----------
    stem : how signals come onto the grid, see the module's description
    features : channels that the stem gives
    patch : side of the squares of cells that the V-Net sees as one (only with ``columns``)
    courses : learned functions of time that the signals are written by (only with ``columns``);
        null: all times are taken
    """

    stem: Literal["columns", "turned", "stacked"] = "columns"
    features: int = pydantic.Field(24, ge=1, le=512)
    patch: int = pydantic.Field(1, ge=1, le=8)
    courses: int | None = pydantic.Field(None, ge=1, le=256)

    @pydantic.model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.stem != "columns":
            if self.patch > 1:
                raise ValueError(
                    f"patch: found {self.patch} with stem: {self.stem}, expected 1; only "
                    "stem: columns knows patches"
                )
            if self.courses is not None:
                raise ValueError(
                    f"courses: found {self.courses} with stem: {self.stem}, expected none; only "
                    "stem: columns knows them"
                )
        return self

    def on(self, layout: Layout, kind: str, beside: int = 0) -> "EdgeVNet":
        """Return a network for data of this layout.

        Parameters
        ----------
        layout : of what it is given
        kind : of the model, for messages
        beside : maps that it is given beside the signals

        Raises
        ------
        InputError
            When the layout is none that it can work on.
        """
        if self.stem != "columns":
            layout.require_square(f"{kind} with stem: {self.stem}")
        for cells in layout.shape:
            if cells % self.patch:
                raise InputError(
                    f"model {kind}: a side of {cells} cells is no multiple of model.patch = "
                    f"{self.patch}; choose another"
                )
        side = min(layout.shape) // self.patch
        if side < 2 ** (self.levels - 1):
            raise InputError(
                f"model {kind}: a side of {side} patches cannot be halved {self.levels - 1} "
                "times; choose fewer model.levels"
            )
        if self.stem != "stacked" and layout.edges != EDGES:
            raise InputError(f"model {kind}: found edges {layout.edges}, expected {EDGES}")
        stem: nn.Module
        if self.stem == "columns":
            if layout.sources != EDGES:
                raise InputError(
                    f"model {kind}: found sources {layout.sources}, expected one on the whole "
                    f"of each edge {EDGES}; choose model.stem=turned"
                )
            stem = Columns(layout, self.features, self.patch, self.courses)
        else:
            stem = Images(layout, self.features, turned=self.stem == "turned")
        squares = self.patch**2
        body = ResidualUNet(self.features + beside * squares, self, squares)
        return EdgeVNet(stem, body, self.patch)


class EdgeVNetSettings(EdgeShape):
    """See `EdgeShape`."""

    kind: Literal["edge_vnet"] = "edge_vnet"

    def build(self, layout: Layout) -> nn.Module:
        """Return a network for data of this layout."""
        return self.on(layout, self.kind)


class Columns(nn.Module):
    """Learned map from time to depth, column by column, shared by the edges that are alike."""

    seen: torch.Tensor

    def __init__(
        self, layout: Layout, features: int, patch: int = 1, courses: int | None = None
    ) -> None:
        super().__init__()
        ny, nx = layout.shape
        self.features, self.patch = features, patch
        self.cells = [layout.cells_on(edge) for edge in EDGES]
        self.depths = [(ny if along(edge) == "x" else nx) // patch for edge in EDGES]
        self.courses: nn.Parameter | None = None
        numbers = layout.per_edge * layout.n_times
        if courses is not None:
            numbers = layout.per_edge * courses
            shape = layout.per_edge, layout.n_times, courses
            self.courses = nn.Parameter(torch.randn(shape) / layout.n_times**0.5)
        self.carry = nn.Linear(numbers * patch, features * self.depths[0])
        self.carry_along_y: nn.Linear | None = None
        if not layout.is_square:
            self.carry_along_y = nn.Linear(numbers * patch, features * self.depths[-1])
        order = [[EDGES.index(s) for s in SOURCES_SEEN_FROM[edge]] for edge in EDGES]
        self.register_buffer("seen", torch.tensor(order), persistent=False)

    def forward(self, signals_BSEQTN: torch.Tensor) -> torch.Tensor:
        """Return features (B, C, Y, X), one place a patch."""
        carried = []
        for edge, name in enumerate(EDGES):
            signals_BKTN = signals_BSEQTN[:, self.seen[edge], edge, ..., : self.cells[edge]]
            columns_BNK = self._columns(signals_BKTN.flatten(1, 2))
            carry = self.carry
            if self.carry_along_y is not None and along(name) == "y":
                carry = self.carry_along_y
            images_BNCD = carry(columns_BNK).unflatten(-1, (self.features, self.depths[edge]))
            carried.append(images_BNCD.permute(0, 2, 3, 1))
        # Four terms of equal size: halving keeps the variance.
        return 0.5 * turn_to_map(carried).sum(1)

    def _columns(self, signals_BKTN: torch.Tensor) -> torch.Tensor:
        """Return what is known of each patch of cells (B, N / patch, numbers)."""
        if self.courses is not None:
            signals_BKTN = torch.einsum("bktn,ktc->bkcn", signals_BKTN, self.courses)
        columns_BNK = signals_BKTN.flatten(1, 2).transpose(-1, -2)
        if self.patch > 1:  # the cells of a patch are one input
            columns_BNK = columns_BNK.unflatten(1, (-1, self.patch)).flatten(-2)
        return columns_BNK


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
        return self.mix(turn_to_map(by_edge_BECTN.unbind(1)).flatten(1, 2))


class EdgeVNet(nn.Module):
    """A stem that brings signals onto the grid, and a residual V-shaped network behind it."""

    def __init__(self, stem: nn.Module, body: nn.Module, patch: int = 1) -> None:
        super().__init__()
        self.stem = stem
        self.body = body
        self.patch = patch

    def forward(
        self, signals_BSEQTN: torch.Tensor, beside_BMYX: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return maps (B, Y, X), standardised, from signals and the maps beside them."""
        features = self.stem(signals_BSEQTN)
        if beside_BMYX is not None:
            beside = functional.pixel_unshuffle(beside_BMYX, self.patch)
            features = torch.cat([features, beside.to(features.dtype)], 1)
        maps = self.body(features.contiguous(memory_format=torch.channels_last))
        return functional.pixel_shuffle(maps, self.patch)[:, 0]
