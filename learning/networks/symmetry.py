"""The symmetries of the square and of the rectangle, applied to edge signals and density together.

The equations have no preferred direction: reflecting the density together with the sources and the
edges reflects the solution. On a grid this holds for the discrete solution too, to rounding; x and
y are exchanged only where the domain is a square of square cells.
"""

from typing import NamedTuple

import torch

from opalux.base.axes import EDGES
from opalux.learning.data.layout import Layout

_ALONG_X = [EDGES.index("up"), EDGES.index("down")]
_ALONG_Y = [EDGES.index("left"), EDGES.index("right")]


class Symmetry(NamedTuple):
    """First reflect x, then y, then exchange the axes.

    Attributes
    ----------
    mirror_x : x → 1 − x
    mirror_y : y → 1 − y
    exchange : (x, y) → (y, x)
    """

    mirror_x: bool
    mirror_y: bool
    exchange: bool

    @property
    def inverse(self) -> "Symmetry":
        """The symmetry that undoes this one."""
        if not self.exchange:
            return self
        return Symmetry(self.mirror_y, self.mirror_x, True)


SQUARE = tuple(Symmetry(bool(k & 1), bool(k & 2), bool(k & 4)) for k in range(8))
"""All eight; the first is the identity."""

RECTANGLE = SQUARE[:4]
"""Those that exchange nothing."""


def symmetries_of(layout: Layout) -> tuple[Symmetry, ...]:
    """Return the symmetries of the domain that signals of this layout come from."""
    return SQUARE if layout.is_square else RECTANGLE


def transform_map(map_YX: torch.Tensor, symmetry: Symmetry) -> torch.Tensor:
    """Return maps (..., Y, X) as ``symmetry`` moves them."""
    if symmetry.mirror_x:
        map_YX = map_YX.flip(-1)
    if symmetry.mirror_y:
        map_YX = map_YX.flip(-2)
    return map_YX.transpose(-1, -2) if symmetry.exchange else map_YX


def transform_signals(
    signals_SEQTN: torch.Tensor, symmetry: Symmetry, shape: tuple[int, int]
) -> torch.Tensor:
    """Return the signals (..., S, E, Q, T, N) of the density that `transform_map` gives.

    Sources and edges must both be `EDGES`, each source covering the whole of its edge. E, |F| and
    T are not changed by a reflection; only the places of measurement are.

    ``shape`` : (ny, nx) of the map; signals of an edge with fewer cells than N end in zeros
    """
    ny, nx = shape
    out = signals_SEQTN
    if symmetry.mirror_x:
        out = _mirror(out, {"left": "right", "right": "left"}, _ALONG_X, nx)
    if symmetry.mirror_y:
        out = _mirror(out, {"up": "down", "down": "up"}, _ALONG_Y, ny)
    if symmetry.exchange:
        # The upper edge becomes the right one, x ascending becomes y ascending.
        out = _rename(out, {"up": "right", "right": "up", "down": "left", "left": "down"})
    return out


def _mirror(
    signals_SEQTN: torch.Tensor, names: dict[str, str], along: list[int], cells: int
) -> torch.Tensor:
    out = _rename(signals_SEQTN, names)  # a copy: may be written to
    out[..., along, :, :, :cells] = out[..., along, :, :, :cells].flip(-1)
    return out


def _rename(signals_SEQTN: torch.Tensor, names: dict[str, str]) -> torch.Tensor:
    """Take each source's and edge's signals from the one that ``names`` gives for it."""
    order = torch.tensor([EDGES.index(names.get(edge, edge)) for edge in EDGES])
    return signals_SEQTN.index_select(-5, order).index_select(-4, order)
