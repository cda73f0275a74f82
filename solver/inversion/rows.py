"""Measured signals as rows: one value of one quantity, at one place and time, under one source."""

import dataclasses
from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

QUANTITIES = ("E", "F", "Fn", "T")
"""What a row may hold: E, |F|, the flux out of the domain, T."""


@dataclasses.dataclass(frozen=True, eq=False)
class Rows:
    """Measured values; all arrays are (n,).

    Attributes
    ----------
    source : names of sources
    edge : names of edges; empty for a detector inside the domain
    quantity : names as in `QUANTITIES`
    position : centre of the detector along the edge [cm]; 0 inside
    width : of the detector along the edge, or the side of a square inside [cm]; 0: a point
    time : [sh]
    value : E, F, Fn in g/cm/sh², T in keV
    sigma : standard deviation of the noise, in the unit of the value; NaN: not given
    x, y : centre of a detector inside the domain [cm]; 0 on edges; left out: all are on edges
    """

    source: NDArray[np.str_]
    edge: NDArray[np.str_]
    quantity: NDArray[np.str_]
    position: NDArray[np.float64]
    width: NDArray[np.float64]
    time: NDArray[np.float64]
    value: NDArray[np.float64]
    sigma: NDArray[np.float64]
    x: NDArray[np.float64] = dataclasses.field(default_factory=lambda: np.empty(0))
    y: NDArray[np.float64] = dataclasses.field(default_factory=lambda: np.empty(0))

    def __post_init__(self) -> None:
        for name in ("x", "y"):
            if not len(getattr(self, name)):
                object.__setattr__(self, name, np.zeros(len(self.value)))

    def __len__(self) -> int:
        return len(self.value)

    @property
    def sources(self) -> list[str]:
        """Names of the sources, sorted."""
        return sorted({str(name) for name in np.unique(self.source)})

    @property
    def inside(self) -> NDArray[np.bool_]:
        """Whether each row is of a detector inside the domain."""
        return np.asarray(self.edge == "")

    def place(self, row: int) -> str:
        """Return in words where the detector of a row is."""
        if self.edge[row]:
            return f"edge {self.edge[row]}, {self.position[row]:.6g} cm"
        return f"x {self.x[row]:.6g}, y {self.y[row]:.6g} cm"

    @property
    def channels(self) -> NDArray[np.int64]:
        """Number of each row's channel: its source, edge (or the inside) and quantity together."""
        names = np.char.add(np.char.add(self.source, "/"), self.edge)
        names = np.char.add(np.char.add(names, "/"), self.quantity)
        return np.unique(names, return_inverse=True)[1].reshape(-1)

    @property
    def _keys(self) -> tuple[NDArray[np.generic], ...]:
        """What tells rows apart, the most important one last."""
        return (
            self.y, self.x, self.width, self.position, self.time, self.quantity, self.edge,
            self.source,
        )  # fmt: skip

    def take(self, chosen: NDArray[np.generic]) -> Self:
        """Return some of the rows, by a mask or by numbers."""
        names = [field.name for field in dataclasses.fields(self)]
        return type(self)(*(getattr(self, name)[chosen] for name in names))

    def in_order(self) -> Self:
        """Return the rows in one order, whatever the order of the files was."""
        return self.take(np.lexsort(self._keys))

    def first_repeated(self) -> tuple[int, int] | None:
        """Return the numbers of two rows of one place and time, None where there are none."""
        keys = self._keys
        order = np.lexsort(keys)
        same = np.ones(max(0, len(order) - 1), dtype=bool)
        for key in keys:
            same &= key[order[1:]] == key[order[:-1]]
        if not same.any():
            return None
        at = int(np.flatnonzero(same)[0])
        one, other = sorted((int(order[at]), int(order[at + 1])))
        return one, other


def joined(parts: Sequence[Rows]) -> Rows:
    """Return the rows of several tables as one."""
    names = [field.name for field in dataclasses.fields(Rows)]
    return Rows(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
