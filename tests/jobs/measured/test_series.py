"""Of whole time series, times are picked so that a limit holds, and nothing else changes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opalux.base.axes import EDGES
from opalux.base.errors import InputError
from opalux.jobs.measured.series import picked, require_fit, rows_of
from opalux.jobs.measured.settings import MeasuredProblem
from opalux.learning.data.measurement import Measurement

FINAL = 0.01
PROBLEM = MeasuredProblem.model_validate(
    {"grid": {"nx": 6, "ny": 4, "x": [0, 1.5], "y": [0, 1]}, "time": {"final": FINAL}}
)


def series(times, source="left", cells=(6, 4), last=FINAL, **more):
    """Signals in which each value tells its quantity, time and cell."""
    signals = {}
    for edge, n in zip(EDGES, (cells[0], cells[0], cells[1], cells[1]), strict=True):
        signals[edge] = np.arange(3 * times * n, dtype=float).reshape(3, times, n) + 1
    t = np.linspace(0, last, times)
    return Measurement("a.h5", source, t, signals, at="edge", **more)


@given(
    st.lists(st.tuples(st.integers(2, 60), st.integers(1, 5)), min_size=1, max_size=4),
    st.integers(60, 20_000),
)
def test_the_most_times_are_picked_that_keep_below_the_limit(sizes, most):
    files = [series(times, cells=(n, n)) for times, n in sizes]

    def values(one_in):
        return sum(len(rows_of(one, PROBLEM, one_in)) for one in files)

    try:
        picks = picked(files, FINAL, most)
    except InputError:
        fewest = max(k for k in range(1, 61) if all(-(-times // k) >= 2 for times, _ in sizes))
        assert values(fewest) > most
        return
    assert picks.whole == values(1)
    assert picks.values == values(picks.one_in) <= most
    assert picks.one_in == 1 or values(picks.one_in - 1) > most


@given(st.integers(2, 40), st.integers(1, 39))
def test_picked_values_are_those_of_the_file_and_the_last_time_is_among_them(times, one_in):
    one = series(times)
    rows, whole = rows_of(one, PROBLEM, one_in), rows_of(one, PROBLEM, 1)
    assert rows.time.max() == one.times[-1]
    kept = np.isin(whole.time, one.times[::-1][::one_in])
    for name in ("source", "edge", "quantity", "position", "time", "value"):
        np.testing.assert_array_equal(getattr(rows, name), getattr(whole, name)[kept])


def test_times_after_the_end_of_the_problem_do_not_count():
    one = series(41, last=2 * FINAL)
    assert picked([one], FINAL, 10**6).whole == 21 * 3 * 20
    assert rows_of(one, PROBLEM, 1).time.max() == pytest.approx(FINAL)


@pytest.mark.parametrize(
    ("files", "part"),
    [
        ([series(5), series(7)], "found source left, as in a.h5, expected each source once"),
        ([series(5, last=9 * FINAL)], "found 1 times up to problem.time.final = 0.01 sh"),
        (
            [series(5, physics={"grid": {"nx": 6, "ny": 4, "x": [0, 3], "y": None}})],
            "found a domain from 0 to 3 cm along x, expected 0 to 1.5 cm",
        ),
        (
            [series(5, physics={"grid": {"nx": 6, "ny": 8, "x": [0, 1.5], "y": None}})],
            "found a domain from 0 to 2 cm along y, expected 0 to 1 cm",
        ),
    ],
)
def test_series_that_do_not_fit_are_refused(files, part):
    with pytest.raises(InputError) as error:
        require_fit(files, PROBLEM)
    assert part in str(error.value)
