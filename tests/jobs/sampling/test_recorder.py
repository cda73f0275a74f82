"""What is recorded of a simulation, and its transpose."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opalux.base.axes import EDGES
from opalux.jobs.sampling.recorder import Recorder


@settings(deadline=None)
@given(
    steps=st.integers(2, 9),
    n_times=st.integers(2, 12),
    refinement=st.integers(1, 3),
    quantities=st.sampled_from([("E",), ("E", "F", "T"), ("T", "F"), ("F",)]),
    seed=st.integers(0, 99),
)
def test_pull_is_the_transpose_of_the_derivative_of_add(
    steps, n_times, refinement, quantities, seed
):
    rng = np.random.default_rng(seed)
    times = np.linspace(0.0, 1.0, steps)
    wanted = np.linspace(0.0, 1.0, n_times)
    recorder = Recorder(times, wanted, quantities, refinement)
    cells = {edge: 4 if edge in ("up", "down") else 3 for edge in EDGES}
    shapes = {edge: (steps, 4, n * refinement) for edge, n in cells.items()}
    signals = {edge: 1 + rng.random(shape) for edge, shape in shapes.items()}
    along = {edge: rng.standard_normal(shape) for edge, shape in shapes.items()}

    def recorded(share):
        out = np.zeros(recorder.shape(4))
        recorder.add(out, {edge: signals[edge] + share * along[edge] for edge in EDGES}, 0)
        return out

    change = (recorded(1e-4) - recorded(-1e-4)) / 2e-4
    weights = rng.standard_normal(change.shape)
    pulled = recorder.pull(weights, signals)
    expected = sum(float((pulled[edge] * along[edge]).sum()) for edge in EDGES)
    assert float((weights * change).sum()) == pytest.approx(expected, rel=1e-6, abs=1e-7)
