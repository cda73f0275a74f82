"""A journal of what was computed, so that a run that was killed goes on to the same bits.

The minimiser and the eigenvalue solver keep their state to themselves. But they are functions of
what they are told: so a run that starts again is told the answers that the journal holds, in
their order, and computes only those that are missing.
"""

import dataclasses
from collections.abc import Callable

import numpy as np

Answer = tuple[np.ndarray, ...]


class Stopped(Exception):
    """The work was asked to stop, and the journal holds all that is done."""


@dataclasses.dataclass
class Journal:
    """Answers in the order in which they were asked for.

    Attributes
    ----------
    answers : what is known, from an earlier run or from this one
    stop : says whether to stop before the next answer is computed
    written : called after each new answer
    asked : number of answers given
    """

    answers: list[Answer] = dataclasses.field(default_factory=list)
    stop: Callable[[], bool] = lambda: False
    written: Callable[["Journal"], None] = lambda _: None
    asked: int = 0

    def answer(self, compute: Callable[[], Answer]) -> Answer:
        """Return the next answer, computed only where it is not known.

        Raises
        ------
        Stopped
            When it would have to be computed, and the work is to stop.
        """
        if self.asked == len(self.answers):
            if self.stop():
                raise Stopped
            self.answers.append(tuple(np.asarray(part) for part in compute()))
            self.asked += 1
            self.written(self)
        else:
            self.asked += 1
        return self.answers[self.asked - 1]
