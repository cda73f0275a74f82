"""From signals in physical units to a density in physical units: scaling around a network."""

from typing import NamedTuple

import torch
from torch import nn

from opalux.learning.data.layout import Layout
from opalux.learning.networks.catalogue import ModelSettings
from opalux.learning.networks.objectives.objective import Objective
from opalux.learning.networks.told import NOISE_UNIT, seen_by


class Scaling(NamedTuple):
    """The numbers that signals and answers are scaled by.

    Attributes
    ----------
    signal_mean, signal_std : (sources, edges, quantities) of each channel [unit of the quantity]
    centre, deviation : what is subtracted from the signals and what then divides them, in a shape
        that broadcasts to (sources, edges, quantities, n_times, n_cells)
    offset, unit : of the answer, see `Objective.scale`
    """

    signal_mean: torch.Tensor
    signal_std: torch.Tensor
    centre: torch.Tensor
    deviation: torch.Tensor
    offset: torch.Tensor
    unit: torch.Tensor


class Reconstructor(nn.Module):
    """Standardises the signals, applies the network, undoes the scaling of the answer.

    The scaling is kept with the weights: a trained model needs nothing but signals.

    Parameters
    ----------
    network : takes standardised signals; one that is told what lacks takes the planes of `seen_by`
    layout : of the data
    objective : what the network is trained to give
    told : whether the network is told what lacks, and the noise
    """

    signal_mean: torch.Tensor
    signal_std: torch.Tensor
    centre: torch.Tensor
    spread: torch.Tensor  # the deviation of `Scaling`, under the name that it has in checkpoints
    offset: torch.Tensor
    unit: torch.Tensor
    on_edges: torch.Tensor

    def __init__(
        self, network: nn.Module, layout: Layout, objective: Objective, *, told: bool = False
    ) -> None:
        super().__init__()
        self.network = network
        self.told = told
        self.layout = layout
        self.objective = objective
        on_edges = torch.from_numpy(layout.on_edges)
        self.padded = not bool(on_edges.all())
        self.register_buffer("on_edges", on_edges, persistent=False)
        channels = (*layout.signals_shape[:3], 1, 1)
        self.register_buffer("signal_mean", torch.zeros(channels))
        self.register_buffer("signal_std", torch.ones(channels))
        self.register_buffer("centre", torch.zeros(layout.signals_shape))
        self.register_buffer("spread", torch.ones(layout.signals_shape))
        shape = objective.scale_shape(layout)
        self.register_buffer("offset", torch.zeros(shape))
        self.register_buffer("unit", torch.ones(shape))

    def scale_by(self, scaling: Scaling) -> None:
        """Take over the scaling, rounded to float32."""
        self.signal_mean.copy_(scaling.signal_mean[..., None, None])
        self.signal_std.copy_(scaling.signal_std[..., None, None])
        self.centre.copy_(scaling.centre)
        self.spread.copy_(scaling.deviation)
        self.offset.copy_(scaling.offset)
        self.unit.copy_(scaling.unit)

    def forward(self, signals_BSEQTN: torch.Tensor) -> torch.Tensor:
        """Return densities (B, Y, X) [g/cm³], or what else the network was trained to give.

        A network that is told what lacks takes signals with NaN where nothing was measured, and may
        take the noise in one more plane (`tell_noise`); without it there is none.
        """
        return self.offset + self.unit * self._given(signals_BSEQTN)

    def loss(self, signals_BSEQTN: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return the loss of a batch, in units of the network's output."""
        return self.objective.loss(self._given(signals_BSEQTN), (target - self.offset) / self.unit)

    def _given(self, signals_BSEQTN: torch.Tensor) -> torch.Tensor:
        if not self.told:
            given: torch.Tensor = self.network(
                self._on_edge((signals_BSEQTN - self.centre) / self.spread)
            )
            return given.float()
        count = len(self.layout.quantities)
        measured, noise = signals_BSEQTN[:, :, :, :count], signals_BSEQTN[:, :, :, count:]
        if not noise.shape[3]:
            noise = torch.zeros_like(measured[:, :, :, :1])
        known = ~torch.isnan(measured)
        scaled = torch.where(known, (measured - self.centre) / self.spread, 0.0)
        planes = [scaled, known.to(scaled.dtype), noise / NOISE_UNIT]
        told: torch.Tensor = self.network(self._on_edge(torch.cat(planes, 3)))
        return told.float()

    def _on_edge(self, scaled: torch.Tensor) -> torch.Tensor:
        """Return scaled signals with 0 beyond the end of shorter edges, whatever was added."""
        return torch.where(self.on_edges, scaled, 0.0) if self.padded else scaled


def build(
    settings: ModelSettings, layout: Layout, seed: int, *, told: bool = False
) -> Reconstructor:
    """Return a reconstructor with weights drawn from ``seed``; ``told`` as in its class.

    Raises
    ------
    InputError
        When the model cannot work on data of this layout.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = settings.build(seen_by(layout) if told else layout)
        return Reconstructor(network, layout, settings.objective, told=told)
