"""Gaussian random fields of any roughness and direction, smooth or cut into levels."""

import math
from typing import Literal

import numpy as np
import pydantic
from numpy.typing import NDArray
from scipy import special

from opalux.solver.densities.family import (
    Count,
    DensityMap,
    Drawn,
    Family,
    Interval,
    Stream,
    cell_centres,
)

WAVES = 128
"""Plane waves whose sum makes a field: enough for values that are normal to a few per cent."""


class RandomField(Family):
    """A Gaussian random field with Matérn's spectrum, brought to the range of densities.

    A broad prior: with the defaults it draws smooth hills and rough ground, stripes in any
    direction, and media of a few sharp levels. Equal shares of the plane have equal shares of the
    range of log ρ.

    Attributes
    ----------
    correlation : length ℓ over which the field is correlated, fraction of the domain
    smoothness : ν of Matérn's covariance: 0.5 is rough (exponential), above 3 nearly Gaussian
    stretch : how many times longer the correlation is along ``angle`` than across it
    angle : of the longer correlation, anticlockwise from the x axis [degrees]
    levels : cut the field into so many sharp levels of equal area, each with a density of its own;
        0 and 1 leave it smooth
    low : smallest density [g/cm³]
    high : largest density [g/cm³]
    finest : shortest wave in the field, fraction of the domain; a grid needs two cells for it

    References
    ----------
    A. Rahimi and B. Recht, "Random Features for Large-Scale Kernel Machines", 2007: a stationary
    field as a sum of waves drawn from its spectrum.
    """

    kind: Literal["random_field"] = "random_field"
    correlation: Interval = (0.05, 0.4)
    smoothness: Interval = (0.5, 4.0)
    stretch: Interval = (1.0, 6.0)
    angle: Interval = (0.0, 180.0)
    levels: Count = (0, 5)
    low: Interval = (0.5, 1.5)
    high: Interval = (2.0, 6.0)
    finest: float = pydantic.Field(1 / 16, gt=0, le=1)

    @pydantic.model_validator(mode="after")
    def _sensible(self) -> "RandomField":
        for name, least in (("correlation", 0.0), ("smoothness", 0.0), ("low", 0.0)):
            if getattr(self, name)[0] <= least:
                found = getattr(self, name)[0]
                raise ValueError(f"{name}: found {found}, expected more than {least:g}")
        if self.stretch[0] < 1:
            raise ValueError(f"stretch: found {self.stretch[0]}, expected at least 1")
        if self.levels[1] > 100:
            raise ValueError(f"levels: found {self.levels[1]}, expected at most 100")
        if self.low[1] > self.high[0]:
            raise ValueError(
                f"low and high overlap: found {list(self.low)} and {list(self.high)}, "
                "expected every low below every high"
            )
        return self

    def draw(self, stream: Stream, shape: tuple[int, int], index: int) -> tuple[DensityMap, Drawn]:
        """See `Family.draw`."""
        facts: Drawn = {
            name: stream.uniform(getattr(self, name))
            for name in ("correlation", "smoothness", "stretch", "angle", "low", "high")
        }
        levels = stream.count(self.levels)
        share = special.ndtr(self._field(stream, shape, facts))
        contrast = facts["high"] / facts["low"]
        if levels < 2:
            return facts["low"] * contrast**share, facts
        densities = [facts["low"] * contrast ** stream.uniform((0.0, 1.0)) for _ in range(levels)]
        band = np.minimum((share * levels).astype(int), levels - 1)
        return np.asarray(densities)[band], {**facts, "densities": densities}

    def _field(self, stream: Stream, shape: tuple[int, int], facts: Drawn) -> NDArray[np.float64]:
        """Draw the field (ny, nx), of mean 0 and variance 1.

        In two dimensions the wave numbers of Matérn's covariance have the distribution
        P(|k| < κ) = 1 − (1 + κ²ℓ²/2ν)^−ν, which is inverted by hand.
        """
        nu, scale = facts["smoothness"], math.sqrt(2.0 * facts["smoothness"]) / facts["correlation"]
        longest_number = 2.0 * math.pi / self.finest
        kept = 1.0 - (1.0 + (longest_number / scale) ** 2) ** -nu
        cos, sin = math.cos(math.radians(facts["angle"])), math.sin(math.radians(facts["angle"]))
        x, y = cell_centres(shape)
        field = np.zeros(shape)
        for _ in range(WAVES):
            size = scale * math.sqrt((1.0 - stream.uniform((0.0, kept))) ** (-1.0 / nu) - 1.0)
            direction = stream.uniform((0.0, 2.0 * math.pi))
            phase = stream.uniform((0.0, 2.0 * math.pi))
            along = size * math.cos(direction) / facts["stretch"]
            across = size * math.sin(direction)
            in_x = (cos * along - sin * across) * x
            in_y = (sin * along + cos * across) * y + phase
            field += np.cos(in_y) * np.cos(in_x) - np.sin(in_y) * np.sin(in_x)
        return field * math.sqrt(2.0 / WAVES)
