"""Independent tasks: what every pool of workers offers, and the pool that is this process alone.

A function that has many tasks takes a `Pool` as an argument and does not know where they run.
`opalux.jobs.cluster.pool` opens pools of processes on this machine or on a cluster.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

from opalux.base.errors import OpaluxError

Item = TypeVar("Item")
Result = TypeVar("Result")


class PoolLostError(OpaluxError, RuntimeError):
    """The scheduler or all workers are lost; results that are in files are safe."""


class Pool(Protocol):
    """Something that runs tasks."""

    def map(
        self, function: Callable[[Item], Result], items: Iterable[Item]
    ) -> Iterator[tuple[Item, Result]]:
        """Yield each item with ``function(item)``, in the order in which the tasks finish.

        An exception in a task ends the iteration with that exception.

        Raises
        ------
        PoolLostError
            When the tasks cannot continue.
        """
        ...


class InProcessPool:
    """Runs one task after the other in this process.

    >>> list(InProcessPool().map(abs, [-1, 2]))
    [(-1, 1), (2, 2)]
    """

    def map(
        self, function: Callable[[Item], Result], items: Iterable[Item]
    ) -> Iterator[tuple[Item, Result]]:
        """Yield each item with ``function(item)``, in the order of the items."""
        for item in items:
            yield item, function(item)
