"""The search for the map: L-BFGS on log ρ, on coarse grids that are corrected by finer ones.

A coarse grid is cheap, but its signals are wrong by tens of times the noise, and a search that
believes them runs into maps that it does not leave again. So the gradient is taken on a coarse
grid, and every few steps its signals are shifted onto those of a finer one, whose error is below
the noise and which is simulated forwards only (deferred correction). What that grid still lacks is
measured at the start of each round, on a twice finer one.

When a round is over, the error is measured anew, at the new map; so each map is judged in
hindsight, by signals corrected for its own error, and the best in hindsight is kept.

Source of deferred correction: V. Pereyra, Numer. Math. 10 (1967) 316.
"""

import contextlib
import dataclasses
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from opalux.solver.inversion.descent import Pairs, Point, descend
from opalux.solver.inversion.forward import Forward
from opalux.solver.inversion.grid_error import LEFT_OVER, GridError
from opalux.solver.inversion.journal import Journal
from opalux.solver.inversion.judge import Judge
from opalux.solver.inversion.metric import data_curvature, prior_curvature
from opalux.solver.inversion.search import Found, Search

Array = NDArray[np.float64]

ROUNDS = (0.2, 0.3, 0.5)
"""Share of the steps of each round."""
MOST_REFINEMENT = 8
LEFT = (2.0, 2.0, 1.0)
"""Grid error left over, in units of the noise, with which each round may be searched."""
MATTERS = 0.05  # share of χ² below which the grid is not what keeps the data unexplained
SLICE = 8  # steps after which signals are shifted anew
RENEW = 2  # slices after which the metric is measured anew
FLAT = 1e-6  # relative decrease of the objective in each of two slices that ends a round


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
        self._judge = Judge(search, journal)
        self._judged: list[Found] = []
        self._history: list[tuple[float, ...]] = []
        self._metrics = 0

    def model(self, refinement: int) -> Forward:
        """Return the simulation on one of the grids."""
        return self._judge.model(refinement)

    def run(self) -> Found:
        """Return the best map.

        Raises
        ------
        Stopped
            When the journal's owner asked to stop.
        """
        search = self._search
        rho = search.unknown.density(search.unknown.inside(search.start))
        refinement = 1 if search.corrects else search.refinement or 1
        self._note(rho, refinement)
        for number, share in enumerate(ROUNDS):
            refinement = self._finer(rho, refinement, number)
            steps = round(share * search.steps)
            if number == len(ROUNDS) - 1:
                steps = search.steps - len(self._history)
            rho = self._round(rho, refinement, self._judged[-1].grid_error, steps, number)
            self._note(rho, refinement)
        last = [found for found in self._judged if found.refinement == refinement]
        best = min(last, key=self._judge.objective)
        return dataclasses.replace(best, history=np.array(self._history).reshape(-1, 4))

    def _note(self, rho: Array, refinement: int) -> None:
        """Measure the grid error at a map, and note the map with what it explains."""
        self._judged.append(self._judge(rho, refinement))

    def _finer(self, rho: Array, refinement: int, number: int) -> int:
        """Return the refinement that is asked for, or that the noise asks for.

        At the start, nothing is explained yet, so that χ² says nothing of the grid.
        """
        search = self._search
        if not search.corrects:
            return refinement
        asked = search.refinement
        while refinement < (asked or MOST_REFINEMENT):
            judged = self._judged[-1]
            left_over = judged.grid_error.left_over
            matters = number == 0 or left_over**2 / judged.chi2 > MATTERS
            if asked is None and not (left_over > LEFT[number] and matters):
                break
            refinement = min(2 * refinement, asked or MOST_REFINEMENT)
            self._note(rho, refinement)
        return refinement

    def _round(
        self, rho: Array, refinement: int, error: GridError, steps: int, number: int
    ) -> Array:
        """Return the map after at most ``steps`` gradients."""
        search = self._search
        data, coupling = search.rows.value, search.gains
        sigma = np.hypot(search.rows.sigma, LEFT_OVER * error.correction)
        coarse = max(1, refinement // 2) if search.corrects else refinement
        model, fine = self.model(coarse), self.model(refinement)
        used, best, shift = 0, (np.inf, rho), error.correction

        def value(z: Array, *, anew: bool = False) -> tuple[float, Array]:
            """Return the objective and its gradient; ``anew``: shifted to the fine grid here."""
            nonlocal used, best, shift
            if used == steps:
                raise _EnoughError
            tried = search.unknown.density(z)

            def compute() -> tuple[Array, ...]:
                coarse_values = model.values(tried)
                moved = shift
                if anew:
                    moved = fine.values(tried) - coarse_values + error.correction
                values = coarse_values + moved
                gains = coupling.gains(values, data, sigma)
                per_row = coupling.of_rows(gains)
                residual = (per_row * values - data) / sigma
                gradient = model.pull(per_row * residual / sigma)
                misfit = 0.5 * float(residual @ residual)
                found = np.array([misfit, coupling.penalty(gains)]), gradient
                return (*found, moved) if anew else found

            (misfit, against), gradient, *moved = self._journal.answer(compute)
            if moved:
                shift = moved[0]
            used += 1
            penalty, slope = search.prior.value(tried)
            total = float(misfit) + float(against) + penalty
            chi2 = 2 * float(misfit) / len(data)
            self._history.append((float(refinement), chi2, penalty, float(number)))
            self._told(len(self._history), chi2, refinement)
            if (anew and fine is not model) or total < best[0]:
                best = total, tried  # values of other shifts do not compare
            return total, ((gradient + slope) * tried).ravel()

        def metric(z: Array) -> Array:
            tried = search.unknown.density(z)
            self._metrics += 1

            def compute() -> tuple[Array, ...]:
                model.values(tried)
                return (data_curvature(model.pull, tried, sigma, self._metrics),)

            measured = self._journal.answer(compute)[0]
            return (measured + prior_curvature(search.prior, tried)).ravel()

        pairs: Pairs = []
        with contextlib.suppress(_EnoughError):
            z = search.unknown.inside(rho)
            at, idle, slices = Point(z, *value(z, anew=fine is not model)), 0, 0
            while idle < 2:
                if slices % RENEW == 0:
                    curvature = metric(at.z)
                lower = descend(value, at, search.unknown.box, curvature, pairs, SLICE)
                gained = at.value - lower.value
                idle = idle + 1 if gained <= FLAT * abs(at.value) else 0
                at, slices = lower, slices + 1
                if fine is not model:
                    at = Point(at.z, *value(at.z, anew=True))
        return best[1]
