"""Work that one process does for all: its result, and its failure, reach every process."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from opalux.base.errors import OpaluxError

Result = TypeVar("Result")


def on_first(rank: int, broadcast: Callable[[Any], Any], work: Callable[[], Result]) -> Result:
    """Return the first process's ``work()`` on all processes; raise its errors on all of them.

    Parameters
    ----------
    rank : number of this process
    broadcast : returns the first process's argument on all processes
    work : called on the first process only

    Raises
    ------
    OpaluxError
        When ``work`` raises one; other exceptions are not shared.
    """
    outcome: tuple[Any, OpaluxError | None] = (None, None)
    if rank == 0:
        try:
            outcome = work(), None
        except OpaluxError as error:
            outcome = None, error
    result, failure = broadcast(outcome)
    if failure is not None:
        raise failure
    return cast(Result, result)
