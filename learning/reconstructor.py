"""From signals in physical units to a density in physical units: scaling around a network."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from learning.dataset import DataSet
from learning.errors import InputError
from learning.models.catalogue import ModelSettings
from learning.models.layout import Layout
from learning.objectives import Objective


class Reconstructor(nn.Module):
    """Standardises each (source, edge, quantity), applies the network, undoes the density's scale.

    The statistics are those of the training split. They are kept with the weights, so that a
    trained model needs nothing but signals.

    Parameters
    ----------
    network : takes standardised signals
    layout : of the data
    objective : what the network is trained to give
    """

    signal_mean: torch.Tensor
    signal_std: torch.Tensor
    offset: torch.Tensor
    unit: torch.Tensor

    def __init__(self, network: nn.Module, layout: Layout, objective: Objective) -> None:
        super().__init__()
        self.network = network
        self.layout = layout
        self.objective = objective
        channels = (*layout.signals_shape[:3], 1, 1)
        self.register_buffer("signal_mean", torch.zeros(channels))
        self.register_buffer("signal_std", torch.ones(channels))
        shape = objective.scale_shape(layout)
        self.register_buffer("offset", torch.zeros(shape))
        self.register_buffer("unit", torch.ones(shape))

    def scale_by(self, data: DataSet, positions: NDArray[np.int64]) -> None:
        """Take over the statistics of the training split, whose samples are at ``positions``.

        Raises
        ------
        InputError
            When they are not numbers, which means that the data are not.
        """
        mean, std = torch.tensor(data.stats.signal_mean), torch.tensor(data.stats.signal_std)
        if mean.shape != self.signal_mean.shape[:3]:
            raise InputError(
                f"{data.folder}: statistics of shape {tuple(mean.shape)} (source, edge, quantity), "
                f"expected {tuple(self.signal_mean.shape[:3])}; make stats.json again"
            )
        offset, unit = map(torch.as_tensor, self.objective.scale(data, positions))
        if not all(torch.isfinite(x).all() for x in (mean, std, offset, unit)):
            raise InputError(
                f"{data.folder}: found NaN or infinity in the training split's statistics, "
                "expected numbers; check the data set with `opalux dataset check`"
            )
        # A constant channel carries nothing; dividing by 1 leaves it at 0.
        std = torch.where(std > 1e-12 * mean.abs(), std, 1.0)
        self.signal_mean.copy_(mean[..., None, None])
        self.signal_std.copy_(std[..., None, None])
        self.offset.copy_(offset)
        self.unit.copy_(unit)

    def forward(self, signals_BSEQTN: torch.Tensor) -> torch.Tensor:
        """Return densities (B, Y, X) [g/cm³], or what else the network was trained to give."""
        return self.offset + self.unit * self._given(signals_BSEQTN)

    def loss(self, signals_BSEQTN: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return the loss of a batch, in units of the network's output."""
        return self.objective.loss(self._given(signals_BSEQTN), (target - self.offset) / self.unit)

    def _given(self, signals_BSEQTN: torch.Tensor) -> torch.Tensor:
        scaled = (signals_BSEQTN - self.signal_mean) / self.signal_std
        given: torch.Tensor = self.network(scaled)
        return given.float()


def build(settings: ModelSettings, layout: Layout, seed: int) -> Reconstructor:
    """Return a reconstructor with weights drawn from ``seed``.

    Raises
    ------
    InputError
        When the model cannot work on data of this layout.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Reconstructor(settings.build(layout), layout, settings.objective)
