"""The picture of what a reconstruction explains shows what is known, at the far edge."""

from typing import Any

import numpy as np
import pytest

from opalux.base.axes import EDGES
from opalux.jobs.inversion.misfit import Fit
from opalux.jobs.inversion.signal_fit import signal_fit
from opalux.learning.data.layout import Layout

LAYOUT = Layout(EDGES, EDGES, ("E", "F", "T"), 5, 6, (6, 6))


@pytest.fixture
def fit():
    given = np.random.default_rng(0).uniform(1, 2, LAYOUT.signals_shape).astype(np.float32)
    again = 1.01 * given
    given[2] = np.nan  # the third source was not measured
    given[1, EDGES.index("up")] = np.nan  # nor the second at its far edge
    return Fit(LAYOUT, np.linspace(0, 0.01, 5), given, again.astype(np.float32))


def test_the_misfit_is_that_of_what_is_known(fit):
    assert fit.misfit == pytest.approx(0.01, rel=1e-4)


def test_each_measured_source_is_shown_at_its_far_edge_or_at_one_that_is_known(fit):
    axes: Any = signal_fit(fit).axes
    shown = [
        axis.get_ylabel().replace("\n", ", ") for axis in axes if "source" in axis.get_ylabel()
    ]
    assert shown == [
        "source up, down edge [cell]",
        "source down, down edge [cell]",
        "source right, left edge [cell]",
    ]
    bars = [len(axis.patches) for axis in axes if axis.get_ylabel() == "misfit [%]"]
    heights = [patch.get_height() for axis in axes for patch in axis.patches]
    assert bars == [4, 4, 4]
    np.testing.assert_allclose(np.array(heights)[np.isfinite(heights)], 1.0, rtol=1e-3)
    assert np.isnan(heights).sum() == 1
