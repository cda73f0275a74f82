"""The measures have their textbook values."""

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, r2_score

from opalux.jobs.inversion import metrics


@pytest.fixture
def maps():
    draw = np.random.default_rng(2)
    truth = draw.uniform(1, 5, (6, 12, 12)).astype(np.float32)
    return truth, truth + 0.3 * draw.standard_normal(truth.shape).astype(np.float32)


def test_r2_and_mae_agree_with_scikit_learn(maps):
    truth, found = maps
    assert metrics.r2_pooled(truth, found) == pytest.approx(r2_score(truth.ravel(), found.ravel()))
    each = [r2_score(t.ravel(), f.ravel()) for t, f in zip(truth, found, strict=True)]
    np.testing.assert_allclose(metrics.r2_each(truth, found), each, rtol=1e-6)
    expected = mean_absolute_error(truth.ravel(), found.ravel())
    assert metrics.mae(truth, found) == pytest.approx(expected, rel=1e-5)


def test_r2_of_a_uniform_map_is_undefined_and_left_out_of_the_mean(maps):
    truth, found = maps
    truth[0] = 2.0
    assert np.isnan(metrics.r2_each(truth, found)[0])
    others = [r2_score(t.ravel(), f.ravel()) for t, f in zip(truth[1:], found[1:], strict=True)]
    assert metrics.summary(truth, found, 4.0)["r2_mean"] == pytest.approx(np.mean(others))


def test_relative_errors_of_a_scaled_map_are_the_scale(maps):
    truth, _ = maps
    assert metrics.rel_l1(truth, 1.1 * truth) == pytest.approx(0.1, rel=1e-4)
    assert metrics.rel_l2(truth, 1.1 * truth) == pytest.approx(0.1, rel=1e-4)
    assert metrics.data_misfit(1.1 * truth, truth) == pytest.approx(0.1, rel=1e-4)


def test_ssim_is_one_for_equal_maps_and_known_for_uniform_ones(maps):
    truth, found = maps
    assert metrics.ssim(truth, truth, 4.0) == pytest.approx(1.0)
    assert metrics.ssim(truth, found, 4.0) < 1.0
    a, b, c1 = 2.0, 3.0, (0.01 * 4.0) ** 2
    uniform = np.ones((1, 16, 16))
    expected = (2 * a * b + c1) / (a * a + b * b + c1)
    assert metrics.ssim(a * uniform, b * uniform, 4.0) == pytest.approx(expected)


def test_error_by_depth_separates_the_rings_of_cells():
    truth = np.zeros((2, 5, 6))
    found = truth.copy()
    found[:, 1:-1, 1:-1] = 1.0
    found[:, 2, 2:4] = 3.0
    np.testing.assert_allclose(metrics.error_by_depth(truth, found), [0.0, 1.0, 3.0])


def test_the_spread_of_gaussian_errors_covers_what_it_should():
    draw = np.random.default_rng(3)
    truth = np.zeros((50, 40, 40))
    spread = draw.uniform(0.5, 1.5, truth.shape)
    found = metrics.coverage(truth, 2 * spread * draw.standard_normal(truth.shape), spread)
    assert found["scale"] == pytest.approx(2.0, rel=0.02)
    assert found["within_2"] == pytest.approx(0.683, abs=0.01)


def test_the_coverage_by_depth_is_that_of_each_ring_of_cells(maps):
    truth, _ = maps
    error = np.zeros((12, 12))
    error[1:-1, 1:-1] = 1.5
    error[3:-3, 3:-3] = 3.0
    found = metrics.coverage_by_depth(truth, truth + error, np.ones_like(truth))
    assert found == {"within_1": [1, 0, 0, 0, 0, 0], "within_2": [1, 1, 1, 0, 0, 0]}
    rng = np.random.default_rng(0)
    truth = np.zeros((400, 12, 12))
    gaussian = metrics.coverage_by_depth(truth, rng.standard_normal(truth.shape), truth + 1)
    np.testing.assert_allclose(gaussian["within_1"], 0.683, atol=0.03)
    np.testing.assert_allclose(gaussian["within_2"], 0.954, atol=0.02)
