"""The axes of a data set, as a model needs to know them."""

from typing import NamedTuple

from opalux.base.axes import EDGES
from opalux.base.errors import InputError


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
