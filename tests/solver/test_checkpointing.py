"""The schedule reverses every march, in the slots it has, in as few steps as is possible."""

import functools
from collections import Counter

import pytest

from opalux.solver.checkpointing import Advance, SetAside, repeats, schedule, steps_in_all


@functools.cache
def least(steps: int, checkpoints: int) -> float:
    """Griewank's recursion: try every place for the next checkpoint."""
    if steps <= checkpoints + 1:
        return steps - 1
    if checkpoints < 1:
        return float("inf")
    return min(
        first + least(steps - first, checkpoints - 1) + least(first, checkpoints)
        for first in range(1, steps)
    )


def carried_out(steps: int, states: int) -> tuple[Counter[int], list[int]]:
    """Do what the schedule says with numbers of states; return what was taken, and reversed."""
    slots, taken, reversed_ = {0: 0}, Counter[int](), list[int]()
    for action in schedule(steps, states):
        assert action.slot < states
        if isinstance(action, SetAside):
            slots[states - 1] = slots[action.slot]
            continue
        assert slots[action.slot] == action.start
        if isinstance(action, Advance):
            taken.update(range(action.start, action.stop))
            slots[action.slot + 1] = action.stop
            continue
        count = action.stop - action.start
        assert action.slot + count < states
        assert not action.known or slots[states - 1] == action.stop
        taken.update(range(action.start, action.stop - action.known))
        slots |= {action.slot + n: action.start + n for n in range(count + 1)}
        reversed_ += reversed(range(action.start, action.stop))
    return taken, reversed_


@pytest.mark.parametrize("states", range(3, 9))
def test_as_few_steps_are_taken_as_is_possible(states):
    for steps in range(1, 60):
        taken, reversed_ = carried_out(steps, states)
        assert reversed_ == list(reversed(range(steps)))
        assert max(taken.values()) <= repeats(steps, states)
        in_all = sum(taken.values())
        assert in_all == steps_in_all(steps, states) == least(steps, states - 2) + 1


def test_states_by_the_root_of_the_steps_take_each_step_twice():
    assert repeats(2000, 64) == 2
    assert steps_in_all(2000, 2001) == 2000


def test_too_few_states_are_refused():
    with pytest.raises(ValueError, match="expected 3 or more"):
        list(schedule(10, 2))
