"""The rectangular grid, and the block of it that one process owns."""

import dataclasses
import functools
from collections.abc import Iterator

import numpy as np

BAND_CELLS = 2**17  # cells handled at a time where a pass needs scratch memory: 1 MiB an array


@dataclasses.dataclass(frozen=True, kw_only=True)
class Grid:
    """``nx`` x ``ny`` equal rectangular cells; fields on it are arrays (y, x), row 0 = bottom.

    Attributes
    ----------
    nx, ny : cells along x and y
    x, y : extent (from, to) [cm]
    """

    nx: int
    ny: int
    x: tuple[float, float] = (0.0, 1.0)
    y: tuple[float, float] = (0.0, 1.0)

    @property
    def dx(self) -> float:
        """Width of a cell [cm]."""
        return (self.x[1] - self.x[0]) / self.nx

    @property
    def dy(self) -> float:
        """Height of a cell [cm]."""
        return (self.y[1] - self.y[0]) / self.ny

    @property
    def whole(self) -> "Block":
        """The block of all cells."""
        return Block(grid=self, i0=0, j0=0, nx=self.nx, ny=self.ny)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Block:
    """The cells ``i0 <= i < i0 + nx``, ``j0 <= j < j0 + ny`` of a grid.

    Local arrays carry one layer of ghost cells: shape (ny + 2, nx + 2), cell (j, i) of the grid at
    [j - j0 + 1, i - i0 + 1].
    """

    grid: Grid
    i0: int
    j0: int
    nx: int
    ny: int

    @functools.cached_property
    def x(self) -> np.ndarray:
        """Abscissae of the cell centres, ghosts included, (nx + 2,) [cm]."""
        i = np.arange(self.i0 - 1, self.i0 + self.nx + 1)
        return self.grid.x[0] + i * self.grid.dx + self.grid.dx / 2

    @functools.cached_property
    def y(self) -> np.ndarray:
        """Ordinates of the cell centres, ghosts included, (ny + 2,) [cm]."""
        j = np.arange(self.j0 - 1, self.j0 + self.ny + 1)
        return self.grid.y[0] + j * self.grid.dy + self.grid.dy / 2

    @property
    def inner(self) -> tuple[slice, slice]:
        """Index of the block's own cells within its slice of the grid's arrays (y, x)."""
        return slice(self.j0, self.j0 + self.ny), slice(self.i0, self.i0 + self.nx)

    @property
    def touches(self) -> dict[str, bool]:
        """Which edges of the grid the block lies on."""
        return {
            "up": self.j0 + self.ny == self.grid.ny,
            "down": self.j0 == 0,
            "left": self.i0 == 0,
            "right": self.i0 + self.nx == self.grid.nx,
        }


def bands(rows: int, cells: int) -> Iterator[slice]:
    """Cut ``rows`` of ``cells`` each into bands, so that no pass needs a second full array."""
    at_once = max(1, BAND_CELLS // max(1, cells))
    for first in range(0, rows, at_once):
        yield slice(first, min(first + at_once, rows))
