"""One niche in a uniform background: the maps on which the two earlier networks were trained."""

from typing import Literal

import pydantic

from opalux.solver.densities.family import DensityMap, Drawn, Family, Interval, Stream
from opalux.solver.grid import Grid
from opalux.solver.media import NicheDensity


class Niche(Family):
    """The published niche (see `solver.media.NicheDensity`) with random centre and height.

    Attributes
    ----------
    centre : of each of the two coordinates, fraction of the domain
    height : density inside [g/cm³]
    background : density outside [g/cm³]
    """

    kind: Literal["niche"] = "niche"
    centre: Interval = (0.2, 0.8)
    height: Interval = (0.1, 10.0)
    background: float = pydantic.Field(0.1, gt=0)

    @pydantic.model_validator(mode="after")
    def _sensible(self) -> "Niche":
        if self.height[0] <= 0:
            raise ValueError(f"height: found {self.height[0]}, expected more than 0 g/cm³")
        if self.centre[0] < 0 or self.centre[1] > 1:
            raise ValueError(f"centre: found {list(self.centre)}, expected fractions in [0, 1]")
        return self

    def draw(self, stream: Stream, shape: tuple[int, int], index: int) -> tuple[DensityMap, Drawn]:
        """See `Family.draw`."""
        x, y = stream.uniform(self.centre), stream.uniform(self.centre)
        height = stream.uniform(self.height)
        ny, nx = shape
        disc = NicheDensity(kind="niche", x=x, y=y, low=self.background, high=height)
        rho = disc.on(Grid(nx=nx, ny=ny).whole)[1:-1, 1:-1]
        return rho, {"x": x, "y": y, "height": height}
