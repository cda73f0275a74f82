"""Signals of the staggered scheme are right to a few units of a measurement's noise."""

import pytest

from opalux.solver.verification.grid_error import error, maps


@pytest.mark.parametrize("name", maps())
def test_signals_of_the_staggered_scheme_are_right_to_a_few_units_of_noise(name):
    assert error(name, 32, scheme="staggered") <= 7
    assert error(name, 64, scheme="staggered") <= 2


def test_the_other_schemes_agree_on_what_they_converge_to():
    """First order is far away, and on its way; the reference is no peculiarity of one scheme."""
    first = [error("lens", cells) for cells in (32, 64, 128)]
    assert first[0] > 4 * error("lens", 32, scheme="staggered")
    assert first[2] < 0.65 * first[1] < 0.45 * first[0]
    assert error("lens", 64, order=2, positivity="off") <= 2.5
