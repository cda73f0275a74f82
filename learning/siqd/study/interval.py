"""The spread of a number over repetitions: its 5, 50 and 95 % quantiles."""

import dataclasses

import numpy as np
from numpy.typing import NDArray

QUANTILES = (0.05, 0.5, 0.95)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Interval:
    """Quantiles of a number over repetitions.

    Attributes
    ----------
    low, middle, high : 5, 50 and 95 %
    """

    low: float
    middle: float
    high: float

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> "Interval":
        """Return the interval of values (r,)."""
        low, middle, high = np.quantile(values, QUANTILES)
        return cls(low=float(low), middle=float(middle), high=float(high))

    def __str__(self) -> str:
        return f"{self.middle:.3f} ({self.low:.3f} to {self.high:.3f})"


def place(value: float, values: NDArray[np.float64]) -> float:
    """Return the share of values (r,) below a value; equal ones count half."""
    return float(np.mean(values < value) + 0.5 * np.mean(values == value))


def chance(value: float, null: NDArray[np.float64]) -> float:
    """Return the p-value of a value: how often one of the null (k,) is as large, itself counted."""
    return float((1 + np.sum(null >= value)) / (1 + len(null)))
