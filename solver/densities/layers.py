"""Layered media: parallel layers of constant density with wavy interfaces."""

import math
from typing import Literal

import numpy as np
import pydantic

from opalux.solver.densities.family import (
    Count,
    DensityMap,
    Drawn,
    Family,
    Interval,
    Stream,
    cell_centres,
)


class Layers(Family):
    """Layers across the direction ``angle``, their interfaces bent by a sine.

    Attributes
    ----------
    number : how many layers
    density : of each layer [g/cm³]
    angle : between the x axis and the direction across the layers [degrees]
    waviness : amplitude of the interfaces, fraction of the domain
    waves : full waves along an interface
    """

    kind: Literal["layers"] = "layers"
    number: Count = (2, 6)
    density: Interval = (1.0, 5.0)
    angle: Interval = (0.0, 180.0)
    waviness: Interval = (0.0, 0.08)
    waves: Interval = (0.5, 2.0)

    @pydantic.model_validator(mode="after")
    def _sensible(self) -> "Layers":
        if self.number[0] < 1:
            raise ValueError(f"number: found {self.number[0]}, expected at least 1 layer")
        if self.density[0] <= 0:
            raise ValueError(f"density: found {self.density[0]}, expected more than 0 g/cm³")
        return self

    def draw(self, stream: Stream, shape: tuple[int, int], index: int) -> tuple[DensityMap, Drawn]:
        """See `Family.draw`."""
        number = stream.count(self.number)
        angle = stream.uniform(self.angle)
        amplitude, waves = stream.uniform(self.waviness), stream.uniform(self.waves)
        phase = stream.uniform((0.0, 1.0))
        cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        x, y = (centres - 0.5 for centres in cell_centres(shape))
        along, across = cos * x + sin * y, cos * y - sin * x
        # Half the width of the domain across the layers; the interfaces are spread over all of it.
        half = (abs(cos) + abs(sin)) / 2.0
        interfaces = sorted(stream.uniform((-half, half)) for _ in range(number - 1))
        densities = [stream.uniform(self.density) for _ in range(number)]
        depth = along + amplitude * np.sin(2.0 * np.pi * (waves * across + phase))
        rho = np.asarray(densities)[np.searchsorted(interfaces, depth)]
        return rho, {
            "angle": angle,
            "waviness": amplitude,
            "waves": waves,
            "phase": phase,
            "interfaces": interfaces,
            "densities": densities,
        }
