"""All models by name: what the key ``model`` of a training configuration may be."""

from typing import Annotated

import pydantic

from learning.models.edge_vnet import EdgeVNetSettings
from learning.models.fcunet import FCUNetSettings
from learning.models.niche_cnn import NicheCNNSettings
from learning.models.vnet import VNetSettings

ModelSettings = Annotated[
    VNetSettings | EdgeVNetSettings | FCUNetSettings | NicheCNNSettings,
    pydantic.Field(discriminator="kind"),
]
