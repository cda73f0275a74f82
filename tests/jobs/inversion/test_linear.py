"""The linear baseline finds linear laws, and is as good on maps that it has not seen."""

import numpy as np
from sklearn.linear_model import RidgeCV

from opalux.base.axes import EDGES
from opalux.jobs.inversion import linear, metrics
from opalux.learning.data.data_set import DataSet
from opalux.learning.data.layout import Layout
from opalux.learning.networks.edge_vnet import EdgeVNetSettings
from opalux.learning.networks.reconstructor import build
from opalux.learning.training.scaling import scaling_of
from tests.learning.made_data import make_data


def test_a_linear_law_is_found_and_holds_on_other_maps(tmp_path):
    # One of the three quantities of the made signals is the density itself.
    data = DataSet(make_data(tmp_path / "set", train=24))
    layout = Layout(EDGES, EDGES, ("E", "F", "T"), 8, 8, (8, 8))
    model = build(EdgeVNetSettings(levels=1, width=2, features=2), layout, seed=0)
    seen, held_out = data.split("train"), data.split("test")
    model.scale_by(scaling_of(data, seen, data.times, layout, model.objective))
    found = linear.fit(model, data, seen, data.times).reconstruct(data, held_out)
    truth = np.stack([data.density(int(p)) for p in held_out])
    assert metrics.r2_pooled(truth, found) > 0.999


def test_it_is_the_ridge_regression_of_all_signals(tmp_path, monkeypatch):
    data = DataSet(make_data(tmp_path / "set", train=24))
    layout = Layout(EDGES, EDGES, ("E", "F", "T"), 8, 8, (8, 8))
    model = build(EdgeVNetSettings(levels=1, width=2, features=2), layout, seed=0)
    seen, held_out = data.split("train"), data.split("test")
    model.scale_by(scaling_of(data, seen, data.times, layout, model.objective))
    monkeypatch.setattr(linear, "BLOCK_BYTES", 5 * 4 * 48 * 64)  # five samples at a time
    found = linear.fit(model, data, seen, data.times).reconstruct(data, held_out)

    mean, std = model.signal_mean.numpy(), model.signal_std.numpy()
    rows, tested = (
        np.stack([((data.signals(int(p)) - mean) / std).ravel() for p in split]).astype(float)
        for split in (seen, held_out)
    )
    maps = np.stack([data.density(int(p)).ravel() for p in seen])
    direct = RidgeCV(linear.PENALTIES).fit(rows, maps).predict(tested).reshape(found.shape)
    np.testing.assert_allclose(found, direct, rtol=2e-3, atol=2e-3)
