"""What a run finds wrong, or doubtful, in the medium and its edges while it goes on."""

import warnings
from typing import Any

import numpy as np
import pytest

from opalux.solver.domains.domain import SerialDomain
from opalux.solver.march import March, SolverFailure, simulate
from opalux.solver.problem import Problem
from opalux.solver.watch import SolverWarning

HOT: dict[str, Any] = {"initial": {"E": "x < 0.5 ? 9 : 1000"}}


def problem_with(**settings):
    base = {"grid": {"nx": 10, "ny": 4, "x": [0, 1]}, "time": {"final": 0.05}}
    return Problem.model_validate(base | settings)


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "a heat capacity that falls below zero": (
        HOT | {"material": {"heat_capacity": "6-T"}},
        r"heat_capacity: found '6-T' = -.* T = .* at \[x, y\] = \[0.\d+, .*expected finite and > 0",
    ),
    "a heat capacity that is infinite": (
        HOT | {"material": {"heat_capacity": "T < 8 ? 0.1 : 1/0"}},
        r"heat_capacity: .* = inf|not finite",
    ),
    "an absorption that falls below zero": (
        HOT | {"material": {"sigma_a": "6-T", "sigma_c": "20"}},
        r"sigma_a: found '6-T' = -.*expected finite and >= 0",
    ),
    "a total opacity that falls below zero where it is dense": (
        HOT | {"material": {"density": "1+x", "sigma_a": "0.1*rho", "sigma_c": "rho*(5.5-T)"}},
        r"sigma_c: found .* = -|not finite",
    ),
    "an opacity that is no number": (
        HOT | {"material": {"sigma_a": "T < 8 ? 1 : 0/0", "sigma_c": "2"}},
        r"sigma_a: .* = -?nan|not finite",
    ),
    "a source that takes out what is not there": (
        {"source": "-1e5"},
        r"source: found '-1e5' = -100000, .* \(E = -.*expected E >= 0 where source < 0",
    ),
    "one of some cells for some time": (
        {"source": "x > 0.7 && t < 0.003 ? -1e6*x : 0"},
        r"source: .*\(E = -.* at \[x, y\] = \[0.75",
    ),
}


@pytest.mark.parametrize("schemed", [{}, {"order": 2}, {"dtype": "float32"}], ids=repr)
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.filterwarnings("ignore::opalux.solver.watch.SolverWarning")
def test_a_medium_that_becomes_impossible_ends_the_run_with_one_message(fault, schemed):
    settings, message = FAULTS[fault]
    with pytest.raises(SolverFailure, match=message) as caught:
        simulate(problem_with(**settings, **schemed))
    assert "after step" in str(caught.value)


def test_a_negative_wake_and_a_sink_with_enough_to_take_are_no_faults():
    pulse = {
        "grid": {"nx": 32},
        "time": {"final": 0.003},
        "constants": {"eddington": 0.5},
        "material": {"sigma_a": "0", "sigma_c": "0"},
        "initial": {"E": "1e-9 + exp(-200*((x-0.5)^2+(y-0.5)^2))"},
        "source": "1e-9",
        "order": 1,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error", SolverWarning)
        assert simulate(problem_with(**pulse)).fields[0].min() < 0
        simulate(problem_with(source="-10"))


def told(settings, density=None, run=simulate):
    """Return the warnings of a run."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", SolverWarning)
        run(problem_with(**settings), density)
    return [str(warning.message) for warning in caught if warning.category is SolverWarning]


def source(**pulse):
    return {"edges": {"left": {"kind": "source", "sources": [pulse]}}}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"material": {"sigma_a": "2*rho", "sigma_c": "rho"}}, ["sigma_c", "below sigma_a"]),
        ({"material": {"sigma_a": "1", "sigma_c": "0.5"}}, ["sigma_c", "total opacity"]),
        (HOT | {"material": {"sigma_a": "6", "sigma_c": "T+0.5"}}, ["sigma_c", "T+0.5"]),
        (HOT | {"material": {"sigma_a": "T-4", "sigma_c": "2"}}, ["sigma_c", "T-4"]),
        (source(amplitude=50.0), ["edges.left.E", "-41.4"]),
        ({"edges": {"up": {"kind": "prescribed", "E": "x-0.5"}}}, ["edges.up.E", "-0.45"]),
        ({"edges": {"up": {"kind": "prescribed", "E": "8", "T": "1-100*t"}}}, ["edges.up.T"]),
    ],
)
def test_what_is_hardly_meant_is_told_once(settings, words):
    found = told(settings | {"time": {"final": 0.1}})
    assert len(found) == 1, found
    assert all(word in found[0] for word in words)


def test_opacities_that_differ_by_rounding_alone_are_not_doubted():
    same = {"sigma_a": "0.1*rho+0.2*rho", "sigma_c": "0.3*rho"}
    assert told({"material": same} | source()) == []


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("0 0\n0.01 3", [["ends at t = 0.01", "3, is kept"]]),
        ("0.001 2\n0.2 3", [["begins at t = 0.001", "2, is taken"]]),
        ("0 0\n0.05 3", []),
    ],
)
def test_a_source_table_that_is_too_short_is_told_once(rows, words, tmp_path):
    (tmp_path / "pulse.txt").write_text(rows)
    found = told(source(table=str(tmp_path / "pulse.txt")))
    assert len(found) == len(words)
    for text, expected in zip(found, words, strict=True):
        assert all(word in text for word in expected), text


def test_further_runs_on_the_same_medium_do_not_repeat_what_was_told():
    def twice(problem, density):
        march = March(problem, SerialDomain(problem), density)
        list(march.run())
        march.restart(problem.edges)
        list(march.run())

    settings = {"material": {"sigma_a": "2*rho", "sigma_c": "rho"}}
    assert len(told(settings, np.full((4, 10), 1.5), twice)) == 1
