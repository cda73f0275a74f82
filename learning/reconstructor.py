"""From signals in physical units to a density in physical units: scaling around a network."""

import torch
from torch import nn

from learning.dataset_stats import Stats
from learning.errors import InputError
from learning.models.catalogue import ModelSettings
from learning.models.layout import Layout


class Reconstructor(nn.Module):
    """Standardises each (source, edge, quantity), applies the network, undoes the density's scale.

    The statistics are those of the training split. They are kept with the weights, so that a
    trained model needs nothing but signals.

    Parameters
    ----------
    network : takes standardised signals; its ``output`` says in what unit it gives the density
    layout : of the data
    """

    signal_mean: torch.Tensor
    signal_std: torch.Tensor
    offset: torch.Tensor
    unit: torch.Tensor

    def __init__(self, network: nn.Module, layout: Layout) -> None:
        super().__init__()
        self.network = network
        self.layout = layout
        channels = (*layout.signals_shape[:3], 1, 1)
        self.register_buffer("signal_mean", torch.zeros(channels))
        self.register_buffer("signal_std", torch.ones(channels))
        self.register_buffer("offset", torch.zeros(()))
        self.register_buffer("unit", torch.ones(()))

    def scale_by(self, stats: Stats) -> None:
        """Take over the training split's statistics.

        Raises
        ------
        InputError
            When they are not numbers, which means that the data are not.
        """
        mean, std = torch.tensor(stats.signal_mean), torch.tensor(stats.signal_std)
        density = torch.tensor([stats.density_mean, stats.density_std, stats.density_max])
        if mean.shape != self.signal_mean.shape[:3]:
            raise InputError(
                f"statistics of shape {tuple(mean.shape)} (source, edge, quantity), expected "
                f"{tuple(self.signal_mean.shape[:3])}; make the data set's stats.json again"
            )
        if not all(torch.isfinite(x).all() for x in (mean, std, density)):
            raise InputError(
                "found NaN or infinity in the training split's statistics, expected numbers; "
                "check the data set with `opalux dataset check`"
            )
        # A constant channel carries nothing; dividing by 1 leaves it at 0.
        std = torch.where(std > 1e-12 * mean.abs(), std, 1.0)
        self.signal_mean.copy_(mean[..., None, None])
        self.signal_std.copy_(std[..., None, None])
        if self.network.output == "share of the maximum":
            self.offset.fill_(0.0)
            self.unit.fill_(stats.density_max)
        else:
            self.offset.fill_(stats.density_mean)
            self.unit.fill_(stats.density_std or 1.0)

    def forward(self, signals_BSEQTN: torch.Tensor) -> torch.Tensor:
        """Return densities (B, Y, X) [g/cm³] for signals in the data set's units."""
        scaled = (signals_BSEQTN - self.signal_mean) / self.signal_std
        return self.offset + self.unit * self.network(scaled).float()

    def loss(self, signals_BSEQTN: torch.Tensor, density_BYX: torch.Tensor) -> torch.Tensor:
        """Return the mean squared error in units of the network's output."""
        error = (self(signals_BSEQTN) - density_BYX) / self.unit
        return error.square().mean()


def build(settings: ModelSettings, layout: Layout, seed: int) -> Reconstructor:
    """Return a reconstructor with weights drawn from ``seed``.

    Raises
    ------
    InputError
        When the model cannot work on data of this layout.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Reconstructor(settings.build(layout), layout)
