"""Powers in vector instructions are those of the mathematical library, to the last bit."""

import math

import numpy as np
import pytest

from opalux.solver.schemes.rounded_powers import cubes, fourth_powers, fourth_roots

RNG = np.random.default_rng(0)
ODD = [0.0, -0.0, 1.0, 2.0, 16.0, 81.0, 5e-324, 1e-300, 1e-60, 1e60, math.inf, math.nan]


@pytest.mark.parametrize(
    ("power", "exponent"), [(cubes, 3.0), (fourth_powers, 4.0), (fourth_roots, 0.25)]
)
@pytest.mark.parametrize("decades", [1, 12, 60])
def test_powers_have_the_bits_of_the_library(power, exponent, decades):
    x = np.concatenate([10 ** RNG.uniform(-decades, decades, 20_000), ODD])
    found, sure = np.empty_like(x), np.empty_like(x)
    power(found, x, sure)
    expected = [math.nan if np.isnan(v) else math.pow(v, exponent) for v in x]
    np.testing.assert_array_equal(found, expected)
    assert 0.5 < sure.mean() < 1  # most are found without the library, and some are not
