"""What all families of random densities share: settings, and a pure function of a random stream."""

import abc
from typing import Annotated, Any

import numpy as np
import pydantic
from numpy.typing import NDArray

from opalux.base.settings import Settings

DensityMap = NDArray[np.float64]
"""(ny, nx) [g/cm³], row 0 = bottom."""

Drawn = dict[str, Any]
"""The numbers that were drawn for a map: names to numbers or lists, ready for JSON."""


def _as_interval(value: Any) -> Any:
    return (value, value) if isinstance(value, int | float) else value


def _in_order(value: tuple[float, float]) -> tuple[float, float]:
    if value[0] > value[1]:
        raise ValueError(f"found [{value[0]}, {value[1]}], expected [low, high] with low <= high")
    return value


_NumberOrTwo = Annotated[
    float | tuple[float, float], pydantic.Field(description="number, or [low, high]")
]

Interval = Annotated[
    tuple[float, float],
    pydantic.BeforeValidator(_as_interval, json_schema_input_type=_NumberOrTwo),
    pydantic.AfterValidator(_in_order),
]
"""[low, high] between which a number is drawn uniformly; one number is taken as it is."""

Count = Annotated[
    tuple[Annotated[int, pydantic.Field(ge=0)], int],
    pydantic.BeforeValidator(_as_interval, json_schema_input_type=_NumberOrTwo),
    pydantic.AfterValidator(_in_order),
]
"""[fewest, most] of a whole number, both included; one number is taken as it is."""


class Stream:
    """A stream of random numbers, using raw uniform draws alone.

    Only `numpy.random.Generator.random` is called: its bits follow from the bit generator, which
    numpy keeps the same between versions. The algorithms of its other distributions may change.
    """

    def __init__(self, *key: int) -> None:
        self._generator = np.random.Generator(np.random.Philox(np.random.SeedSequence(key)))

    def uniform(self, interval: tuple[float, float]) -> float:
        """Return a number uniform in [low, high)."""
        low, high = interval
        return low + (high - low) * float(self._generator.random())

    def count(self, interval: tuple[int, int]) -> int:
        """Return a whole number uniform in [low, high], both included."""
        low, high = interval
        return min(low + int((high - low + 1) * self._generator.random()), high)


def cell_centres(shape: tuple[int, int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return x (1, nx) and y (ny, 1) of the cell centres, as fractions of the domain's sides."""
    ny, nx = shape
    return (np.arange(nx)[None, :] + 0.5) / nx, (np.arange(ny)[:, None] + 0.5) / ny


class Family(Settings, abc.ABC):
    """A family of random densities.

    Lengths and positions are fractions of the domain's sides, so that a family does not depend on
    the grid.

    Attributes
    ----------
    name : label that the samples carry in a data set; by default the family's kind
    weight : how often the family is drawn, relative to the other families of a campaign
    """

    kind: str
    name: str = pydantic.Field("", max_length=32, pattern=r"^[A-Za-z0-9_-]*$")
    weight: float = pydantic.Field(1.0, gt=0)

    @property
    def label(self) -> str:
        """Label of the samples in a data set."""
        return self.name or self.kind

    @property
    def length(self) -> int | None:
        """How many densities there are, for families that are lists; None: any number."""
        return None

    @property
    def may_be_drawn(self) -> bool:
        """Whether `draw` can be called here; not where that would run a stranger's code."""
        return True

    @property
    def assumed(self) -> str:
        """What is assumed because the settings do not say it, in words; empty: nothing."""
        return ""

    @abc.abstractmethod
    def draw(self, stream: Stream, shape: tuple[int, int], index: int) -> tuple[DensityMap, Drawn]:
        """Draw one density.

        Parameters
        ----------
        stream : of random numbers; the only source of randomness
        shape : (ny, nx)
        index : which density of the list, for families that are lists

        Returns
        -------
        The density (ny, nx) [g/cm³] and the numbers that were drawn for it.
        """
