"""The grid error of signals, in units of the noise of a measurement.

Four maps of 32 x 32 cells, smooth and sharp, are lit from the left. What a grid gets wrong in the
signals on the edges, against a grid of 256 x 256, is compared with a noise of 1 % of each channel's
standard deviation over places and times: beyond a few units neither a network nor an inversion can
take the signals for those of a measurement.
"""

import functools
from typing import Any

import numpy as np

from opalux.base.axes import EDGES
from opalux.solver.march import simulate
from opalux.solver.problem import Problem
from opalux.solver.solution import edge_quantities

SIDE = 32  # cells of a map
FINE = 256  # cells of the reference
NOISE = 0.01  # of a channel's standard deviation
TIMES = np.linspace(0, 0.0099, 64)  # [sh]


@functools.cache
def maps() -> dict[str, np.ndarray]:
    """Return the maps, (32, 32) [g/cm³]."""
    y, x = (np.mgrid[:SIDE, :SIDE] + 0.5) / SIDE
    r = np.hypot(x - 0.55, y - 0.45)
    blocks = np.ones((SIDE, SIDE))
    blocks[:8, 4:12], blocks[20:30, 22:], blocks[14:18, 10:20] = 4, 6, 0.3
    return {
        "stripes": 1.5 + np.sin(9 * x + 5 * y),
        "ring": 1 + 3.0 * ((r > 0.2) & (r < 0.3)),
        "blocks": blocks,
        "lens": 0.5 + 4 * np.exp(-((x - 0.4) ** 2 + (y - 0.6) ** 2) / 0.02) + 0.5 * x,
    }


def channels(name: str, cells: int, **settings: Any) -> np.ndarray:
    """Return E, |F| and T on the edges, (4 edges, 64 times, 3, 32), on ``cells`` x ``cells``.

    ``settings`` go to `Problem`; finer cells are averaged over those of the map.
    """
    finer = cells // SIDE
    problem = Problem.model_validate(
        {
            "grid": {"nx": cells},
            "signals": {"at": "edge"},
            "edges": {"left": {"kind": "source"}},
        }
        | settings
    )
    solution = simulate(problem, np.kron(maps()[name], np.ones((finer, finer))))
    found = np.empty((len(EDGES), len(TIMES), 3, SIDE))
    for edge, out in zip(EDGES, found, strict=True):
        for n, quantity in enumerate(edge_quantities(solution.signals[edge])):
            mean = quantity.reshape(len(quantity), SIDE, finer).mean(axis=2)
            for place in range(SIDE):
                out[:, n, place] = np.interp(TIMES, solution.times, mean[:, place])
    return found


@functools.cache
def reference(name: str) -> np.ndarray:
    """Return the signals of the finest grid, by the staggered scheme."""
    return channels(name, FINE, scheme="staggered")


def error(name: str, cells: int, **settings: Any) -> float:
    """Return the root mean square error of a map's signals, in units of the noise."""
    exact = reference(name)
    noise = NOISE * exact.std(axis=(1, 3), keepdims=True)
    return float(np.sqrt((((channels(name, cells, **settings) - exact) / noise) ** 2).mean()))
