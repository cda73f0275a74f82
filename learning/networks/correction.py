"""The shape of a second network, which corrects the maps of a first one; see `corrector`."""

from typing import Literal

import pydantic
from torch import nn

from opalux.base.settings import SettingsPath
from opalux.learning.data.layout import Layout
from opalux.learning.networks.edge_vnet import EdgeShape
from opalux.learning.networks.told import seen_by

BESIDE = 6
"""Maps that it is given beside the residual: the corrected map, its slope at two scales, and three
numbers of the whole map."""


class CorrectionSettings(EdgeShape):
    """Shape of a correction, and what it corrects; the rest as of ``edge_vnet``.

    Attributes
    ----------
    of : run (its best.ckpt) or checkpoint whose maps are corrected: a network, or a correction
    draws : parts of the signals and noises that are simulated for each training map
    """

    kind: Literal["correction"] = "correction"
    of: SettingsPath
    draws: int = pydantic.Field(1, ge=1, le=100)

    def build(self, layout: Layout) -> nn.Module:
        """Return a network for residuals of this layout."""
        return self.on(seen_by(layout), self.kind, BESIDE)
