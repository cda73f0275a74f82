"""The diagonal of the Hessian, estimated."""

import numpy as np
import pytest

from opalux.solver.inversion import metric
from opalux.solver.inversion.priors import Gaussian, Smooth

SHAPE = (3, 4)


class Matrix:
    """A simulation that is linear in the density."""

    def __init__(self):
        self.J = np.random.default_rng(2).standard_normal((30, 12)) * np.logspace(0, 2, 12)

    def pull(self, weights):
        return (self.J.T @ weights).reshape(SHAPE)


def test_the_estimate_is_the_diagonal_in_the_mean(monkeypatch):
    monkeypatch.setattr(metric, "DRAWS", 4000)
    monkeypatch.setattr(metric, "SMOOTHED", 0.0)
    forward, sigma = Matrix(), np.linspace(0.5, 2, 30)
    rho = np.linspace(1, 3, 12).reshape(SHAPE)
    exact = rho.ravel() ** 2 * ((forward.J / sigma[:, None]) ** 2).sum(0)
    found = metric.data_curvature(forward.pull, rho, sigma, 0)
    np.testing.assert_allclose(found.ravel(), exact, rtol=0.1)


@pytest.mark.parametrize("prior", [Smooth(4.0), Gaussian(np.ones(SHAPE), np.full(SHAPE, 0.1))])
def test_the_prior_s_part_is_exact(prior):
    rho, h = np.linspace(1, 3, 12).reshape(SHAPE), 1e-4
    found = metric.prior_curvature(prior, rho) - metric.LEAST
    for place in np.ndindex(*SHAPE):
        change = np.zeros(SHAPE)
        change[place] = h
        slope = (prior.value(rho + change)[1] - prior.value(rho - change)[1])[place] / (2 * h)
        assert found[place] == pytest.approx(slope * rho[place] ** 2, rel=1e-6)
