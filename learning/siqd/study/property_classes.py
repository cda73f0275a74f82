"""Classes of the property: intervals between limits."""

import dataclasses
import itertools

import numpy as np
from numpy.typing import NDArray

from opalux.base.errors import InputError
from opalux.learning.siqd.study.subject import Subject


@dataclasses.dataclass(frozen=True, kw_only=True)
class PropertyClasses:
    """Intervals of the property.

    Attributes
    ----------
    names : of the classes (k,)
    limits : between and around them (k + 1,); a limit belongs to the class that begins there
    """

    names: tuple[str, ...]
    limits: tuple[float, ...]

    @property
    def inner(self) -> NDArray[np.float64]:
        """The limits between two classes (k - 1,)."""
        return np.array(self.limits[1:-1])

    def of(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the class of each value, as a position in ``names``."""
        return np.searchsorted(self.inner, values, side="right").astype(np.int64)

    def distance(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the distance of each value from the nearest limit between two classes."""
        return np.abs(values[:, None] - self.inner).min(axis=1)


def classes_of(subject: Subject, values: NDArray[np.float64], origin: str) -> PropertyClasses:
    """Return the classes that a subject asks for, of the values of the kept rows (n,).

    Raises
    ------
    InputError
        When quantiles coincide, because many values are equal.
    """
    if subject.limits is not None:
        limits = subject.limits
    else:
        edges = np.quantile(values, np.linspace(0.0, 1.0, subject.quantiles + 1))
        if (np.diff(edges) <= 0).any():
            raise InputError(
                f"{origin}: found equal quantiles of {subject.property} "
                f"({', '.join(f'{edge:.4g}' for edge in edges)}); many rows have the same value; "
                "give fewer quantiles, or limits"
            )
        limits = tuple(float(edge) for edge in edges)
    names = subject.classes or tuple(f"{a:.4g}–{b:.4g}" for a, b in itertools.pairwise(limits))
    return PropertyClasses(names=names, limits=limits)
