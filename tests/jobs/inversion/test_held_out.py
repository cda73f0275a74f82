"""The spread of a reconstruction is as wide as errors were on maps held out from training."""

import numpy as np
import pytest

from opalux.base.axes import depths
from opalux.jobs.inversion.misfit import WITHIN, HeldOut, _scale


def test_two_thirds_of_the_cells_lie_within_the_spread_at_every_depth():
    draw = np.random.default_rng(0)
    depth = depths((16, 16))
    too_small = 1 + 0.5 * depth  # by which the deviation is too small, more so inside
    deviation = draw.uniform(0.1, 0.3, (80, 16, 16))
    error = np.abs(draw.standard_normal(deviation.shape)) * too_small * deviation
    usual = HeldOut(0.0, _scale((error / deviation)[:40]))
    found = [usual.spread(one.astype(np.float32)) for one in deviation[40:]]
    spread = np.stack([one for one in found if one is not None])
    for d in range(8):
        within = (error[40:] <= spread)[:, depth == d].mean()
        assert within == pytest.approx(WITHIN, abs=0.09), f"depth {d}"


def test_a_single_answer_has_no_spread():
    assert HeldOut(0.1, None).spread(np.ones((4, 4), np.float32)) is None
    assert HeldOut(0.1, np.ones(2)).spread(None) is None
