"""A calibration finds the straight lines, and raises no noise."""

import numpy as np
import pytest

from opalux.learning.training.calibration import fit_calibration

SHAPE = (12, 2, 4, 3, 5, 8)  # densities, sources, edges, quantities, times, cells


@pytest.fixture
def finer():
    return np.random.default_rng(4).standard_normal(SHAPE).astype(np.float32) + 3


def test_straight_lines_of_every_channel_and_time_are_found(finer):
    draw = np.random.default_rng(5)
    slope, offset = draw.uniform(0.5, 1.5, (2, *SHAPE[1:-1], 1)).astype(np.float32)
    calibration = fit_calibration(finer, slope * finer + offset)
    np.testing.assert_allclose(calibration(finer[3]), slope * finer[3] + offset, atol=2e-3)


def test_signals_that_hardly_vary_keep_their_noise_as_it_is(finer):
    finer[..., 0, :] = 3 + 1e-5 * (finer[..., 0, :] - 3)
    coarser = finer.copy()
    coarser[..., 0, :] = 3.5 - 40 * (finer[..., 0, :] - 3)
    calibration = fit_calibration(finer, coarser)
    assert np.abs(calibration.slope[..., 0, :] - 1).max() < 0.01
    np.testing.assert_allclose(calibration(finer[0])[..., 0, :], 3.5, atol=2e-3)
