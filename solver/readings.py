"""Reading the detectors of a run: each process notes its own cells, the first one adds them up.

So a sum has the same terms in the same order on any number of processes.
"""

from typing import NamedTuple

import numpy as np

from opalux.base.axes import FIELDS
from opalux.solver.detectors import Lattice, detector_places, weights_of
from opalux.solver.grid import Block
from opalux.solver.problem import Problem
from opalux.solver.solution import DetectorSignals

FX, FY = FIELDS.index("Fx"), FIELDS.index("Fy")


class Noted(NamedTuple):
    """What one process has noted in some steps.

    Attributes
    ----------
    cells : (m,) numbers, among all values that are read, of those that it owns
    values : (n, m) these, before each step
    """

    cells: np.ndarray
    values: np.ndarray


class Readings:
    """Reads the detectors of a problem on one process's block.

    Parameters
    ----------
    problem : what is solved
    block : the cells owned

    Attributes
    ----------
    places : (3, detectors) x, y and width [cm]
    """

    def __init__(self, problem: Problem, block: Block) -> None:
        grid = problem.cells
        wraps = dict(zip("xy", problem.edges.periodic, strict=True))
        self._on_faces = problem.variant.on_faces
        self.places = detector_places(problem.detectors, grid)
        self._shape = len(FIELDS), len(problem.detectors)
        places, weights, self._starts = [], [], [0]
        for field, name in enumerate(FIELDS):
            lattices, firsts = [], []
            for axis in "xy":
                n, (low, _) = getattr(grid, f"n{axis}"), getattr(grid, axis)
                h = getattr(grid, f"d{axis}")
                if not (self._on_faces and name == f"F{axis}"):
                    lattices.append(Lattice(low + h / 2, h, n, wraps[axis]))
                    firsts.append(1)
                elif wraps[axis]:  # of the two faces that are one, the last
                    lattices.append(Lattice(low + h, h, n, True))
                    firsts.append(1)
                else:
                    lattices.append(Lattice(low, h, n + 1, False))
                    firsts.append(0)
            for detector in problem.detectors:
                j, i, weight = weights_of(detector, grid, *lattices)
                places.append(np.stack([np.full_like(j, field), j + firsts[1], i + firsts[0]]))
                weights.append(weight)
                self._starts.append(self._starts[-1] + len(weight))
        # Cells that several detectors read are noted once.
        unique, self._which = np.unique(np.concatenate(places, axis=1), axis=1, return_inverse=True)
        self._weights = np.concatenate(weights)
        f, j, i = unique
        j, i = j - block.j0, i - block.i0  # places in the block's arrays with ghosts
        own = (j >= (block.j0 > 0)) & (j <= block.ny) & (i >= (block.i0 > 0)) & (i <= block.nx)
        self._cells = np.flatnonzero(own)
        self._own = f[own], j[own], i[own]
        self._flux = np.isin(f[own], (FX, FY)) & self._on_faces

    def empty(self, steps: int) -> np.ndarray:
        """Return room for the values before each of some steps and after the last."""
        return np.empty((steps + 1, len(self._cells)))

    def note(self, state: np.ndarray, row: np.ndarray) -> None:
        """Note the own cells of a block's state (4, ny + 2, nx + 2)."""
        row[:] = state[self._own]

    def noted(self, rows: np.ndarray, times: np.ndarray) -> Noted:
        """Return the values at ``times`` (n,) from ``rows`` (n + 1, m) noted before and after.

        Fluxes on faces are half a step late, and on time at t = 0.
        """
        values = rows[:-1].copy()
        late = times > 0
        means = 0.5 * (rows[:-1] + rows[1:])
        values[np.ix_(late, self._flux)] = means[np.ix_(late, self._flux)]
        return Noted(self._cells, values)

    def on_time(self, values: np.ndarray) -> Noted:
        """Return ``values`` (n, m) as they are, of states whose fluxes are on time."""
        return Noted(self._cells, values)

    def read(self, parts: list[Noted]) -> np.ndarray:
        """Return E, Fx, Fy, T (n, 4, detectors), from what all processes have noted."""
        n = len(parts[0].values)
        values = np.empty((n, int(self._which.max()) + 1))
        for part in parts:
            values[:, part.cells] = part.values
        terms = values[:, self._which.ravel()] * self._weights
        sums: np.ndarray = np.add.reduceat(terms, self._starts[:-1], axis=1)
        return sums.reshape(n, *self._shape)

    def spread(self, weights: np.ndarray) -> np.ndarray:
        """Return the transpose of `read` for the own cells (n, m), of weights (n, 4, detectors)."""
        n = len(weights)
        counts = np.diff(self._starts)
        terms = np.repeat(weights.reshape(n, -1), counts, axis=1) * self._weights
        total = np.zeros((n, int(self._which.max()) + 1))
        for place, term in zip(self._which.ravel(), terms.T, strict=True):
            total[:, place] += term
        return total[:, self._cells]

    @property
    def own(self) -> np.ndarray:
        """Places (3, m) of the own cells in a block's state: field, row, column."""
        return np.stack(self._own)

    def signals(self, noted: list[Noted]) -> DetectorSignals:
        """Return what the detectors have read in the chunks of a run on one process."""
        x, y, width = self.places
        read = np.concatenate([self.read([one]) for one in noted])
        return DetectorSignals(x=x, y=y, width=width, signals=read)
