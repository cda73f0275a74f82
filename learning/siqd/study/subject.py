"""What is studied: the features, the property, its classes, and how they are called.

Nothing here imports a scientific library, so that a command line can be checked at once.
"""

import itertools
from typing import Self

import pydantic

from opalux.base.settings import Settings


class Subject(Settings):
    """A set of particles, or of anything else: one row each, features and a property as columns."""

    rows: str = "particles"
    """What the rows are, in the plural."""
    features: tuple[str, ...] = pydantic.Field(min_length=2)
    """Titles of the columns that describe a row."""
    property: str
    """Title of the column to be explained."""
    unit: str = ""
    """Unit of the property."""
    limits: tuple[float, ...] | None = None
    """Limits of the property's classes, in increasing order, the outer ones included: rows outside
    are left out, and a limit belongs to the class that begins there. Left out: `quantiles`."""
    quantiles: int = pydantic.Field(4, ge=2, le=20)
    """Number of classes of equal size, where no limits are given."""
    classes: tuple[str, ...] = ()
    """Names of the classes."""
    parts: tuple[tuple[str, ...], ...] = ()
    """Groups of features that are parts of a whole: they sum to 1 in each row."""
    tolerance: float = pydantic.Field(0.02, ge=0)
    """Largest difference of such a sum from 1."""
    dropped: tuple[str, ...] = ()
    """Columns that are in the table, but are not used because features replace them."""
    name: str | None = None
    """Title of the column that names the rows; left out: their line numbers."""

    @pydantic.model_validator(mode="after")
    def _consistent(self) -> Self:
        columns = [*self.features, self.property, *self.dropped]
        twice = [name for name in columns if columns.count(name) > 1]
        if twice:
            raise ValueError(f"{twice[0]} stands twice among features, property and dropped")
        limits = (0.0, 1.0) if self.limits is None else self.limits
        if len(limits) < 2 or any(a >= b for a, b in itertools.pairwise(limits)):
            raise ValueError(f"limits are {list(limits)}, expected numbers in increasing order")
        count = len(self.limits) - 1 if self.limits is not None else self.quantiles
        if self.classes and len(self.classes) != count:
            raise ValueError(f"found {len(self.classes)} names of classes, expected {count}")
        if len(set(self.classes)) < len(self.classes):
            raise ValueError("two classes have the same name")
        grouped = [name for group in self.parts for name in group]
        for name in grouped:
            if name not in self.features:
                raise ValueError(f"parts: {name} is no feature; features: {list(self.features)}")
            if grouped.count(name) > 1:
                raise ValueError(f"parts: {name} stands in two groups")
        if any(len(group) < 2 for group in self.parts):
            raise ValueError("parts: a group has at least two features")
        return self
