"""The result of a simulation: the fields at the final time and the signals along the edges."""

import dataclasses
from typing import Any

import numpy as np

from opalux.base.axes import FIELDS, UNITS, At, along, flux_magnitude
from opalux.base.optional import import_xarray
from opalux.solver.grid import Grid


@dataclasses.dataclass(frozen=True, eq=False)
class DetectorSignals:
    """What the detectors have read.

    Attributes
    ----------
    x, y : (m,) their centres [cm]
    width : (m,) their widths, diameters of discs, 0 of points [cm]
    signals : (n, 4, m): E, Fx, Fy, T before each step, means over the width
    """

    x: np.ndarray
    y: np.ndarray
    width: np.ndarray
    signals: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Solution:
    """The result of a simulation: what `simulate` and `read_solution` return.

    Attributes
    ----------
    times : (n,) time of each row of the signals [sh]
    signals : per edge (n, 4, cells): E, Fx, Fy, T along the edge, before each step
    fields : (4, ny, nx): E, Fx, Fy, T at the final time
    t_final : final time [sh]
    rho : (ny, nx) density [g/cm³]
    grid : the cells
    scheme : name of the scheme
    at : where the signals are: in the cells along the edges (``cell``), or on the ``edge`` itself
    detectors : what the detectors have read; None where there are none
    """

    times: np.ndarray
    signals: dict[str, np.ndarray]
    fields: np.ndarray
    t_final: float
    rho: np.ndarray
    grid: Grid
    scheme: str = "consistent"
    at: At = "cell"
    detectors: DetectorSignals | None = None

    def __repr__(self) -> str:
        return (
            f"<Solution: {self.grid.nx} x {self.grid.ny} cells, t = {self.t_final:.6g} sh, "
            f"signals at {len(self.times)} times>"
        )

    def to_xarray(self) -> Any:
        """Return everything as an ``xarray.Dataset`` with named axes, coordinates and units.

        ``rho``, ``E``, ``Fx``, ``Fy``, ``T`` have the dimensions (y, x); the signals ``left_E``,
        ``up_T``, ... have (t, y) or (t, x). Coordinates are the centres of the cells [cm] and the
        times before the steps [sh]. What detectors have read is ``detector_E``, ... (t, detector).

        Raises
        ------
        InputError
            When xarray is not installed.
        """
        whole = self.grid.whole
        coordinates = {"t": self.times, "y": whole.y[1:-1], "x": whole.x[1:-1]}
        variables: dict[str, Any] = {"rho": (("y", "x"), self.rho, {"units": UNITS["rho"]})}
        for name, field in zip(FIELDS, self.fields, strict=True):
            variables[name] = (("y", "x"), field, {"units": UNITS[name]})
        for edge, signal in self.signals.items():
            for n, name in enumerate(FIELDS):
                attributes = {"units": UNITS[name]}
                variables[f"{edge}_{name}"] = (("t", along(edge)), signal[:, n], attributes)
        return import_xarray().Dataset(
            variables | self._detector_variables(),
            {name: (name, values, {"units": UNITS[name]}) for name, values in coordinates.items()},
            {"t_final": self.t_final, "signals_at": self.at},
        )

    def _detector_variables(self) -> dict[str, Any]:
        if self.detectors is None:
            return {}
        found = self.detectors
        variables: dict[str, Any] = {
            f"detector_{name}": ("detector", getattr(found, name), {"units": "cm"})
            for name in ("x", "y", "width")
        }
        for n, name in enumerate(FIELDS):
            values = found.signals[:, n]
            variables[f"detector_{name}"] = (("t", "detector"), values, {"units": UNITS[name]})
        return variables

    def plot(self) -> Any:
        """Return a matplotlib figure of ρ, E, |F| and T at the final time; close it after use."""
        from opalux.solver.pictures import fields_figure

        E, Fx, Fy, T = self.fields
        F = flux_magnitude(np.stack([Fx, Fy]), axis=0)
        fields = {"rho": self.rho, "E": E, "F": F, "T": T}
        title = f"t = {self.t_final:.6g} sh, scheme: {self.scheme}"
        return fields_figure(fields, self.grid, title)


def edge_quantities(signal: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the recorded quantities E, |F|, T (n, cells) out of a signal (n, 4, cells)."""
    return signal[:, 0], flux_magnitude(signal[:, 1:3], axis=1), signal[:, 3]
