"""Priors: their gradients, and what they like."""

import numpy as np
import pytest

from opalux.solver.inversion.priors import (
    TV_ROUNDING,
    Gaussian,
    NoPrior,
    Prior,
    Smooth,
    TotalVariation,
)
from opalux.solver.inversion.unknown import gathered, refined

RHO = 1 + np.random.default_rng(0).random((5, 7))
PRIORS: dict[str, Prior] = {
    "tv": TotalVariation(15.0),
    "h1": Smooth(4.0),
    "gaussian": Gaussian(RHO[::-1].copy(), 0.3 + 0.1 * RHO, 2.0),
    "none": NoPrior(),
}


@pytest.mark.parametrize("name", PRIORS)
def test_the_gradient_of_a_prior_is_that_of_differences(name):
    prior, h = PRIORS[name], 1e-5
    found = np.empty_like(RHO)
    for place in np.ndindex(*RHO.shape):
        change = np.zeros_like(RHO)
        change[place] = h
        found[place] = (prior.value(RHO + change)[0] - prior.value(RHO - change)[0]) / (2 * h)
    np.testing.assert_allclose(prior.value(RHO)[1], found, atol=1e-6)


@pytest.mark.parametrize("name", ["h1", "gaussian"])
def test_the_curvature_of_a_quadratic_prior_is_the_slope_of_its_gradient(name):
    prior = PRIORS[name]
    change = np.random.default_rng(1).standard_normal(RHO.shape)
    expected = prior.value(RHO + change)[1] - prior.value(RHO)[1]
    root = prior.root(RHO)
    found = (root.T @ (root @ change.ravel())).reshape(RHO.shape)
    np.testing.assert_allclose(found, expected, atol=1e-10)


@pytest.mark.parametrize("name", ["tv", "h1"])
def test_a_flat_map_costs_nothing(name):
    penalty, gradient = PRIORS[name].value(np.full((4, 3), 2.5))
    assert penalty == 0.0
    assert not gradient.any()


def test_on_a_flat_map_total_variation_is_as_wide_as_its_density():
    weight, r = 3.0, np.linspace(0, 10, 20_001)
    density = r * np.exp(-weight * (np.sqrt(r**2 + TV_ROUNDING**2) - TV_ROUNDING))
    variance = 0.5 * (r**2 * density).sum() / density.sum()  # of each component
    root = TotalVariation(weight).width_root(np.full((4, 5), 2.0)).toarray()
    inner = root[np.abs(root).sum(1) > 0]
    np.testing.assert_allclose(np.abs(inner).max(1) ** 2, 1 / variance, rtol=0.05)
    steep = np.cumsum(np.full((4, 5), 3.0), axis=1)
    width, root = TotalVariation(weight).width_root(steep), TotalVariation(weight).root(steep)
    np.testing.assert_array_equal(width.toarray()[:20], root.toarray()[:20])  # along x


def test_gathering_is_the_transpose_of_refining():
    fine = np.random.default_rng(2).random((10, 14))
    assert (refined(RHO, 2) * fine).sum() == pytest.approx((RHO * gathered(fine, 2)).sum())
