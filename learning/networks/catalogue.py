"""All models by name: what the key ``model`` of a training configuration may be."""

from typing import Annotated

import pydantic

from opalux.learning.networks.correction import CorrectionSettings
from opalux.learning.networks.edge_vnet import EdgeVNetSettings
from opalux.learning.networks.fcunet import FCUNetSettings
from opalux.learning.networks.niche_cnn import NicheCNNSettings
from opalux.learning.networks.vnet import VNetSettings

ModelSettings = Annotated[
    VNetSettings | EdgeVNetSettings | FCUNetSettings | NicheCNNSettings | CorrectionSettings,
    pydantic.Field(discriminator="kind"),
]
