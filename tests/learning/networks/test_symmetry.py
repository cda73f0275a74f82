"""The square's symmetries are a group, and the simulated physics obeys them."""

import numpy as np
import pytest
import torch

from opalux.base.axes import EDGES
from opalux.learning.networks.symmetry import SQUARE, transform_map, transform_signals
from opalux.solver.march import simulate
from opalux.solver.problem import Problem


@pytest.mark.parametrize("symmetry", SQUARE)
def test_the_inverse_undoes_a_symmetry(symmetry):
    draw = torch.Generator().manual_seed(0)
    density = torch.rand(5, 5, generator=draw)
    signals = torch.rand(4, 4, 3, 2, 5, generator=draw)
    there_and_back = transform_map(transform_map(density, symmetry), symmetry.inverse)
    assert torch.equal(there_and_back, density)
    there_and_back = transform_signals(transform_signals(signals, symmetry), symmetry.inverse)
    assert torch.equal(there_and_back, signals)


def test_the_eight_symmetries_differ():
    density = torch.arange(9.0).reshape(3, 3)
    images = {tuple(transform_map(density, s).flatten().tolist()) for s in SQUARE}
    assert len(images) == 8


def simulated(scheme: str, density: np.ndarray) -> torch.Tensor:
    """Return the signals (source, edge, quantity, time, cell) of the published experiment."""
    side = len(density)
    recorded = []
    for source in EDGES:
        problem = Problem.model_validate(
            {
                "scheme": scheme,
                "grid": {"nx": side, "ny": side},
                "time": {"final": 0.003},
                "edges": {source: {"kind": "source", "sources": [{"start": 0, "stop": 1}]}},
            }
        )
        signals = simulate(problem, density=density).signals
        recorded.append(
            [
                [s[:, 0], np.hypot(s[:, 1], s[:, 2]), s[:, 3]]
                for s in (signals[edge] for edge in EDGES)
            ]
        )
    return torch.from_numpy(np.array(recorded))


@pytest.mark.parametrize("scheme", ["consistent", "published"])
def test_the_simulation_of_a_transformed_density_is_the_transformed_simulation(scheme):
    density = np.random.default_rng(3).uniform(1, 5, (10, 10))
    signals = simulated(scheme, density)
    for symmetry in SQUARE:
        turned = transform_map(torch.from_numpy(density), symmetry).contiguous().numpy()
        again = simulated(scheme, turned)
        expected = transform_signals(signals, symmetry)
        # To rounding, in units of each quantity's size.
        scale = expected.abs().amax((0, 1, 3, 4), keepdim=True)
        assert float(((again - expected) / scale).abs().max()) < 1e-12, symmetry
