"""How far one solution is from another: fields at the end, signals along the edges over time."""

from collections.abc import Collection

import numpy as np

from opalux.base.axes import EDGES, along
from opalux.solver.solution import Solution

NOTHING = 1e-3  # share of E up to which a flux is none

Distances = dict[str, dict[str, float | None]]


def distances(found: Solution, reference: Solution, walls: Collection[str] = ()) -> Distances:
    """Return relative L2 distances of ``found`` from ``reference``, on the same grid.

    Parameters
    ----------
    walls : edges that nothing passes

    Returns
    -------
    ``fields`` and each edge : distances of E and T, and of E and the normal flux, in the cells
    along the edge at all times of the reference; None where there is no flux
    """
    made: Distances = {
        "fields": {
            name: relative(found.fields[n], reference.fields[n]) for name, n in (("E", 0), ("T", 3))
        }
    }
    times = reference.times[reference.times <= found.times[-1]]
    for edge in EDGES:
        normal = 2 if along(edge) == "x" else 1
        signal = at(times, found.times, found.signals[edge])
        expected = reference.signals[edge][: len(times)]
        least = np.inf if edge in walls else NOTHING * float(np.linalg.norm(expected[:, 0]))
        made[edge] = {
            "E": relative(signal[:, 0], expected[:, 0]),
            "F": relative(signal[:, normal], expected[:, normal], least),
        }
    return made


def relative(found: np.ndarray, expected: np.ndarray, least: float = 0.0) -> float | None:
    """Return the relative L2 distance, None where the norm of ``expected`` is ``least`` or less."""
    scale = float(np.linalg.norm(expected))
    return float(np.linalg.norm(found - expected)) / scale if scale > least else None


def at(t: np.ndarray, times: np.ndarray, signal: np.ndarray) -> np.ndarray:
    """Return a signal (n, 4, cells), given at ``times`` (n,), linear in between, at ``t``.

    Parameters
    ----------
    t : (m,) times from ``times[0]`` to ``times[-1]``
    """
    if len(times) == 1:
        return np.repeat(signal, len(t), axis=0)
    after = np.clip(np.searchsorted(times, t, side="right"), 1, len(times) - 1)
    share = ((t - times[after - 1]) / (times[after] - times[after - 1]))[:, None, None]
    between: np.ndarray = (1 - share) * signal[after - 1] + share * signal[after]
    return between
