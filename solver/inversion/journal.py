"""A journal of what was computed, so that a run that was killed goes on to the same bits.

The minimiser and the eigenvalue solver keep their state to themselves. But they are functions of
what they are told: so a run that starts again is told the answers of the earlier run, in their
order, and computes only those that are missing.
"""

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np

Answer = tuple[np.ndarray, ...]


class Stopped(Exception):
    """The work was asked to stop, and all that is done is kept."""


@dataclasses.dataclass
class Journal:
    """Answers in the order in which they are asked for.

    Attributes
    ----------
    known : the answers of an earlier run
    stop : says whether to stop before the next answer is computed
    keep : called with each new answer
    """

    known: Iterator[Answer] = dataclasses.field(default_factory=lambda: iter(()))
    stop: Callable[[], bool] = lambda: False
    keep: Callable[[Answer], None] = lambda _: None

    def answer(self, compute: Callable[[], Answer]) -> Answer:
        """Return the next answer, computed only where it is not known.

        Raises
        ------
        Stopped
            When it would have to be computed, and the work is to stop.
        """
        told = next(self.known, None)
        if told is not None:
            return told
        if self.stop():
            raise Stopped
        computed = tuple(np.asarray(part) for part in compute())
        self.keep(computed)
        return computed
