"""From the signals of a simulation, step by step, to the few numbers that a data set keeps."""

from collections.abc import Mapping, Sequence

import numba
import numpy as np
from numpy.typing import NDArray

from learning.dataset_shard import brackets
from solver.edges import EDGES

QUANTITIES = ("E", "F", "T")


class Recorder:
    """Picks quantities, interpolates linearly in time and averages refined cells, in one sweep.

    Parameters
    ----------
    steps : (n,) times before the steps [sh]
    times : (n_times,) times to record; ``steps`` itself for all
    quantities : of E, F (for |F|) and T
    refinement : cells of the simulation for each recorded one
    """

    def __init__(
        self,
        steps: NDArray[np.float64],
        times: NDArray[np.float64],
        quantities: Sequence[str],
        refinement: int,
    ) -> None:
        if times is steps:
            self._before = self._after = np.arange(len(steps))
            self._weight = np.zeros(len(steps))
        else:
            self._before, self._after = brackets(steps, times)
            before, after = steps[self._before], steps[self._after]
            self._weight = (times - before) / (after - before)
        self._quantities = np.array([QUANTITIES.index(name) for name in quantities])
        self._refinement = refinement

    def shape(self, cells: int) -> tuple[int, int, int, int]:
        """Return the shape (edges, quantities, n_times, cells) of what is recorded."""
        return len(EDGES), len(self._quantities), len(self._weight), cells

    def add(
        self, out: NDArray[np.float64], signals: Mapping[str, NDArray[np.float64]], first: int
    ) -> None:
        """Add to ``out`` what a chunk of steps contributes; starts from zeros.

        Parameters
        ----------
        out : (edges, quantities, n_times, cells)
        signals : per edge (m, 4, cells · refinement) E, F_x, F_y, T before the steps first …
            first + m − 1
        first : number of the chunk's first step
        """
        _add(
            out,
            tuple(signals[edge] for edge in EDGES),
            first,
            self._before,
            self._after,
            self._weight,
            self._quantities,
            self._refinement,
        )


@numba.njit(cache=True, nogil=True)
def _add(out, signals, first, before, after, weight, quantities, refinement):  # type: ignore[no-untyped-def]
    cells = out.shape[3]
    flux, means = np.empty(cells * refinement), np.empty(cells)
    for edge in range(len(signals)):
        signal = signals[edge]
        for k in range(len(weight)):
            for row, share in ((before[k] - first, 1.0 - weight[k]), (after[k] - first, weight[k])):
                if share == 0.0 or row < 0 or row >= len(signal):
                    continue
                E, Fx, Fy, T = signal[row]
                for q in range(len(quantities)):
                    if quantities[q] == 0:
                        values = E
                    elif quantities[q] == 1:
                        for i in range(len(flux)):
                            flux[i] = np.sqrt(Fx[i] * Fx[i] + Fy[i] * Fy[i])
                        values = flux
                    else:
                        values = T
                    if refinement > 1:
                        values = _averaged(values, refinement, means)
                    kept = out[edge, q, k]
                    for cell in range(cells):
                        kept[cell] += share * values[cell]


@numba.njit(cache=True, nogil=True)
def _averaged(values, refinement, out):  # type: ignore[no-untyped-def]
    for cell in range(len(out)):
        total = 0.0
        for fine in range(cell * refinement, (cell + 1) * refinement):
            total += values[fine]
        out[cell] = total / refinement
    return out
