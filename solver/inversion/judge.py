"""Judging maps by what they explain, on a grid and corrected for its error."""

import numpy as np
from numpy.typing import NDArray

from opalux.solver.inversion.forward import MEMORY, Forward
from opalux.solver.inversion.grid_error import GridError, measure
from opalux.solver.inversion.journal import Journal
from opalux.solver.inversion.search import Found, Search

Array = NDArray[np.float64]


class Judge:
    """Simulates maps on grids that refine them, and judges what they explain.

    Parameters
    ----------
    search : what is searched
    journal : of what was computed
    """

    def __init__(self, search: Search, journal: Journal) -> None:
        self._search, self._journal = search, journal
        self._models: dict[tuple[int, int], Forward] = {}

    def model(self, refinement: int) -> Forward:
        """Return the simulation on one of the grids, which keeps states for its gradient."""
        return self._model(refinement, MEMORY)

    def _model(self, refinement: int, memory: int) -> Forward:
        key = refinement, memory
        if key not in self._models:
            search = self._search
            self._models[key] = Forward(
                search.problems, search.rows, refinement, search.make,
                at_once=search.at_once, memory=memory,
            )  # fmt: skip
        return self._models[key]

    def __call__(self, rho: Array, refinement: int) -> Found:
        """Return a map (ny, nx) with its χ², corrected for the grid error at it."""
        search = self._search
        rows, coupling = search.rows, search.gains

        def compute() -> tuple[Array, ...]:
            own = self.model(refinement)
            if not search.corrects:
                values = own.values(rho)
                return values, np.zeros_like(values)
            # the finer grid takes no gradient, and its states would not fit beside those of others
            found = measure(own, self._model(2 * refinement, 0), rho, rows.sigma)
            return found.values, found.correction

        values, correction = self._journal.answer(compute)
        error = GridError(values, correction, rows.sigma)
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

    def objective(self, found: Found) -> float:
        """Return half of χ² and the penalties of a map in hindsight, which the search lowers."""
        search = self._search
        misfit = 0.5 * len(search.rows) * found.chi2
        return misfit + search.prior.value(found.density)[0] + search.gains.penalty(found.gains)
