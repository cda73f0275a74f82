"""From signals in physical units to a density in physical units: scaling around a network."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from opalux.base.errors import InputError
from opalux.learning.data.data_set import DataSet
from opalux.learning.data.layout import Layout
from opalux.learning.data.resampler import Resampler
from opalux.learning.networks.catalogue import ModelSettings
from opalux.learning.networks.objectives import Objective
from opalux.learning.training.loader import DataSettings

STATISTICS_SAMPLES = 512
"""Training samples that the statistics of each time, or of each time and cell, are taken from."""


class Reconstructor(nn.Module):
    """Standardises the signals, applies the network, undoes the density's scale.

    The statistics are those of the training split, for each (source, edge, quantity) and, if
    wanted, time and cell. They are kept with the weights: a trained model needs nothing but
    signals.

    Parameters
    ----------
    network : takes standardised signals
    layout : of the data
    objective : what the network is trained to give
    """

    signal_mean: torch.Tensor
    signal_std: torch.Tensor
    centre: torch.Tensor
    spread: torch.Tensor
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
        self.register_buffer("centre", torch.zeros(layout.signals_shape))
        self.register_buffer("spread", torch.ones(layout.signals_shape))
        shape = objective.scale_shape(layout)
        self.register_buffer("offset", torch.zeros(shape))
        self.register_buffer("unit", torch.ones(shape))

    def scale_by(
        self,
        data: DataSet,
        positions: NDArray[np.int64],
        settings: DataSettings,
        times: NDArray[np.float64],
    ) -> None:
        """Take over the statistics of the training split, whose samples are at ``positions``.

        Parameters
        ----------
        data, positions : the training samples
        settings : say what is standardised by itself
        times : (n_times,) that the network takes [sh]

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
        self.centre.copy_(self.signal_mean)
        self.spread.copy_(self.signal_std)
        if settings.standardise != "channel":
            centre, variance = _statistics(data, positions[:STATISTICS_SAMPLES], times)
            if settings.standardise == "time":
                each, centre = centre, centre.mean(-1, keepdims=True)
                variance = (variance + (each - centre) ** 2).mean(-1, keepdims=True)
            self.centre.copy_(torch.tensor(centre))
            least = settings.floor * self.signal_std
            self.spread.copy_(torch.maximum(torch.tensor(variance).sqrt(), least))
        self.offset.copy_(offset)
        self.unit.copy_(unit)

    def forward(self, signals_BSEQTN: torch.Tensor) -> torch.Tensor:
        """Return densities (B, Y, X) [g/cm³], or what else the network was trained to give."""
        return self.offset + self.unit * self._given(signals_BSEQTN)

    def loss(self, signals_BSEQTN: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return the loss of a batch, in units of the network's output."""
        return self.objective.loss(self._given(signals_BSEQTN), (target - self.offset) / self.unit)

    def _given(self, signals_BSEQTN: torch.Tensor) -> torch.Tensor:
        scaled = (signals_BSEQTN - self.centre) / self.spread
        given: torch.Tensor = self.network(scaled)
        return given.float()


def _statistics(
    data: DataSet, positions: NDArray[np.int64], times: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and variance over samples of the signals at each time and cell."""
    resampler = Resampler(data.times, times)
    first = resampler(data.signals(int(positions[0]))).astype(np.float64)
    total, squares = np.zeros_like(first), np.zeros_like(first)
    for position in positions:
        # Deviations from one sample: in squares of the signals themselves small ones would drown.
        deviation = resampler(data.signals(int(position))) - first
        total += deviation
        squares += deviation**2
    mean = total / len(positions)
    return first + mean, np.maximum(squares / len(positions) - mean**2, 0.0)


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
