"""What a model is told of the data it will see, and how signals become images.

Shape suffixes used in all models: B batch, S source, E edge, Q quantity, T time, N cell along an
edge, C channel, Y and X rows and columns of the map (row 0 = bottom).
"""

from typing import NamedTuple

import torch

from learning.errors import InputError

EDGES = ("up", "down", "left", "right")


class Layout(NamedTuple):
    """Lengths and names of a data set's axes.

    Attributes
    ----------
    sources : names of the simulations of one density, in order
    edges, quantities : names, in order
    n_times, n_cells : lengths of the last two axes of the signals
    shape : (ny, nx) of the map
    """

    sources: tuple[str, ...]
    edges: tuple[str, ...]
    quantities: tuple[str, ...]
    n_times: int
    n_cells: int
    shape: tuple[int, int]

    @property
    def signals_shape(self) -> tuple[int, ...]:
        """Shape of one sample's signals."""
        channels = len(self.sources), len(self.edges), len(self.quantities)
        return (*channels, self.n_times, self.n_cells)

    @property
    def n_channels(self) -> int:
        """Number of (source, edge, quantity) combinations."""
        return len(self.sources) * len(self.edges) * len(self.quantities)

    @property
    def per_edge(self) -> int:
        """Number of (source, quantity) combinations at one edge."""
        return len(self.sources) * len(self.quantities)

    @property
    def is_symmetric(self) -> bool:
        """Whether the square's symmetries apply: one source and one signal on each edge."""
        square = self.shape[0] == self.shape[1] == self.n_cells
        return square and self.sources == EDGES and self.edges == EDGES

    def require_square(self, model: str) -> int:
        """Return the side of the square map, or refuse other maps in the name of ``model``."""
        ny, nx = self.shape
        if ny != nx or self.n_cells != nx:
            raise InputError(
                f"model {model}: found maps of {ny}×{nx} cells, expected as many rows as columns; "
                "choose a square data set"
            )
        return nx


def stack_channels(signals_BSEQTN: torch.Tensor) -> torch.Tensor:
    """Return the signals as images (B, C, T, N), one per source, edge and quantity, as published.

    Rows are times and columns are cells, for every edge alike: the image's axes are those of the
    map for none of the edges but the lower one.
    """
    return signals_BSEQTN.flatten(1, 3)


def turn_to_map(signals_BETN_first: torch.Tensor) -> torch.Tensor:
    """Turn images (B, E, C, depth, N) of the edges up, down, left, right into the map's frame.

    In an edge's own frame row 0 lies at the edge and rows count the depth below it. Afterwards a
    feature found at depth d and cell n of an edge stands where that place is in the map.
    """
    up, down, left, right = signals_BETN_first.unbind(1)
    return torch.stack(
        [
            up.flip(-2),
            down,
            left.transpose(-1, -2),
            right.flip(-2).transpose(-1, -2),
        ],
        dim=1,
    )
