"""Islands: a product of two sines in deformed coordinates; the ground of the published maps."""

from typing import Literal

import numpy as np

from opalux.base.settings import Settings
from opalux.solver.densities.family import (
    DensityMap,
    Drawn,
    Family,
    Interval,
    Stream,
    cell_centres,
)
from opalux.solver.densities.finish import Finish


class IslandGround(Settings):
    """Smooth hills and basins.

        ρ = low + (high − low) (1 + sin(π ν₀ a′) sin(π ν₁ b′)) / 2
        a′ = x + δ₀ sin(π (y + φ₀)),   b′ = y + δ₁ sin(π (x + φ₁))

    with ν₀, ν₁ from ``frequency``, δ₀, δ₁ from ``deformation`` and the phases φ uniform in [0, 2).

    Attributes
    ----------
    frequency : half waves across the domain
    deformation : amplitude of the bending of the coordinates, fraction of the domain
    range : low and high of the densities [g/cm³]
    """

    frequency: Interval = (1.0, 4.0)
    deformation: Interval = (0.08, 0.6)
    range: Interval = (1.0, 3.0)

    def draw(self, stream: Stream, shape: tuple[int, int]) -> tuple[DensityMap, Drawn]:
        """Draw the ground (ny, nx) [g/cm³] and its numbers."""
        nu = [stream.uniform(self.frequency) for _ in range(2)]
        delta = [stream.uniform(self.deformation) for _ in range(2)]
        phi = [stream.uniform((0.0, 2.0)) for _ in range(2)]
        x, y = cell_centres(shape)
        a = x + delta[0] * np.sin(np.pi * (y + phi[0]))
        b = y + delta[1] * np.sin(np.pi * (x + phi[1]))
        wave = np.sin(np.pi * nu[0] * a) * np.sin(np.pi * nu[1] * b)
        low, high = self.range
        rho = low + (high - low) * (1.0 + wave) / 2.0
        return rho, {"frequency": nu, "deformation": delta, "phase": phi}


class Islands(Family):
    """The ground alone, finished as published."""

    kind: Literal["islands"] = "islands"
    ground: IslandGround = IslandGround()
    finish: Finish = Finish()

    def draw(self, stream: Stream, shape: tuple[int, int], index: int) -> tuple[DensityMap, Drawn]:
        """See `Family.draw`."""
        rho, facts = self.ground.draw(stream, shape)
        return self.finish.apply(rho), facts
