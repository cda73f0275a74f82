"""The symmetries of the domain are a group, and the simulated physics obeys them."""

import numpy as np
import pytest
import torch

from opalux.base.axes import EDGES
from opalux.learning.data.layout import Layout
from opalux.learning.networks.symmetry import (
    RECTANGLE,
    SQUARE,
    symmetries_of,
    transform_map,
    transform_signals,
)
from opalux.solver.march import simulate
from opalux.solver.problem import Problem
from opalux.solver.solution import edge_quantities


@pytest.mark.parametrize("symmetry", SQUARE)
def test_the_inverse_undoes_a_symmetry(symmetry):
    draw = torch.Generator().manual_seed(0)
    density = torch.rand(5, 5, generator=draw)
    signals = torch.rand(4, 4, 3, 2, 5, generator=draw)
    there_and_back = transform_map(transform_map(density, symmetry), symmetry.inverse)
    assert torch.equal(there_and_back, density)
    turned = transform_signals(signals, symmetry, (5, 5))
    there_and_back = transform_signals(turned, symmetry.inverse, (5, 5))
    assert torch.equal(there_and_back, signals)


def test_the_eight_symmetries_differ():
    density = torch.arange(9.0).reshape(3, 3)
    images = {tuple(transform_map(density, s).flatten().tolist()) for s in SQUARE}
    assert len(images) == 8


def simulated(scheme: str, density: np.ndarray) -> torch.Tensor:
    """Return the signals (source, edge, quantity, time, cell) of the published experiment."""
    ny, nx = density.shape
    recorded = []
    for source in EDGES:
        problem = Problem.model_validate(
            {
                "scheme": scheme,
                "grid": {"nx": nx, "ny": ny, "x": [0, 1], "y": [0, ny / nx]},
                "time": {"final": 0.003},
                "edges": {source: {"kind": "source", "sources": [{"start": 0}]}},
            }
        )
        signals = simulate(problem, density=density).signals
        of_edges = [np.stack(edge_quantities(signals[edge])) for edge in EDGES]
        padding = [((0, 0), (0, 0), (0, max(ny, nx) - one.shape[-1])) for one in of_edges]
        recorded.append(list(map(np.pad, of_edges, padding)))
    return torch.from_numpy(np.array(recorded))


@pytest.mark.parametrize(
    ("scheme", "shape"),
    [("consistent", (10, 10)), ("published", (10, 10)), ("consistent", (6, 10))],
)
def test_the_simulation_of_a_transformed_density_is_the_transformed_simulation(scheme, shape):
    density = np.random.default_rng(3).uniform(1, 5, shape)
    signals = simulated(scheme, density)
    ny, nx = shape
    for symmetry in SQUARE if ny == nx else RECTANGLE:
        turned = transform_map(torch.from_numpy(density), symmetry).contiguous().numpy()
        again = simulated(scheme, turned)
        expected = transform_signals(signals, symmetry, shape)
        # To rounding, in units of each quantity's size.
        scale = expected.abs().amax((0, 1, 3, 4), keepdim=True)
        assert float(((again - expected) / scale).abs().max()) < 1e-12, symmetry


def test_x_and_y_are_exchanged_only_on_a_square_of_square_cells():
    square = Layout(EDGES, EDGES, ("E",), 3, 6, (6, 6))
    assert symmetries_of(square) == SQUARE
    assert symmetries_of(square._replace(shape=(4, 6))) == RECTANGLE
    assert symmetries_of(square._replace(square_cells=False)) == RECTANGLE
