"""Detectors: points and small areas, in the domain or on its edges, and the cells they read.

A point reads the bilinear interpolation of the four cells about it, and half a cell from an edge or
less what these extrapolate to; a finite detector reads the mean of that over its width. Both are of
second order. Fluxes that lie on faces are read there.
"""

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
import pydantic

from opalux.base.axes import Edge, along
from opalux.base.settings import Settings
from opalux.solver.grid import Grid

CHORDS = 64
"""Chords of a disc: the mean over it is exact for polynomials of twice this degree across them."""


class Detector(Settings):
    """One detector: ``{x, y}`` in the domain or ``{edge, position}`` on an edge, and its size."""

    x: float | None = None
    y: float | None = None
    """Place of the centre [cm]."""
    edge: Edge | None = None
    """The edge that it lies on, in the place of x and y."""
    position: float | None = None
    """The x or y of its centre on that edge [cm]."""
    width: float = pydantic.Field(0.0, ge=0)
    """Length along the edge, or side of a square in the domain [cm]; 0: a point."""
    radius: float | None = pydantic.Field(None, gt=0)
    """Of a disc in the domain, in the place of a square [cm]."""

    @pydantic.model_validator(mode="after")
    def _one_place(self) -> Self:
        inside = [name for name in ("x", "y") if getattr(self, name) is not None]
        on_edge = [name for name in ("edge", "position") if getattr(self, name) is not None]
        if (len(inside), len(on_edge)) not in ((2, 0), (0, 2)):
            found = ", ".join(inside + on_edge) or "neither"
            raise ValueError(
                f"found {found}, expected x and y, or edge and position; give the two of them"
            )
        if self.radius is not None and (self.edge or self.width):
            raise ValueError(
                "found a radius with an edge or a width, expected x, y and radius for a disc; "
                "give a width on an edge, and one of the two in the domain"
            )
        return self

    def place(self, grid: Grid) -> tuple[float, float]:
        """Return x and y of the centre [cm]."""
        if self.edge is None:
            return float(self.x or 0.0), float(self.y or 0.0)
        at = {"left": grid.x[0], "right": grid.x[1], "down": grid.y[0], "up": grid.y[1]}[self.edge]
        position = float(self.position or 0.0)
        return (position, at) if along(self.edge) == "x" else (at, position)

    @property
    def size(self) -> float:
        """Width, or the diameter of a disc [cm]."""
        return self.width if self.radius is None else 2 * self.radius

    @property
    def shape(self) -> str:
        """What ``size`` is of, in a word."""
        if not self.size:
            return "point"
        return "edge" if self.edge else "square" if self.radius is None else "disc"

    def outside(self, grid: Grid) -> str:
        """Return where it sticks out of the domain, in words; nothing where it is within."""
        for axis, centre in zip("xy", self.place(grid), strict=True):
            low, high = getattr(grid, axis)
            across = self.edge is not None and along(self.edge) != axis
            half = 0.0 if across else self.size / 2
            slack = 1e-9 * (high - low)
            if centre - half < low - slack or centre + half > high + slack:
                found = f"[{centre - half:.6g}, {centre + half:.6g}]" if half else f"{centre:.6g}"
                return f"found {axis} = {found} cm, expected a part of [{low:.6g}, {high:.6g}]"
        return ""


def detector_places(detectors: Sequence[Detector], grid: Grid) -> np.ndarray:
    """Return x, y and size of detectors, (3, m) [cm]."""
    return np.array([(*one.place(grid), one.size) for one in detectors]).reshape(-1, 3).T.copy()


class Lattice(NamedTuple):
    """Places along an axis at which a field is known: centres of cells, or faces between them.

    Attributes
    ----------
    first, h : the first place, and the distance of two [cm]
    n : how many there are
    periodic : the first follows the last
    """

    first: float
    h: float
    n: int
    periodic: bool

    def mean(self, low: float, high: float) -> np.ndarray:
        """Return the weights (n,) of the mean over [low, high] of what lies between the places."""
        weights = np.zeros(self.n)
        if self.n == 1:
            weights[0] = 1.0
            return weights
        a, b = (low - self.first) / self.h, (high - self.first) / self.h
        knots = np.arange(np.floor(a) + 1, np.ceil(b))
        if not self.periodic:  # beyond the last place the line goes on
            knots = knots[(knots > 0) & (knots < self.n - 1)]
        cuts = np.concatenate([[a], knots, [b]])
        middles, lengths = (cuts[1:] + cuts[:-1]) / 2, np.diff(cuts)
        if b <= a:
            middles, lengths = np.array([a]), np.ones(1)
        before = np.floor(middles)
        if not self.periodic:
            before = np.clip(before, 0, self.n - 2)
        share, rest = lengths / lengths.sum(), middles - before
        cell = before.astype(np.int64)
        np.add.at(weights, cell % self.n, share * (1 - rest))
        np.add.at(weights, (cell + 1) % self.n, share * rest)
        return weights


class Weights(NamedTuple):
    """What one detector reads of one field: places of lattices along y and x, and their weights."""

    j: np.ndarray
    i: np.ndarray
    weight: np.ndarray


def weights_of(detector: Detector, grid: Grid, along_x: Lattice, along_y: Lattice) -> Weights:
    """Return the weights by which a detector reads a field that is known on two lattices."""
    x, y = detector.place(grid)
    half = detector.size / 2
    half_x = 0.0 if detector.edge in ("left", "right") else half
    half_y = 0.0 if detector.edge in ("up", "down") else half
    if detector.radius is None:
        parts = [
            _product(along_y.mean(y - half_y, y + half_y), along_x.mean(x - half_x, x + half_x))
        ]
    else:
        # Gauss's nodes for the weight of the chords' lengths, (r² − y²)^½
        angles = np.pi * np.arange(1, CHORDS + 1) / (CHORDS + 1)
        shares = np.sin(angles) ** 2 / (np.sin(angles) ** 2).sum()
        parts = []
        for angle, share in zip(angles, shares, strict=True):
            height, chord = y + half * np.cos(angle), half * np.sin(angle)
            row, column = along_y.mean(height, height), along_x.mean(x - chord, x + chord)
            parts.append(_product(share * row, column))
    j, i, weight = (np.concatenate(column) for column in zip(*parts, strict=True))
    places, which = np.unique(j * along_x.n + i, return_inverse=True)
    return Weights(places // along_x.n, places % along_x.n, np.bincount(which, weights=weight))


def _product(row: np.ndarray, column: np.ndarray) -> Weights:
    """Return the outer product of weights along y and along x, without zeros."""
    (j,), (i,) = np.nonzero(row), np.nonzero(column)
    return Weights(np.repeat(j, len(i)), np.tile(i, len(j)), np.outer(row[j], column[i]).ravel())
