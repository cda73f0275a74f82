"""The search for the map: L-BFGS on log ρ in rounds, from coarse simulations to fine ones.

Each round has the signals corrected for the grid error at the map that it starts from. When it is
over, the error is measured anew, at the new map; so each map is judged in hindsight, by signals
corrected for its own error, and the best in hindsight is kept.
"""

import contextlib
import dataclasses
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from opalux.solver.gradient import SignalGradient
from opalux.solver.inversion.coupling import Coupling, Seen
from opalux.solver.inversion.descent import descend
from opalux.solver.inversion.forward import Forward, Simulator
from opalux.solver.inversion.grid_error import LEFT_OVER, GridError, measure
from opalux.solver.inversion.journal import Journal
from opalux.solver.inversion.metric import data_curvature, prior_curvature
from opalux.solver.inversion.priors import Prior
from opalux.solver.inversion.rows import Rows
from opalux.solver.inversion.unknown import Unknown
from opalux.solver.problem import Problem

Array = NDArray[np.float64]

ROUNDS = (0.5, 0.25, 0.25)
"""Share of the steps of each round."""
MOST_REFINEMENT = 8
COARSE = 4.0  # grid error left over, in units of the noise, with which a search may begin
MATTERS = 0.05  # share of χ² below which the grid is not what keeps the data unexplained
RENEW = 12  # steps after which the metric is measured anew
FLAT = 1e-7  # relative decrease of the objective that ends a round


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


def explained(search: Search, error: GridError, rho: Array, refinement: int) -> Found:
    """Return a map with what it explains by signals that are corrected for the grid error."""
    rows, coupling = search.rows, search.gains
    gains = coupling.gains(error.corrected, rows.value, rows.sigma)
    predicted = coupling.of_rows(gains) * error.corrected
    return Found(
        density=rho,
        predicted=predicted,
        gains=gains,
        chi2=float((((rows.value - predicted) / rows.sigma) ** 2).mean()),
        refinement=refinement,
        grid_error=error,
        history=np.empty((0, 4)),
    )


class _EnoughError(Exception):
    """The round has used up its steps."""


class Minimiser:
    """Searches the map; use it once.

    Parameters
    ----------
    search : what is searched
    journal : of what was computed
    told : called after each gradient with the number of gradients, χ² and the refinement
    """

    def __init__(
        self,
        search: Search,
        journal: Journal,
        told: Callable[[int, float, int], None] = lambda *_: None,
    ) -> None:
        self._search, self._journal, self._told = search, journal, told
        self._models: dict[int, Forward] = {}
        self._history: list[tuple[float, ...]] = []
        self._metrics = 0

    def model(self, refinement: int) -> Forward:
        """Return the simulation on one of the grids."""
        if refinement not in self._models:
            search = self._search
            made = Forward(
                search.problems, search.rows, refinement, search.make, at_once=search.at_once
            )
            self._models[refinement] = made
        return self._models[refinement]

    def run(self) -> Found:
        """Return the best map.

        Raises
        ------
        Stopped
            When the journal's owner asked to stop.
        """
        search = self._search
        rho = search.unknown.density(search.unknown.inside(search.start))
        refinement, judged = 1, list[tuple[float, Found]]()
        if not search.corrects:
            refinement = search.refinement or 1
        error = self._judge(rho, refinement, judged)
        for number, share in enumerate(ROUNDS):
            refinement, error = self._finer(rho, refinement, error, judged, first=number == 0)
            steps = round(share * search.steps)
            if number == len(ROUNDS) - 1:
                steps = search.steps - len(self._history)
            rho = self._round(rho, refinement, error, steps, number)
            error = self._judge(rho, refinement, judged)
        history = np.array(self._history).reshape(-1, 4)
        best = min(
            (pair for pair in judged if pair[1].refinement == refinement), key=lambda pair: pair[0]
        )[1]
        return dataclasses.replace(best, history=history)

    def _finer(
        self, rho: Array, refinement: int, error: GridError, judged: list[tuple[float, Found]],
        *, first: bool,
    ) -> tuple[int, GridError]:  # fmt: skip
        """Return the refinement that is asked for, or that the noise asks for.

        The first round may be on a coarser grid than that, but not on one that teaches nothing.
        """
        search = self._search
        if not search.corrects:
            return refinement, error
        asked = search.refinement
        while refinement < (asked or MOST_REFINEMENT):
            if first and error.left_over < COARSE:
                break
            share = error.left_over**2 / judged[-1][1].chi2
            if not first and asked is None and (error.left_over < 1.0 or share < MATTERS):
                break
            refinement = min(2 * refinement, asked or MOST_REFINEMENT)
            error = self._judge(rho, refinement, judged)
        return refinement, error

    def _judge(self, rho: Array, refinement: int, judged: list[tuple[float, Found]]) -> GridError:
        """Measure the grid error at a map, and note the map with its objective in hindsight."""
        search = self._search
        sigma = search.rows.sigma

        def compute() -> tuple[Array, ...]:
            if not search.corrects:
                values = self.model(refinement).values(rho)
                return values, np.zeros_like(values)
            found = measure(self.model(refinement), self.model(2 * refinement), rho, sigma)
            return found.values, found.correction

        values, correction = self._journal.answer(compute)
        error = GridError(values, correction, float(np.sqrt(np.mean((correction / sigma) ** 2))))
        found = explained(search, error, rho, refinement)
        objective = 0.5 * len(search.rows) * found.chi2 + search.prior.value(rho)[0]
        judged.append((objective + search.gains.penalty(found.gains), found))
        return error

    def _round(
        self, rho: Array, refinement: int, error: GridError, steps: int, number: int
    ) -> Array:
        """Return the map after at most ``steps`` gradients on one grid."""
        search = self._search
        data, coupling = search.rows.value, search.gains
        sigma = np.hypot(search.rows.sigma, LEFT_OVER * error.correction)
        model = self.model(refinement)
        held: Array | None = None
        used, best = 0, (np.inf, rho)

        def value(z: Array) -> tuple[float, Array]:
            nonlocal used, best
            if used == steps:
                raise _EnoughError
            tried = search.unknown.density(z)

            def compute() -> tuple[Array, ...]:
                nonlocal held
                values, held = model.values(tried) + error.correction, z
                gains = coupling.gains(values, data, sigma)
                per_row = coupling.of_rows(gains)
                residual = (per_row * values - data) / sigma
                gradient = model.pull(per_row * residual / sigma)
                misfit = 0.5 * float(residual @ residual)
                return np.array([misfit, coupling.penalty(gains)]), gradient

            (misfit, against), gradient = self._journal.answer(compute)
            used += 1
            penalty, slope = search.prior.value(tried)
            total = float(misfit) + float(against) + penalty
            chi2 = 2 * float(misfit) / len(data)
            self._history.append((float(refinement), chi2, penalty, float(number)))
            self._told(len(self._history), chi2, refinement)
            if total < best[0]:
                best = total, tried
            return total, ((gradient + slope) * tried).ravel()

        def metric(z: Array) -> Array:
            tried = search.unknown.density(z)
            self._metrics += 1

            def compute() -> tuple[Array, ...]:
                nonlocal held
                if held is not z:
                    model.values(tried)
                    held = z
                return (data_curvature(model.pull, tried, sigma, self._metrics),)

            measured = self._journal.answer(compute)[0]
            return (measured + prior_curvature(search.prior, tried)).ravel()

        with contextlib.suppress(_EnoughError):
            descend(
                value,
                search.unknown.inside(rho),
                search.unknown.box,
                metric,
                renew=RENEW,
                flat=FLAT,
            )
        return best[1]
