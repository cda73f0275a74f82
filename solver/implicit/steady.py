"""The steady state: implicit steps that grow until nothing changes any more."""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from opalux.solver.domains.domain import Domain
from opalux.solver.implicit.march import ImplicitMarch
from opalux.solver.problem import Problem
from opalux.solver.time_loop import Chunk, SolverFailure

GROWTH = 4.0  # a step is at most so many times longer than the one before
MOST = 120  # steps
EASY = 6  # iterations of Newton's method up to which steps grow


class SteadyMarch(ImplicitMarch):
    """Euler's implicit steps towards the steady state; see `TimeLoop`.

    Edges and sources are those at the final time, and the one record is the steady state. A step of
    τ → ∞ is one of Newton's method for it; shorter ones lead there (pseudo-transient continuation,
    C. T. Kelley, D. E. Keyes, SIAM J. Numer. Anal. 35 (1998) 508). It is found when a step
    that is long beside all that has gone before changes no more than ``time.tolerance``.
    """

    def __init__(self, problem: Problem, domain: Domain, density: np.ndarray | None = None) -> None:
        super().__init__(problem, domain, density)
        self._method.held = problem.time.final
        self._age = 0.0  # all pseudo-time so far

    @property
    def clock(self) -> dict[str, float]:
        """As that of implicit steps, and the pseudo-time."""
        return super().clock | {"age": self._age}

    def set_clock(self, kept: Mapping[str, float]) -> None:
        """Put the numbers of `clock` back."""
        super().set_clock(kept)
        self._age = kept["age"]

    def run(self, pauses: Iterable[int] = ()) -> Iterator[Chunk]:
        """Step until nothing changes, a chunk a step; the last one has the record."""
        self._look_at_start()
        nothing = np.empty(0)
        while True:
            h, hardest, change = self._relax()
            self._age += h
            # A step shorter than what has gone before may change little because it is short.
            if change <= self.problem.time.allowed_error and h >= self._age / 2:
                break
            if self.steps >= MOST:
                raise SolverFailure(
                    f"time.method: found no steady state in {MOST} steps (the last, of {h:.3g} sh, "
                    f"still changed {change:.3g} of E or T); is there one? Closed edges with a "
                    "source have none; raise time.tolerance, or use 'method: implicit'"
                )
            self._next = h * (GROWTH if hardest <= EASY else 1.5)
            yield self._sight.chunk(0, nothing, [seen[None][:0] for seen in self._sight.look()])
        self._t, self.step = self.t_final, 1
        self.check()
        yield self._sight.chunk(0, self.times, [seen[None] for seen in self._sight.look()])

    def _relax(self) -> tuple[float, int, float]:
        """Take a step; return its length, its iterations, and what it changed of E and T."""
        while True:
            h = self._next
            self._refuse_tiny(h)
            hardest = self._attempt(0.0, h)
            if hardest:
                self.steps += 1
                off_E, size_E, off_T, size_T = self.domain.total(self._method.change())
                return h, hardest, max(off_E / size_E, off_T / size_T)
            self._next = h / 4
