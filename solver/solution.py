"""The result of a simulation: the fields at the final time and the signals along the edges."""

import dataclasses

import numpy as np

from opalux.base.axes import flux_magnitude
from opalux.solver.grid import Grid


@dataclasses.dataclass(frozen=True)
class Solution:
    """The result of a simulation: what `simulate` and `read_solution` return.

    Attributes
    ----------
    times : (n,) time of each row of the signals [sh]
    signals : per edge (n, 4, cells): E, Fx, Fy, T of the cells along the edge, before each step
    fields : (4, ny, nx): E, Fx, Fy, T at the final time
    t_final : final time [sh]
    rho : (ny, nx) density [g/cm³]
    grid : the cells
    """

    times: np.ndarray
    signals: dict[str, np.ndarray]
    fields: np.ndarray
    t_final: float
    rho: np.ndarray
    grid: Grid


def edge_quantities(signal: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the recorded quantities E, |F|, T (n, cells) out of a signal (n, 4, cells)."""
    return signal[:, 0], flux_magnitude(signal[:, 1:3], axis=1), signal[:, 3]
