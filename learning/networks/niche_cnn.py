"""The two earlier networks, which look for one niche: its place and height, or its bearing.

Convolutions over time × position with one image per source, edge and quantity, then two dense
layers. Max pooling loses the place of the niche, which is what is asked for; strides keep it.
"""

from typing import Literal

import pydantic
import torch
from torch import nn

from opalux.base.axes import Edge
from opalux.base.errors import InputError
from opalux.base.settings import Settings
from opalux.learning.data.layout import Layout
from opalux.learning.networks.images import stack_channels
from opalux.learning.networks.objectives.niche import NicheInFront, NichePlace
from opalux.learning.networks.objectives.objective import Objective


class NicheCNNSettings(Settings):
    """Shape of the network.

    Attributes
    ----------
    gives : place: x, y and height of the niche; in_front: for each source, whether the niche lies
        in front of it
    pooling : max pooling behind each convolution, instead of strides in time
    kernel : (times, cells)
    channels : of each convolution
    hidden : width of the dense layer
    dropout : in front of it
    left_out : edges whose signals the network is not shown
    """

    kind: Literal["niche_cnn"] = "niche_cnn"
    gives: Literal["place", "in_front"] = "place"
    pooling: bool = False
    kernel: tuple[int, int] = (6, 2)
    channels: tuple[int, ...] = pydantic.Field((32, 32, 32), min_length=1)
    hidden: int = pydantic.Field(128, ge=1)
    dropout: float = pydantic.Field(0.0, ge=0, lt=1)
    left_out: tuple[Edge, ...] = ()

    @property
    def objective(self) -> Objective:
        """What the network is trained to give."""
        return NichePlace() if self.gives == "place" else NicheInFront()

    def build(self, layout: Layout) -> nn.Module:
        """Return a network for data of this layout."""
        shown = [layout.edges.index(edge) for edge in layout.edges if edge not in self.left_out]
        if not shown:
            raise InputError("model.left_out: found all edges; leave the network some signals")
        outputs = 3 if self.gives == "place" else len(layout.sources)
        return NicheCNN(layout, shown, outputs, self)


class NicheCNN(nn.Module):
    """See the module's description."""

    def __init__(
        self, layout: Layout, shown: list[int], outputs: int, settings: NicheCNNSettings
    ) -> None:
        super().__init__()
        self.shown = shown
        channels = layout.n_channels // len(layout.edges) * len(shown)
        size = (layout.n_times, layout.n_cells)
        layers: list[nn.Module] = []
        for width in settings.channels:
            stride = (1, 1) if settings.pooling else (2, 1)
            layers += [
                nn.Conv2d(channels, width, settings.kernel, stride=stride),
                nn.BatchNorm2d(width),
                nn.ReLU(inplace=True),
            ]
            size = tuple(  # type: ignore[assignment]
                (n - k) // s + 1 for n, k, s in zip(size, settings.kernel, stride, strict=True)
            )
            if settings.pooling:
                layers.append(nn.MaxPool2d(2))
                size = (size[0] // 2, size[1] // 2)
            if min(size) < 1:
                raise InputError(
                    f"model niche_cnn: {layout.n_times} times on {layout.n_cells} cells are used "
                    f"up by {len(settings.channels)} convolutions; choose fewer model.channels"
                )
            channels = width
        self.convolutions = nn.Sequential(*layers)
        self.dense = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(settings.dropout),
            nn.Linear(channels * size[0] * size[1], settings.hidden),
            nn.ReLU(inplace=True),
            nn.Linear(settings.hidden, outputs),
        )

    def forward(self, signals_BSEQTN: torch.Tensor) -> torch.Tensor:
        """Return the numbers (B, outputs), standardised; or logits."""
        images_BCTN = stack_channels(signals_BSEQTN[:, :, self.shown])
        return self.dense(self.convolutions(images_BCTN))
