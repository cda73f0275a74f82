"""The axes of a data set, as a model needs to know them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from opalux.base.axes import EDGES, along
from opalux.base.errors import InputError


class Layout(NamedTuple):
    """Lengths and names of a data set's axes.

    Attributes
    ----------
    sources : names of the simulations of one density, in order
    edges, quantities : names, in order
    n_times, n_cells : lengths of the last two axes of the signals
    shape : (ny, nx) of the map
    square_cells : whether cells are as long along x as along y
    """

    sources: tuple[str, ...]
    edges: tuple[str, ...]
    quantities: tuple[str, ...]
    n_times: int
    n_cells: int
    shape: tuple[int, int]
    square_cells: bool = True

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

    def cells_on(self, edge: str) -> int:
        """Return the number of cells along an edge; the last axis of its signals ends in zeros."""
        return min(self.n_cells, self.shape[1 if along(edge) == "x" else 0])

    @property
    def on_edges(self) -> NDArray[np.bool_]:
        """Which entries of the last axis are cells of each edge, (edges, 1, 1, n_cells)."""
        cells = np.array([self.cells_on(edge) for edge in self.edges])
        return (np.arange(self.n_cells) < cells[:, None]).reshape(-1, 1, 1, self.n_cells)

    @property
    def everything(self) -> NDArray[np.bool_]:
        """What complete signals have, in their shape."""
        return np.broadcast_to(self.on_edges, self.signals_shape).copy()

    @property
    def is_square(self) -> bool:
        """Whether x and y are alike: as many cells, of the same length."""
        return self.square_cells and self.shape[0] == self.shape[1] == self.n_cells

    @property
    def is_symmetric(self) -> bool:
        """Whether reflections apply: one source and one signal on each edge."""
        return self.sources == EDGES and self.edges == EDGES

    def require_square(self, model: str) -> int:
        """Return the side of the square map [cells].

        Raises
        ------
        InputError
            When the maps are not square; the message names ``model``.
        """
        ny, nx = self.shape
        if ny != nx or self.n_cells != nx:
            raise InputError(
                f"model {model}: found maps of {ny}×{nx} cells, expected as many rows as columns; "
                "choose a square data set"
            )
        return nx
