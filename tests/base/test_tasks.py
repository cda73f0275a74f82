"""Tasks are done in this process when no other pool is given."""

import pytest

from opalux.base.tasks import InProcessPool, Pool


def total(pool: Pool, numbers: list[int]) -> int:
    return sum(absolute for _, absolute in pool.map(abs, numbers))


def test_any_function_can_take_the_pool_of_this_process():
    assert total(InProcessPool(), [-1, 2, -3]) == 6


def test_items_come_back_with_their_results_in_their_order():
    assert list(InProcessPool().map(str, [3, 1])) == [(3, "3"), (1, "1")]


def test_an_exception_in_a_task_ends_the_iteration():
    done = InProcessPool().map(int, ["1", "x", "3"])
    assert next(done) == ("1", 1)
    with pytest.raises(ValueError, match="invalid literal"):
        next(done)
