"""A second network, which corrects the maps of a first one by what the solver says of them.

The first network's map is simulated. What of the signals it leaves unexplained, and the slope of
that misfit at the map (the exact gradient), are what the second network is given beside the map. It
may be corrected in turn: so each network does what a step of a search by gradients does, with a
prior that it has learnt.

Sources: J. Adler, O. Öktem, Solving ill-posed inverse problems using iterative deep neural
networks, Inverse Problems 33 (2017) 124007; trained one after the other: A. Hauptmann et al.,
Model-based learning for accelerated, limited-view 3-D photoacoustic tomography, IEEE Trans. Med.
Imaging 37 (2018) 1382.
"""

import math
from typing import NamedTuple

import torch
from torch import nn

from opalux.learning.data.layout import Layout
from opalux.learning.networks.correction import CorrectionSettings
from opalux.learning.networks.objectives.objective import Objective
from opalux.learning.networks.told import NOISE_UNIT

LEAST_NOISE = 0.005
"""Noise that residuals are measured in at least: smaller ones are errors of the grid."""
MAPS = ("density", "slope")
"""What a correction is given beside the residual: the map [g/cm³], and the slope of the misfit."""


class CorrectionScaling(NamedTuple):
    """The numbers that a correction is scaled by.

    Attributes
    ----------
    residual : (S, E, Q, T, 1) root mean square of the residuals, in deviations of their channel
    slope : (Y, X) usual size of the slope at each distance from the edge
    offset, unit : of the density, see `Objective.scale`
    """

    residual: torch.Tensor
    slope: torch.Tensor
    offset: torch.Tensor
    unit: torch.Tensor


class Corrector(nn.Module):
    """Scales what the solver says of a map, applies the network, and adds what it gives to the map.

    Parameters
    ----------
    network : takes the planes of `seen_by` and the maps beside them
    layout : of the signals
    objective : that of the corrected network
    """

    residual: torch.Tensor
    slope: torch.Tensor
    offset: torch.Tensor
    unit: torch.Tensor
    on_edges: torch.Tensor

    def __init__(self, network: nn.Module, layout: Layout, objective: Objective) -> None:
        super().__init__()
        self.network, self.layout, self.objective = network, layout, objective
        self.register_buffer("on_edges", torch.from_numpy(layout.on_edges), persistent=False)
        self.register_buffer("residual", torch.ones(*layout.signals_shape[:4], 1))
        self.register_buffer("slope", torch.ones(layout.shape))
        shape = objective.scale_shape(layout)
        self.register_buffer("offset", torch.zeros(shape))
        self.register_buffer("unit", torch.ones(shape))

    def scale_by(self, scaling: CorrectionScaling) -> None:
        """Take over the scaling, rounded to float32."""
        for name, values in scaling._asdict().items():
            getattr(self, name).copy_(values)

    def forward(self, residual_BSEQTN: torch.Tensor, maps_BMYX: torch.Tensor) -> torch.Tensor:
        """Return corrected densities (B, Y, X) [g/cm³].

        Parameters
        ----------
        residual_BSEQTN : measured − simulated, in standard deviations of each channel; NaN where
            nothing was measured; one more plane, behind the quantities, tells the noise
        maps_BMYX : of `MAPS`
        """
        return maps_BMYX[:, 0] + self.unit * self._change(residual_BSEQTN, maps_BMYX)

    def loss(
        self, residual_BSEQTN: torch.Tensor, maps_BMYX: torch.Tensor, target: torch.Tensor
    ) -> torch.Tensor:
        """Return the loss of a batch, in units of the objective."""
        given = (maps_BMYX[:, 0] - self.offset) / self.unit
        change = self._change(residual_BSEQTN, maps_BMYX)
        return self.objective.loss(given + change, (target - self.offset) / self.unit)

    def _change(self, residual_BSEQTN: torch.Tensor, maps_BMYX: torch.Tensor) -> torch.Tensor:
        count = len(self.layout.quantities)
        residual, noise = residual_BSEQTN[:, :, :, :count], residual_BSEQTN[:, :, :, count:]
        known = ~torch.isnan(residual) & self.on_edges
        residual = torch.where(known, residual, 0.0)
        # Residuals of wrong maps are a hundred times those of right ones.
        planes = [torch.asinh(residual / self.residual), known.to(residual.dtype)]
        signals = torch.cat([*planes, torch.where(self.on_edges, noise / NOISE_UNIT, 0.0)], 3)

        level = noise[:, 0, 0, 0, 0, 0].clamp_min(LEAST_NOISE)
        number = known.sum((1, 2, 3, 4, 5)).clamp_min(1)
        chi2 = residual.square().sum((1, 2, 3, 4, 5)) / number / level**2
        share = number / self.on_edges.expand(self.layout.signals_shape).sum()
        numbers = torch.stack([(level / 0.01).log(), chi2.clamp_min(1e-3).log10(), share], 1)
        density, slope = maps_BMYX[:, :1], maps_BMYX[:, 1:] / self.slope
        beside = torch.cat(
            [
                (density - self.offset) / self.unit,
                torch.asinh(3 * slope),
                torch.asinh(0.1 * slope),
                numbers[:, :, None, None].expand(-1, -1, *self.layout.shape),
            ],
            1,
        )
        change: torch.Tensor = self.network(signals, beside)
        return change.float()


def build_corrector(settings: CorrectionSettings, layout: Layout, seed: int) -> Corrector:
    """Return a correction that changes nothing yet, with weights drawn from ``seed``.

    Raises
    ------
    InputError
        When it cannot work on data of this layout.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = settings.build(layout)
    leave = network.body.leave  # type: ignore[union-attr]
    nn.init.zeros_(leave.weight)  # type: ignore[union-attr, arg-type]
    nn.init.zeros_(leave.bias)  # type: ignore[union-attr, arg-type]
    return Corrector(network, layout, settings.objective)


def steepness(slopes: torch.Tensor, depth: torch.Tensor) -> torch.Tensor:
    """Return the usual size (Y, X) of slopes (n, Y, X) at each distance ``depth`` from the edge."""
    sizes = torch.ones(depth.shape)
    for d in range(int(depth.max()) + 1):
        there = slopes[:, depth == d].abs()
        median = float(there[there > 0].median()) if (there > 0).any() else 1.0
        sizes[depth == d] = median if math.isfinite(median) and median > 0 else 1.0
    return sizes
