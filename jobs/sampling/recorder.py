"""Reducing the signals of a simulation, step by step, to the numbers that a data set keeps."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from opalux.base.axes import EDGES, FIELDS, QUANTITIES
from opalux.base.kernels import njit
from opalux.learning.data.resampler import brackets


class Recorder:
    """Selects quantities, interpolates linearly in time and averages refined cells, in one pass.

    Parameters
    ----------
    steps : (n,) times before the steps [sh]
    times : (n_times,) times to record; ``steps`` itself for all
    quantities : of E, F (for |F|) and T
    refinement : cells of the simulation for each recorded cell, along the edge
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
        """Return the shape (edges, quantities, n_times, cells) of what is recorded.

        ``cells`` : of the longest edge; what is recorded at shorter ones ends in zeros
        """
        return len(EDGES), len(self._quantities), len(self._weight), cells

    def add(
        self, out: NDArray[np.float64], signals: Mapping[str, NDArray[np.float64]], first: int
    ) -> None:
        """Add the contribution of a chunk of steps to ``out``, which starts from zeros.

        Parameters
        ----------
        out : (edges, quantities, n_times, cells of the longest edge)
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

    def pull(
        self, weights: NDArray[np.floating], signals: Mapping[str, NDArray[np.float64]]
    ) -> dict[str, NDArray[np.float64]]:
        """Return ∂J/∂signals of J = Σ weights · what is recorded: the transpose of `add`.

        Parameters
        ----------
        weights : (edges, quantities, n_times, cells of the longest edge)
        signals : per edge (n, 4, cells · refinement) of the whole run; |F| has the subgradient 0 at
            F = 0
        """
        pulled = {}
        for edge, own in zip(EDGES, weights, strict=True):
            _, Fx, Fy, _ = signals[edge].swapaxes(0, 1)
            bars = pulled[edge] = np.zeros(signals[edge].shape)
            cells = Fx.shape[1] // self._refinement
            for quantity, values in zip(self._quantities, own, strict=True):
                spread = values[:, :cells].repeat(self._refinement, 1) / self._refinement
                bar = np.zeros(Fx.shape)
                np.add.at(bar, self._before, (1.0 - self._weight)[:, None] * spread)
                np.add.at(bar, self._after, self._weight[:, None] * spread)
                if QUANTITIES[quantity] == "F":
                    size = np.sqrt(Fx * Fx + Fy * Fy)
                    inverse = np.divide(1.0, size, out=np.zeros_like(size), where=size > 0)
                    bars[:, FIELDS.index("Fx")] += bar * Fx * inverse
                    bars[:, FIELDS.index("Fy")] += bar * Fy * inverse
                else:
                    bars[:, FIELDS.index(QUANTITIES[quantity])] += bar
        return pulled

    def add_detectors(
        self, out: NDArray[np.float64], values: NDArray[np.float64], first: int
    ) -> None:
        """Do the same for ``values`` (m, 4, detectors), as they are, in ``out`` likewise.

        Parameters
        ----------
        out : (quantities, n_times, detectors)
        values : E, F_x, F_y, T before the steps first … first + m − 1
        """
        E, Fx, Fy, T = values.swapaxes(0, 1)
        quantities = np.stack([E, np.sqrt(Fx * Fx + Fy * Fy), T])[self._quantities]
        for steps, share in ((self._before, 1.0 - self._weight), (self._after, self._weight)):
            here = (share != 0.0) & (steps >= first) & (steps < first + len(values))
            out[:, here] += share[here, None] * quantities[:, steps[here] - first]


@njit(nogil=True)
def _add(out, signals, first, before, after, weight, quantities, refinement):  # type: ignore[no-untyped-def]
    longest = np.empty(out.shape[3] * refinement)
    for edge in range(len(signals)):
        signal = signals[edge]
        values = longest[: signal.shape[2]]
        cells = signal.shape[2] // refinement
        for k in range(len(weight)):
            for row, share in ((before[k] - first, 1.0 - weight[k]), (after[k] - first, weight[k])):
                if share == 0.0 or row < 0 or row >= len(signal):
                    continue
                for q in range(len(quantities)):
                    _pick(values, signal[row], quantities[q])
                    if refinement > 1:
                        _average(values, refinement)
                    _accumulate(out[edge, q, k, :cells], share, values)


# Each loop is a function of its own, because the compiler vectorises it only then.


@njit(nogil=True)
def _pick(out, fields, quantity):  # type: ignore[no-untyped-def]
    """Write E, |F| or T of ``fields`` (4, cells) into ``out``."""
    if quantity == 1:
        for i in range(len(out)):
            out[i] = np.sqrt(fields[1, i] * fields[1, i] + fields[2, i] * fields[2, i])
    else:
        field = 0 if quantity == 0 else 3
        for i in range(len(out)):
            out[i] = fields[field, i]


@njit(nogil=True)
def _average(values, refinement):  # type: ignore[no-untyped-def]
    """Write the mean of each ``refinement`` cells to the front of ``values``."""
    for cell in range(len(values) // refinement):
        total = 0.0
        for fine in range(cell * refinement, (cell + 1) * refinement):
            total += values[fine]
        values[cell] = total / refinement


@njit(nogil=True)
def _accumulate(out, share, values):  # type: ignore[no-untyped-def]
    for i in range(len(out)):
        out[i] += share * values[i]
