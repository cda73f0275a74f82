"""Coupling factors: the gain of each source or detector, which nobody measured, found with the map.

A row's value is g · f(ρ), with the gain g of the row's group. What is known before is that g is
near ``known``, with a standard deviation ``spread``. For each map, the most likely gains have a
closed form, so that the search is of the map alone; its gradient is that at these gains held still,
as their own derivative is zero there (variable projection).

Source: G. H. Golub, V. Pereyra, SIAM J. Numer. Anal. 10 (1973) 413.
"""

import dataclasses
from typing import Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclasses.dataclass(frozen=True, eq=False)
class Coupling:
    """Groups of rows, each with one gain.

    Attributes
    ----------
    names : of the groups
    group : (rows,) number of each row's group; -1: its gain is 1
    known : (groups,) the likely gains
    spread : standard deviation of what is known; 0: the gains are fixed
    """

    names: tuple[str, ...]
    group: NDArray[np.int64]
    known: Array
    spread: float

    @classmethod
    def none(cls, rows: int) -> Self:
        """Return no coupling: all gains are 1."""
        return cls((), np.full(rows, -1, dtype=np.int64), np.ones(0), 0.0)

    @property
    def free(self) -> bool:
        """Whether gains are to be found."""
        return bool(self.names) and self.spread > 0

    def gains(self, values: Array, data: Array, sigma: Array) -> Array:
        """Return the most likely gains (groups,) for simulated values (rows,)."""
        if not self.free:
            return self.known
        ridge = self.spread**-2
        return (ridge * self.known + self._sums(values * data / sigma**2)) / (
            ridge + self._sums((values / sigma) ** 2)
        )

    def spreads(self, values: Array, sigma: Array) -> Array:
        """Return the standard deviation of each gain (groups,), for this map held for true."""
        if not self.free:
            return np.zeros(len(self.names))
        return 1 / np.sqrt(self.spread**-2 + self._sums((values / sigma) ** 2))

    def penalty(self, gains: Array) -> float:
        """Return what is held against gains: half their squared distance in spreads."""
        return 0.5 * float((((gains - self.known) / self.spread) ** 2).sum()) if self.free else 0.0

    def of_rows(self, gains: Array) -> Array:
        """Return each row's gain (rows,)."""
        each: Array = np.append(gains, 1.0)[self.group]
        return each

    def left(self, change: Array, values: Array, sigma: Array) -> Array:
        """Return W · change (rows,), W = σ⁻² less what gains would take up.

        It is the inverse of the covariance of noise and gains together, whence the map's own
        Hessian is Jᵀ W J.
        """
        weighted = change / sigma**2
        if not self.free:
            return weighted
        taken = self._sums(values * weighted) * self.spreads(values, sigma) ** 2
        return weighted - np.append(taken, 0.0)[self.group] * values / sigma**2

    def response(self, change: Array, values: Array, sigma: Array) -> Array:
        """Return the change of the most likely gains (groups,) with a change of the values."""
        return -self._sums(values * change / sigma**2) * self.spreads(values, sigma) ** 2

    def _sums(self, per_row: Array) -> Array:
        """Return the sums over the rows of each group."""
        sums = np.bincount(self.group + 1, per_row, len(self.names) + 1)
        return sums[1:].astype(np.float64)


@dataclasses.dataclass(frozen=True, eq=False)
class Seen:
    """What a map makes of the signals.

    Attributes
    ----------
    values : (rows,) of the simulation, before the gains
    sigma : (rows,) of the noise
    coupling : the groups of rows with one gain
    gains : (groups,) at the map
    """

    values: Array
    sigma: Array
    coupling: Coupling
    gains: Array
