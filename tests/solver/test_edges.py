"""What of an edge a portion of a source covers."""

import numpy as np
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opalux.solver.edges import Pulse
from opalux.solver.march import simulate
from opalux.solver.problem import Problem

ENDS = st.tuples(st.floats(0, 1), st.floats(0, 1)).filter(lambda ends: ends[0] != ends[1])


def centres(n):
    return (np.arange(n) + 0.5) / n


@given(ENDS, st.integers(1, 40))
def test_shares_of_cells_add_up_to_the_portion(ends, n):
    low, high = sorted(ends)
    covered = Pulse(start=low, stop=high, ends="share").covers(centres(n), 1 / n)
    assert covered.min() >= 0
    assert covered.max() <= 1
    assert covered.sum() / n == pytest.approx(high - low, abs=1e-12)


@given(st.integers(1, 40), st.data())
def test_ends_between_cells_cover_the_same_by_centre_and_by_share(n, data):
    low = data.draw(st.integers(0, n - 1))
    high = data.draw(st.integers(low + 1, n))
    by_centre, by_share = (
        Pulse(start=low / n, stop=high / n, ends=ends).covers(centres(n), 1 / n)
        for ends in ("centre", "share")
    )
    np.testing.assert_allclose(by_share, by_centre, atol=1e-12)


def test_the_whole_edge_is_covered_where_ends_are_left_out():
    np.testing.assert_allclose(Pulse(ends="share").covers(centres(5), 0.2), 1, atol=1e-12)


@pytest.mark.parametrize(("ends", "continuous"), [("share", True), ("centre", False)])
def test_signals_change_continuously_with_the_ends_of_shares(ends, continuous):
    def signals(stop):
        portion = {"start": 0.1, "stop": stop, "ends": ends}
        problem = Problem(
            scheme="staggered",
            grid={"nx": 8, "ny": 8},
            time={"final": 0.004},
            edges={"left": {"kind": "source", "sources": [portion]}},
        )
        return simulate(problem, np.ones((8, 8))).signals["left"]

    centre = 2.5 / 8
    jump = np.abs(signals(centre + 1e-9) - signals(centre - 1e-9)).max()
    assert bool(jump < 1e-4) == continuous, jump  # the exchange with matter is solved to about 1e-6


def test_a_portion_of_shares_needs_a_width():
    with pytest.raises(pydantic.ValidationError, match="a portion with a width"):
        Pulse(start=0.5, stop=0.5, ends="share")
