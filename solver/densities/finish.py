"""The last steps of the published densities: maximum, floor, border, smoothing."""

import numpy as np
import pydantic

from opalux.base.settings import Settings
from opalux.solver.densities.family import DensityMap


class Finish(Settings):
    """Bring a raw density map into the published range and shape.

    Attributes
    ----------
    maximum : largest density [g/cm³]; a map that exceeds it is scaled down as a whole
    stretch : scale every map to ``maximum``, also those that stay below it
    floor : smallest density [g/cm³]; smaller values are set to it
    border : width of the frame at ``floor`` along the four edges, fraction of the domain
    smoothing : passes of a 3×3 mean
    """

    maximum: float = pydantic.Field(5.0, gt=0)
    stretch: bool = False
    floor: float = pydantic.Field(1.0, gt=0)
    border: float = pydantic.Field(0.125, ge=0, lt=0.5)
    smoothing: int = pydantic.Field(3, ge=0, le=100)

    @pydantic.model_validator(mode="after")
    def _ordered(self) -> "Finish":
        if self.floor > self.maximum:
            raise ValueError(f"floor {self.floor} is above maximum {self.maximum}")
        return self

    def apply(self, raw: DensityMap) -> DensityMap:
        """Return the finished copy of the density ``raw`` (ny, nx)."""
        rho = raw.copy()
        if self.stretch or rho.max() > self.maximum:
            rho *= self.maximum / rho.max()
        np.clip(rho, self.floor, self.maximum, out=rho)
        ny, nx = rho.shape
        rows, columns = round(self.border * ny), round(self.border * nx)
        inside = np.zeros(rho.shape, dtype=bool)
        inside[rows : ny - rows, columns : nx - columns] = True
        rho[~inside] = self.floor
        for _ in range(self.smoothing):
            rho = mean_3x3(rho)
        return rho


def mean_3x3(rho: DensityMap) -> DensityMap:
    """Return the mean over each cell and its eight neighbours; cells outside repeat the edge."""
    padded = np.pad(rho, 1, mode="edge")
    rows = (padded[:-2] + padded[2:]) + padded[1:-1]
    return ((rows[:, :-2] + rows[:, 2:]) + rows[:, 1:-1]) / 9.0
