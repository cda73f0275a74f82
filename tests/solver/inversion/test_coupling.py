"""Gains of groups of rows."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from opalux.solver.inversion.coupling import Coupling


def case(seed, spread):
    rng = np.random.default_rng(seed)
    n = 12
    coupling = Coupling(("a", "b", "c"), rng.integers(-1, 3, n), rng.uniform(0.8, 1.2, 3), spread)
    values, sigma = rng.uniform(0.5, 2, n), rng.uniform(0.05, 0.2, n)
    return coupling, values, 1.1 * values + sigma * rng.standard_normal(n), sigma, rng


def objective(coupling, gains, values, data, sigma):
    residual = (coupling.of_rows(gains) * values - data) / sigma
    return 0.5 * residual @ residual + coupling.penalty(gains)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**20), st.floats(0.01, 1.0))
def test_no_other_gains_are_more_likely(seed, spread):
    coupling, values, data, sigma, rng = case(seed, spread)
    best = coupling.gains(values, data, sigma)
    least = objective(coupling, best, values, data, sigma)
    for change in 0.01 * rng.standard_normal((5, 3)):
        assert objective(coupling, best + change, values, data, sigma) >= least - 1e-9


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**20), st.floats(0.01, 1.0))
def test_what_is_left_is_the_inverse_of_the_covariance_of_noise_and_gains(seed, spread):
    coupling, values, _, sigma, rng = case(seed, spread)
    columns = values[:, None] * (coupling.group[:, None] == np.arange(3))
    covariance = np.diag(sigma**2) + spread**2 * columns @ columns.T
    change = rng.standard_normal(12)
    exact = np.linalg.solve(covariance, change)
    np.testing.assert_allclose(coupling.left(change, values, sigma), exact, rtol=1e-7, atol=1e-8)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**20))
def test_the_response_is_the_derivative_where_the_values_explain_the_data(seed):
    coupling, values, _, sigma, rng = case(seed, 0.1)
    coupling = Coupling(coupling.names, coupling.group, np.ones(3), 0.1)
    change, h = rng.standard_normal(12), 1e-6
    more, less = (coupling.gains(values + k * h * change, values, sigma) for k in (1, -1))
    np.testing.assert_allclose(
        coupling.response(change, values, sigma), (more - less) / (2 * h), atol=1e-6
    )


def test_fixed_gains_stay_and_are_sure():
    coupling, values, data, sigma, _ = case(3, 0.0)
    np.testing.assert_array_equal(coupling.gains(values, data, sigma), coupling.known)
    assert not coupling.spreads(values, sigma).any()
    assert coupling.penalty(coupling.known) == 0.0
