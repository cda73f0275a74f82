"""Simulations that are divided among processes: the first one searches, the others follow it.

The first process alone has the unknown, the rows and the files. Where it simulates, it says so to
the others, and all of them do their part of the grid. So a search takes the same course as with
one process, and processes never disagree on it.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opalux.base.errors import InputError
from opalux.solver.domains.domain import Domain
from opalux.solver.gradient import SignalGradient
from opalux.solver.problem import Problem

Array = NDArray[np.float64]
Signals = dict[str, np.ndarray]
Divide = Callable[[Problem], Domain]


class Leader:
    """The first process's way to the others.

    Parameters
    ----------
    broadcast : sends a value from the first process to all, and returns it
    divide : divides the grid of a problem among all processes
    """

    def __init__(self, broadcast: Callable[[Any], Any], divide: Divide) -> None:
        self._broadcast, self._divide, self._made = broadcast, divide, 0

    def make(self, problem: Problem, memory: int) -> "Led":
        """Return the simulator of a problem; ``memory`` is each process's own [bytes]."""
        self._broadcast(("make", self._made, (problem, memory)))
        own = SignalGradient(problem, memory, self._divide(problem))
        self._made += 1
        return Led(own, self._made - 1, self._broadcast)

    def dismiss(self, code: int) -> None:
        """End `follow` on all other processes, which returns ``code``."""
        self._broadcast(("dismiss", 0, code))


class Led:
    """A `SignalGradient` on all processes, called on the first one alone."""

    def __init__(self, own: SignalGradient, number: int, broadcast: Callable[[Any], Any]) -> None:
        self._own, self._number, self._broadcast = own, number, broadcast
        self.times = own.times

    def simulate(self, rho: Array) -> Signals:
        """Return the signals for a density."""
        self._broadcast(("simulate", self._number, rho))
        return self._own.simulate(rho)

    def push(self, change: Array) -> Signals:
        """Return the change of the signals for a small change of the density."""
        self._broadcast(("push", self._number, change))
        return self._own.push(change)

    def pull(self, weights: Mapping[str, Array]) -> Array:
        """Return ∂(Σ weights · signals)/∂ρ."""
        self._broadcast(("pull", self._number, weights))
        return self._own.pull(weights)


def follow(broadcast: Callable[[Any], Any], divide: Divide) -> int:
    """Do this process's part of what the first one simulates; return the code it ends with."""
    simulators: dict[int, SignalGradient] = {}
    while True:
        what, number, given = broadcast(None)
        if what == "dismiss":
            return int(given)
        try:
            if what == "make":
                problem, memory = given
                simulators[number] = SignalGradient(problem, memory, divide(problem))
            else:
                getattr(simulators[number], what)(given)
        except InputError:
            continue  # all processes find it, and the first one says it
