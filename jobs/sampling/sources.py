"""Where the sources of a campaign sit, and what they radiate."""

import numpy as np
from numpy.typing import NDArray

from opalux.base.axes import Edge, along
from opalux.base.settings import Settings
from opalux.solver.densities.family import Interval, Stream
from opalux.solver.edges import Pulse, SourceEdge
from opalux.solver.grid import Grid


class Place(Settings):
    """Where one source sits; the rest of its edge is held at equilibrium."""

    edge: Edge
    """The edge that it lies on."""
    start: Interval = (0.0, 0.0)
    """Lower end along the edge [cm]; [low, high]: drawn anew for each density."""
    width: Interval | None = None
    """Length along the edge [cm]; left out: to the end of the edge."""

    def draw(self, stream: Stream, grid: Grid) -> tuple[float, float]:
        """Draw where the source starts and stops on an edge of ``grid`` [cm]."""
        low, high = self.span(grid)
        start = max(low, stream.uniform(self.start))
        stop = high if self.width is None else start + stream.uniform(self.width)
        return start, min(high, stop)

    def span(self, grid: Grid) -> tuple[float, float]:
        """Return where the edge of the source starts and stops [cm]."""
        return grid.x if along(self.edge) == "x" else grid.y


class Emission(Settings):
    """What the sources radiate: E = a T⁴ + amplitude·sin(2π·frequency·t)."""

    amplitude: float = 5.0
    """[g/cm/sh²]."""
    frequency: float = 500.0
    """[1/sh]."""
    T: str = "5"
    """Temperature of the source edge, a formula of t and the place [keV]."""

    def on(self, start: float, stop: float) -> SourceEdge:
        """Return the condition of an edge that radiates from ``start`` to ``stop`` [cm]."""
        pulse = Pulse(start=start, stop=stop, amplitude=self.amplitude, frequency=self.frequency)
        return SourceEdge(kind="source", sources=(pulse,), T=self.T)


def draw_sources(places: tuple[Place, ...], stream: Stream, grid: Grid) -> NDArray[np.float64]:
    """Return where each source starts and stops, (sources, 2) [cm]."""
    return np.array([place.draw(stream, grid) for place in places])


def names_of(places: tuple[Place, ...]) -> tuple[str, ...]:
    """Return a name for each source: its edge, numbered where an edge has several."""
    edges = [place.edge for place in places]
    return tuple(
        f"{edge}-{edges[:k].count(edge)}" if edges.count(edge) > 1 else edge
        for k, edge in enumerate(edges)
    )
