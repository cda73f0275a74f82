"""What detectors see of the signals: linear in them, but for |F|.

Between the cells along an edge and between two time steps, E, Fx, Fy and T are linear; from the
last cell to the corner they go on as between the last two. A detector with a width sees the mean
over it. What detectors inside the domain read is among the signals.
"""

import dataclasses
import math

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from opalux.base.axes import EDGES, FIELDS, along
from opalux.solver.detectors import Detector
from opalux.solver.grid import Grid
from opalux.solver.inversion.rows import Rows

Signals = dict[str, np.ndarray]

INSIDE = "detectors"
"""Where the signals hold what detectors inside the domain read, (n, 4, detectors)."""

ROUNDING = 1e-9  # [cells], so that a width of whole cells is not one point more

OUTWARD = {"up": ("Fy", 1.0), "down": ("Fy", -1.0), "left": ("Fx", -1.0), "right": ("Fx", 1.0)}
"""Component, and its sign, of the flux out of the domain."""


@dataclasses.dataclass(frozen=True)
class _Part:
    """Rows of one edge, or of the inside, and one quantity.

    Attributes
    ----------
    edge : key of the signals: an edge, or `INSIDE`
    where : numbers of the rows
    matrix : (rows · points, times · cells) from signals to the points of each detector
    points : of each detector; its value is their mean
    """

    edge: str
    quantity: str
    where: NDArray[np.int64]
    matrix: sp.csr_matrix
    points: int

    def seen(self, signals: Signals, name: str) -> NDArray[np.float64]:
        """Return one field at the points."""
        return np.asarray(self.matrix @ signals[self.edge][:, FIELDS.index(name)].ravel())

    def component(self, signals: Signals) -> NDArray[np.float64]:
        """Return the quantity at the points, where it is linear in the fields."""
        if self.quantity != "Fn":
            return self.seen(signals, self.quantity)
        name, sign = OUTWARD[self.edge]
        return sign * self.seen(signals, name)


class Observation:
    """The values of rows of one source, from its signals.

    Parameters
    ----------
    rows : of one source
    grid : that is simulated
    times : (n,) of the signals [sh]; they span those of the rows
    """

    def __init__(self, rows: Rows, grid: Grid, times: NDArray[np.float64]) -> None:
        self._size, self._parts = len(rows), list[_Part]()
        self._fluxes: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        self._shapes = {
            name: (len(times), 4, grid.nx if along(name) == "x" else grid.ny) for name in EDGES
        }
        detectors, numbers = _inside(rows)
        self._shapes[INSIDE] = len(times), 4, len(detectors)
        inside = np.flatnonzero(rows.inside)
        for quantity in np.unique(rows.quantity[inside]):
            chosen = rows.quantity[inside] == quantity
            where, at = inside[chosen], numbers[chosen] + 0.5
            matrix = _matrix(at, self._shapes[INSIDE][2], rows.time[where], times)
            self._parts.append(_Part(INSIDE, str(quantity), where, matrix, 1))
        for edge in EDGES:
            on_edge = rows.edge == edge
            for quantity in np.unique(rows.quantity[on_edge]):
                where = np.flatnonzero(on_edge & (rows.quantity == quantity))
                chosen = rows.take(where)
                at, m = _points(chosen, grid, along(edge))
                matrix = _matrix(at, self._shapes[edge][2], np.repeat(chosen.time, m), times)
                self._parts.append(_Part(edge, str(quantity), where, matrix, m))

    def values(self, signals: Signals) -> NDArray[np.float64]:
        """Return the values (rows,) for signals, per edge (n, 4, cells)."""
        values = np.empty(self._size)
        for number, part in enumerate(self._parts):
            if part.quantity == "F":
                Fx, Fy = self._fluxes[number] = part.seen(signals, "Fx"), part.seen(signals, "Fy")
                found = np.hypot(Fx, Fy)
            else:
                found = part.component(signals)
            values[part.where] = found.reshape(-1, part.points).mean(1)
        return values

    def push(self, changes: Signals) -> NDArray[np.float64]:
        """Return the change of the values (rows,) for small ``changes`` of the last signals."""
        pushed = np.empty(self._size)
        for number, part in enumerate(self._parts):
            if part.quantity == "F":
                along_x, along_y = self._directions(number)
                found = along_x * part.seen(changes, "Fx") + along_y * part.seen(changes, "Fy")
            else:
                found = part.component(changes)
            pushed[part.where] = found.reshape(-1, part.points).mean(1)
        return pushed

    def _directions(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Return F/|F|, 0 where F is 0, at the points of a part."""
        Fx, Fy = self._fluxes[number]
        size = np.hypot(Fx, Fy)
        inverse = np.divide(1.0, size, out=np.zeros_like(size), where=size > 0)
        return inverse * Fx, inverse * Fy

    def pull(self, weights: NDArray[np.float64]) -> Signals:
        """Return ∂J/∂signals of J = Σ weights · values, at the signals of the last `values`.

        |F| has the subgradient 0 at F = 0.
        """
        bars = {part.edge: np.zeros(self._shapes[part.edge]) for part in self._parts}
        for number, part in enumerate(self._parts):
            given = np.repeat(weights[part.where] / part.points, part.points)
            if part.quantity == "F":
                along_x, along_y = self._directions(number)
                pulled = {"Fx": given * along_x, "Fy": given * along_y}
            elif part.quantity == "Fn":
                name, sign = OUTWARD[part.edge]
                pulled = {name: sign * given}
            else:
                pulled = {part.quantity: given}
            for name, points in pulled.items():
                slot = bars[part.edge][:, FIELDS.index(name)]
                slot += np.asarray(part.matrix.T @ points).reshape(slot.shape)
        return bars


def detectors_of(rows: Rows) -> tuple[Detector, ...]:
    """Return the detectors inside the domain, each once, in the order of their signals."""
    return tuple(Detector(x=x, y=y, width=width) for x, y, width in _inside(rows)[0].tolist())


def _inside(rows: Rows) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return x, y and width of each detector inside the domain, and its number for its rows."""
    here = rows.take(rows.inside)
    places = np.stack([here.x, here.y, here.width], 1)
    found, numbers = np.unique(places, axis=0, return_inverse=True)
    return found, numbers.reshape(-1)


def _points(rows: Rows, grid: Grid, axis: str) -> tuple[NDArray[np.float64], int]:
    """Return places along the edge (rows · m,), in cells from the corner, and m: points a detector.

    They are the middles of m equal parts, two a cell of the grid.
    """
    low, high = getattr(grid, axis)
    cells = grid.nx if axis == "x" else grid.ny
    width = rows.width * (cells / (high - low))
    m = max(1, math.ceil(2 * float(width.max(initial=0.0)) - ROUNDING))
    parts = (np.arange(m) + 0.5) / m - 0.5
    middle = (rows.position - low) * (cells / (high - low))
    return (middle[:, None] + width[:, None] * parts).ravel(), m


def _matrix(
    at: NDArray[np.float64], cells: int, time: NDArray[np.float64], times: NDArray[np.float64]
) -> sp.csr_matrix:
    """Return the matrix (points, times · cells) that interpolates signals to places and times."""
    points = np.arange(len(at))
    if cells == 1:
        column, u = np.zeros((2, len(at)), dtype=np.int64), np.zeros(len(at))
    else:
        left = np.clip(np.floor(at - 0.5).astype(np.int64), 0, cells - 2)
        column, u = np.stack([left, left + 1]), at - 0.5 - left
    step = np.clip(np.searchsorted(times, time, side="right") - 1, 0, len(times) - 2)
    v = (time - times[step]) / (times[step + 1] - times[step])
    columns = [(step + later) * cells + column[side] for later in (0, 1) for side in (0, 1)]
    weights = [p * q for p in (1 - v, v) for q in (1 - u, u)]
    return sp.csr_matrix(
        (np.concatenate(weights), (np.tile(points, 4), np.concatenate(columns))),
        shape=(len(at), len(times) * cells),
    )
