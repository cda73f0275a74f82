"""What is searched, and what was found."""

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from opalux.solver.gradient import SignalGradient
from opalux.solver.inversion.coupling import Coupling, Seen
from opalux.solver.inversion.forward import Simulator
from opalux.solver.inversion.grid_error import GridError
from opalux.solver.inversion.priors import Prior
from opalux.solver.inversion.rows import Rows
from opalux.solver.inversion.unknown import Unknown
from opalux.solver.problem import Problem

Array = NDArray[np.float64]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Search:
    """What is searched, and how.

    Attributes
    ----------
    problems : per source, on the grid of the map
    rows : what was measured, with ``sigma`` (rows,) filled in
    unknown, prior : of the map
    start : (ny, nx) [g/cm³]
    steps : gradients at most
    refinement : of the simulation's grid; None: until the grid error is below the noise
    corrects : whether signals are corrected for the grid error, which asks for a grid twice as fine
    coupling : gains of sources or detectors; None: all are 1
    make : makes the simulator of a problem
    at_once : whether sources are simulated side by side, in threads
    """

    problems: Mapping[str, Problem]
    rows: Rows
    unknown: Unknown
    prior: Prior
    start: Array
    steps: int = 100
    refinement: int | None = None
    corrects: bool = True
    coupling: Coupling | None = None
    make: Callable[[Problem, int], Simulator] = SignalGradient
    at_once: bool = True

    @property
    def gains(self) -> Coupling:
        """The coupling, which is none where none is given."""
        return Coupling.none(len(self.rows)) if self.coupling is None else self.coupling


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Found:
    """The map that was found.

    Attributes
    ----------
    density : (ny, nx) [g/cm³]
    predicted : (rows,) its signals, corrected for the grid error, times the gains
    gains : (groups,) of the coupling
    chi2 : mean squared residual in standard deviations
    refinement : of the grid that was simulated last
    grid_error : of the signals before the correction, in standard deviations of the noise
    history : (evaluations, 4): refinement, χ² of that round, penalty of the prior, round
    """

    density: Array
    predicted: Array
    gains: Array
    chi2: float
    refinement: int
    grid_error: GridError
    history: Array

    def seen(self, search: Search) -> Seen:
        """Return what `uncertainty` takes."""
        coupling = search.gains
        values = self.predicted / coupling.of_rows(self.gains)
        return Seen(values, search.rows.sigma, coupling, self.gains)
