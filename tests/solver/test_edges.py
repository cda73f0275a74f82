"""What of an edge a portion of a source covers."""

import re
from pathlib import Path

import numpy as np
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opalux.base.config import check
from opalux.base.errors import InputError
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


@pytest.mark.parametrize(
    ("edge", "field", "found"),
    [
        ({"kind": "prescribed", "E": "1/0"}, "E", "'1/0', which is inf"),
        ({"kind": "prescribed", "Fy": "log(0)"}, "Fy", "'log(0)', which is -inf"),
        ({"kind": "source", "T": "0/0"}, "T", "'0/0', which is nan"),
        ({"kind": "source", "sources": [{"signal": "1/0"}]}, "source.sources.0", "which is inf"),
        ({"kind": "vacuum", "T": "-1/0"}, "T", "'-1/0', which is -inf"),
    ],
)
@pytest.mark.parametrize("name", ["up", "right"])
def test_a_constant_that_is_not_finite_is_refused_with_its_edge(edge, field, found, name):
    with pytest.raises(InputError) as error:
        check(Problem, {"grid": {"nx": 8}, "edges": {name: edge}}, source="a", folder=Path())
    message = str(error.value)
    assert f"{name}.{field}" in message
    assert found in message
    assert "expected a finite number" in message


@pytest.mark.parametrize(
    ("edge", "field"),
    [
        ({"kind": "prescribed", "E": "1/t"}, "E: found '1/t', which is inf"),
        ({"kind": "prescribed", "T": "1/(x - 0.0625)"}, "T: found '1/(x - 0.0625)'"),
        ({"kind": "source", "Fx": "log(t - 1)"}, "Fx: found 'log(t - 1)', which is nan"),
        ({"kind": "source", "sources": [{}, {"signal": "1/t"}]}, "sources.1: found '1/t'"),
        ({"kind": "source", "sources": [{"frequency": 1e308}]}, "sources.0: found '5*sin("),
        ({"kind": "vacuum", "T": "1/(t*x)"}, "T: found '1/(t*x)'"),
    ],
)
def test_a_formula_that_is_not_finite_is_refused_before_the_first_step(edge, field):
    problem = Problem.model_validate({"grid": {"nx": 8}, "edges": {"down": edge}})
    with pytest.raises(InputError, match=re.escape(f"edges.down.{field}")):
        simulate(problem)


@pytest.mark.parametrize(
    "source", ["1/0", "1/t", "log(t - 1)", "1/(x - 0.0625)", "(1 + t)/(y - 0.0625)"]
)
def test_a_volume_source_that_is_not_finite_is_refused_before_the_first_step(source):
    problem = Problem.model_validate({"grid": {"nx": 8}, "source": source})
    with pytest.raises(InputError, match=re.escape(f"source: found '{source}', which is ")):
        simulate(problem)
