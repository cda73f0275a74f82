"""All families, and the choice among the weighted families of a campaign."""

from collections.abc import Sequence
from typing import Annotated, get_args

import pydantic

from opalux.solver.densities.family import Family, Stream
from opalux.solver.densities.files import Files
from opalux.solver.densities.islands import Islands
from opalux.solver.densities.layers import Layers
from opalux.solver.densities.niche import Niche
from opalux.solver.densities.random_field import RandomField
from opalux.solver.densities.shapes import Bumps, Discs, Rectangles
from opalux.solver.densities.user import UserFamily

AnyFamily = Annotated[
    Islands | Rectangles | Discs | Bumps | Niche | Layers | RandomField | Files | UserFamily,
    pydantic.Field(discriminator="kind"),
]
"""One family of a configuration; ``kind`` says which."""

FAMILIES: tuple[type[Family], ...] = get_args(get_args(AnyFamily)[0])
"""All of them. A new family is a file of its own and a name in the union above."""


def choose(families: Sequence[Family], stream: Stream) -> Family:
    """Draw one of ``families``, each as often as its weight says."""
    left = stream.uniform((0.0, sum(family.weight for family in families)))
    for family in families:
        left -= family.weight
        if left < 0:
            return family
    return families[-1]
