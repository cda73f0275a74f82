"""Which states of a march to keep, so that it can be gone through backwards in little memory.

A step backwards needs the states before and after it. Where there is room for all states, each step
is taken once. Else some are kept as checkpoints, and what lies between them is taken again. With
room for s checkpoints and the two states about a step, and no step taken more than r times, marches
can be reversed up to

    n <= β(s, r) = C(s + r, r)

steps: r = 1 keeps everything, r = 2 needs about √(2n) states, and so on. The binomial schedule
takes as few steps as possible: with the least such r,

    r n − β(s + 1, r − 1) + 1

Source: A. Griewank, A. Walther, ACM Trans. Math. Softw. 26 (2000) 19 (Revolve). They do not count
the last step of the march, which is the first that is reversed.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

LEAST = 3
"""States without which nothing can be reversed: the first, and two about a step."""


class Advance(NamedTuple):
    """Take the steps from ``start`` to ``stop`` and put the state into the slot after ``slot``.

    The state before step ``start`` lies in ``slot``.
    """

    start: int
    stop: int
    slot: int


class SetAside(NamedTuple):
    """Copy the state in ``slot`` to the last slot; the steps that are reversed next lead to it."""

    slot: int


class Reverse(NamedTuple):
    """Take the steps from ``start`` to ``stop``, keep all states from ``slot`` on, and reverse.

    The state before step ``start`` lies in ``slot``. Where ``known``, the last step need not be
    taken: the state after it lies in the last slot.
    """

    start: int
    stop: int
    slot: int
    known: bool


Action = Advance | SetAside | Reverse


def reach(slots: int, times: int) -> int:
    """Return β(s, r): how many steps can be reversed with s checkpoints, taken r times at most."""
    return math.comb(slots + times, times)


def repeats(steps: int, states: int) -> int:
    """Return r: how often the step that is taken most often is taken.

    Raises
    ------
    ValueError
        When there are fewer states than `LEAST`.
    """
    if states < LEAST:
        raise ValueError(f"found room for {states} states, expected {LEAST} or more")
    times = 1
    while reach(states - 2, times) < steps:
        times += 1
    return times


def steps_in_all(steps: int, states: int) -> int:
    """Return how many steps the schedule takes, those of the march itself included."""
    times = repeats(steps, states)
    return times * steps - reach(states - 1, times - 1) + 1


def schedule(steps: int, states: int) -> Iterator[Action]:
    """Yield what to do to reverse a march whose first state lies in slot 0.

    The march itself is all that is done before anything is reversed.

    Parameters
    ----------
    steps : of the march
    states : slots, `LEAST` or more
    """
    repeats(steps, states)  # refuses
    last = states - 1
    waiting: list[Reverse | SetAside] = [Reverse(0, steps, 0, known=False)]
    while waiting:
        task = waiting.pop()
        if isinstance(task, SetAside):
            yield task
            continue
        start, stop, slot, known = task
        if stop - start <= last - slot:
            yield task
            continue
        middle = start + _first_part(stop - start, last - slot - 1)
        yield Advance(start, middle, slot)
        waiting += [
            Reverse(start, middle, slot, known=True),
            SetAside(slot + 1),
            Reverse(middle, stop, slot + 1, known),
        ]


def _first_part(steps: int, slots: int) -> int:
    """Return how many steps to take to the next checkpoint.

    What lies before it is taken r − 1 times more, with the same slots; what lies behind it r times,
    with one slot less.
    """
    times = repeats(steps, slots + 2)
    return min(reach(slots, times - 1), steps - reach(slots - 1, times - 1))
