"""The grid error that a campaign is told is the one that its grids have."""

import numpy as np
import pytest

from opalux.jobs.sample import main
from opalux.jobs.sampling.campaign import Campaign
from opalux.jobs.sampling.grid_error import GridError, measure_grid_error

SETTINGS = {
    "splits": {"train": 3},
    "problem": {
        "scheme": "staggered",
        "grid": {"nx": 8},
        "time": {"final": 0.004},
        "signals": {"at": "edge"},
    },
    "families": [{"kind": "random_field", "levels": 0}],
    "n_times": 8,
}


def found(**changes):
    done: list[int] = []
    campaign = Campaign.model_validate(SETTINGS | changes)
    error = measure_grid_error(campaign, 2, 8, done.append)
    assert sum(done) == 2
    return error


def test_errors_fall_at_second_order_to_those_of_the_reference():
    error = found()
    assert error.refinements == (1, 2, 4)
    assert (error.errors[0] > 2.5 * error.errors[1]).all()
    assert (error.errors[1] > 2.5 * error.errors[2]).all()


def test_the_campaigns_own_refinement_plays_no_part():
    assert np.array_equal(found().errors, found(refinement=2).errors)


def test_the_coarsest_grid_that_will_do_is_advised():
    errors = np.array([[6.0, 7, 8], [1.5, 1.9, 9], [0.5, 0.6, 0.7]])
    some = GridError(refinements=(1, 2, 4), reference=8, errors=errors)
    assert some.advised == 2
    assert "refinement: 2 keeps" in str(some)
    none = GridError(refinements=(1,), reference=2, errors=errors[:1])
    assert none.advised is None
    assert "try a finer --reference" in str(none)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--reference", "3"], "--reference: found 3, expected 2, 4, 8 or 16"),
        (["--maps", "0"], "--maps: found 0"),
        (["--maps", "99999"], "--maps: found 99999"),
        (["--set", "n_times=1"], "n_times"),
    ],
)
def test_bad_words_are_refused(words, message, capsys):
    assert main(["grid-error", "broad", *words]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("error:") == 1


def test_the_command_prints_the_table(capsys):
    words = ["grid-error", "broad", "--set", "problem.grid.nx=8", "--set", "problem.grid.ny=8"]
    assert main([*words, "--maps", "1", "--reference", "2"]) == 0
    assert "refinement   median   9 of 10   largest" in capsys.readouterr().out
