"""Signals are standardised as the settings say, with the training split's statistics."""

import numpy as np
import pytest
import torch

from opalux.base.axes import EDGES
from opalux.learning.data.data_set import DataSet
from opalux.learning.data.layout import Layout
from opalux.learning.networks.edge_vnet import EdgeVNetSettings
from opalux.learning.networks.objectives.whole_map import WholeMap
from opalux.learning.networks.reconstructor import build
from opalux.learning.training.scaling import scaling_of
from tests.learning.made_data import make_data

LAYOUT = Layout(EDGES, EDGES, ("E", "F", "T"), 8, 8, (8, 8))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return DataSet(make_data(tmp_path_factory.mktemp("scaled") / "set", train=20))


def standardised(data, **options):
    """Return the training signals (n, S, E, Q, T, N) as a network gets them."""
    model = build(EdgeVNetSettings(levels=1, width=2, features=2), LAYOUT, seed=0)
    seen = data.split("train")
    model.scale_by(scaling_of(data, seen, data.times, LAYOUT, WholeMap(), **options))
    signals = torch.from_numpy(np.stack([data.signals(int(p)) for p in seen]))
    taken = []
    model.network.register_forward_pre_hook(lambda _, given: taken.append(given[0]))
    model(signals)
    return model, taken[0]


def test_each_channel_is_standardised_over_samples_times_and_cells(data):
    _, scaled = standardised(data)
    torch.testing.assert_close(scaled.mean((0, 4, 5)), torch.zeros(4, 4, 3), atol=1e-4, rtol=0)
    torch.testing.assert_close(scaled.std((0, 4, 5)), torch.ones(4, 4, 3), atol=1e-2, rtol=0)


def test_each_time_can_be_standardised_by_itself(data):
    model, scaled = standardised(data, standardise="time", floor=1e-6)
    assert model.spread.min() > 1e-6 * model.signal_std.max(), "no time is as constant as that"
    torch.testing.assert_close(scaled.mean((0, 5)), torch.zeros(4, 4, 3, 8), atol=1e-4, rtol=0)
    torch.testing.assert_close(scaled.std((0, 5)), torch.ones(4, 4, 3, 8), atol=1e-2, rtol=0)


def test_each_cell_can_be_standardised_by_itself(data):
    model, scaled = standardised(data, standardise="cell", floor=1e-6)
    assert model.spread.min() > 1e-6 * model.signal_std.max(), "no cell is as constant as that"
    torch.testing.assert_close(scaled.mean(0), torch.zeros(4, 4, 3, 8, 8), atol=1e-4, rtol=0)
    spread = scaled.std(0, correction=0)
    torch.testing.assert_close(spread, torch.ones(4, 4, 3, 8, 8), atol=1e-3, rtol=0)


def test_what_hardly_changes_is_not_blown_up_beyond_the_floor(data):
    model, scaled = standardised(data, standardise="time", floor=0.9)
    assert (model.spread >= 0.9 * model.signal_std * (1 - 1e-6)).all()
    assert scaled.std((0, 5)).min() < 0.9


def test_the_statistics_are_those_of_the_times_that_the_network_takes(data):
    seen = data.split("train")
    layout = LAYOUT._replace(n_times=5)
    model = build(EdgeVNetSettings(levels=1, width=2, features=2), layout, seed=0)
    scaling = scaling_of(
        data, seen, data.times[2:7], layout, WholeMap(), standardise="time", floor=1e-6
    )
    model.scale_by(scaling)
    signals = np.stack([data.signals(int(p))[..., 2:7, :] for p in seen])
    expected = signals.mean((0, -1))
    np.testing.assert_allclose(model.centre[..., 0].numpy(), expected, rtol=1e-5)
