"""Shapes on a ground of islands: rectangles (upright or rotated), discs, Gaussian bumps."""

import abc
import math
from typing import Literal

import numpy as np
import pydantic
from numpy.typing import NDArray

from opalux.solver.densities.family import (
    Count,
    DensityMap,
    Drawn,
    Family,
    Interval,
    Stream,
    cell_centres,
)
from opalux.solver.densities.finish import Finish
from opalux.solver.densities.islands import IslandGround

Coordinates = NDArray[np.float64]


class Shapes(Family):
    """A number of shapes of one kind on a ground of islands.

    Attributes
    ----------
    number : how many shapes
    centre : x and y of each shape's centre, fraction of the domain
    height : density of each shape [g/cm³]
    """

    number: Count = (1, 4)
    centre: Interval = (0.2, 0.8)
    height: Interval = (3.0, 5.0)
    ground: IslandGround = IslandGround()
    finish: Finish = Finish()

    @pydantic.field_validator("number")
    @classmethod
    def _some(cls, number: tuple[int, int]) -> tuple[int, int]:
        if number[1] > 1000:
            raise ValueError(f"found {number[1]}, expected at most 1000 shapes")
        return number

    def draw(self, stream: Stream, shape: tuple[int, int], index: int) -> tuple[DensityMap, Drawn]:
        """See `Family.draw`."""
        rho, facts = self.ground.draw(stream, shape)
        x, y = cell_centres(shape)
        drawn: list[Drawn] = []
        for _ in range(stream.count(self.number)):
            centre = (stream.uniform(self.centre), stream.uniform(self.centre))
            height = stream.uniform(self.height)
            one = self.draw_one(stream)
            self.place(rho, x - centre[0], y - centre[1], height, one)
            drawn.append({"x": centre[0], "y": centre[1], "height": height, **one})
        return self.finish.apply(rho), {"ground": facts, "shapes": drawn}

    @abc.abstractmethod
    def draw_one(self, stream: Stream) -> dict[str, float]:
        """Draw the numbers of one shape beyond its centre and height."""

    @abc.abstractmethod
    def place(
        self,
        rho: DensityMap,
        dx: Coordinates,
        dy: Coordinates,
        height: float,
        one: dict[str, float],
    ) -> None:
        """Put one shape onto ``rho``; ``dx`` (1, nx) and ``dy`` (ny, 1) count from its centre."""


class Rectangles(Shapes):
    """Rectangles; ``angle`` turns them.

    Attributes
    ----------
    side : length of each of the two sides, fraction of the domain
    angle : anticlockwise from the x axis [degrees]
    """

    kind: Literal["rectangles"] = "rectangles"
    side: Interval = (0.1, 0.4)
    angle: Interval = (0.0, 0.0)

    def draw_one(self, stream: Stream) -> dict[str, float]:
        """See `Shapes.draw_one`."""
        width, length = stream.uniform(self.side), stream.uniform(self.side)
        return {"width": width, "length": length, "angle": stream.uniform(self.angle)}

    def place(
        self,
        rho: DensityMap,
        dx: Coordinates,
        dy: Coordinates,
        height: float,
        one: dict[str, float],
    ) -> None:
        """See `Shapes.place`."""
        cos, sin = math.cos(math.radians(one["angle"])), math.sin(math.radians(one["angle"]))
        along, across = cos * dx + sin * dy, cos * dy - sin * dx
        rho[(abs(along) <= one["width"] / 2) & (abs(across) <= one["length"] / 2)] = height


class Discs(Shapes):
    """Discs.

    Attributes
    ----------
    radius : fraction of the domain
    """

    kind: Literal["discs"] = "discs"
    radius: Interval = (0.05, 0.2)

    def draw_one(self, stream: Stream) -> dict[str, float]:
        """See `Shapes.draw_one`."""
        return {"radius": stream.uniform(self.radius)}

    def place(
        self,
        rho: DensityMap,
        dx: Coordinates,
        dy: Coordinates,
        height: float,
        one: dict[str, float],
    ) -> None:
        """See `Shapes.place`."""
        rho[dx * dx + dy * dy <= one["radius"] ** 2] = height


class Bumps(Shapes):
    """Gaussian bumps, added to the ground: ``height`` exp(−r² / (2 ``width``²)).

    Attributes
    ----------
    width : standard deviation, fraction of the domain
    """

    kind: Literal["bumps"] = "bumps"
    width: Interval = (0.04, 0.15)

    def draw_one(self, stream: Stream) -> dict[str, float]:
        """See `Shapes.draw_one`."""
        return {"width": stream.uniform(self.width)}

    def place(
        self,
        rho: DensityMap,
        dx: Coordinates,
        dy: Coordinates,
        height: float,
        one: dict[str, float],
    ) -> None:
        """See `Shapes.place`."""
        rho += height * np.exp(-(dx * dx + dy * dy) / (2.0 * one["width"] ** 2))
