"""All families, and the choice among the weighted families of a campaign."""

from collections.abc import Sequence
from typing import Annotated

import pydantic

from solver.families.family import Family, Stream
from solver.families.files import Files
from solver.families.islands import Islands
from solver.families.layers import Layers
from solver.families.niche import Niche
from solver.families.shapes import Bumps, Discs, Rectangles

AnyFamily = Annotated[
    Islands | Rectangles | Discs | Bumps | Niche | Layers | Files,
    pydantic.Field(discriminator="kind"),
]
"""One family of a configuration, told apart by ``kind``."""


def choose(families: Sequence[Family], stream: Stream) -> Family:
    """Draw one of ``families``, each as often as its weight says."""
    left = stream.uniform((0.0, sum(family.weight for family in families)))
    for family in families:
        left -= family.weight
        if left < 0:
            return family
    return families[-1]
