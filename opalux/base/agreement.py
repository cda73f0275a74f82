"""Work whose failure, on one process, reaches every process."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from opalux.base.errors import OpaluxError, in_words

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
        When ``work`` raises one, or the system does; other exceptions are not shared.
    """
    outcome: tuple[Any, OpaluxError | None] = (None, None)
    if rank == 0:
        try:
            outcome = work(), None
        except (OpaluxError, OSError) as error:
            outcome = None, in_words(error)
    result, failure = broadcast(outcome)
    if failure is not None:
        raise failure
    return cast(Result, result)


def on_all(
    gather: Callable[[Any], list[Any] | None],
    broadcast: Callable[[Any], Any],
    work: Callable[[], Result],
) -> Result:
    """Return each process's own ``work()``; raise the error of one process on all of them.

    Otherwise, the others would wait for ever for the one that failed.

    Parameters
    ----------
    gather : returns the arguments of all processes on the first one, None elsewhere
    broadcast : returns the first process's argument on all processes
    work : called on all processes; must not wait for other processes

    Raises
    ------
    OpaluxError
        When ``work`` raises one somewhere, or the system does; others are not shared.
    """
    result: Any = None
    caught: OpaluxError | None = None
    try:
        result = work()
    except (OpaluxError, OSError) as error:
        caught = in_words(error)
    failures = gather(caught) or []
    failure = broadcast(next((one for one in failures if one is not None), None))
    if failure is not None:
        raise failure
    return cast(Result, result)
