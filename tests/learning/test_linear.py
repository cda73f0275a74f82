"""The linear baseline finds linear laws, and is as good on maps that it has not seen."""

import numpy as np

from learning import linear, metrics
from learning.dataset import DataSet
from learning.models.edge_vnet import EdgeVNetSettings
from learning.models.layout import EDGES, Layout
from learning.reconstructor import build
from tests.learning.made_data import make_data


def test_a_linear_law_is_found_and_holds_on_other_maps(tmp_path):
    # One of the three quantities of the made signals is the density itself.
    data = DataSet(make_data(tmp_path / "set", train=24))
    layout = Layout(EDGES, EDGES, ("E", "F", "T"), 8, 8, (8, 8))
    model = build(EdgeVNetSettings(levels=1, width=2, features=2), layout, seed=0)
    seen, held_out = data.split("train"), data.split("test")
    model.scale_by(data, seen)
    found = linear.fit(model, data, seen, data.times).reconstruct(data, held_out)
    truth = np.stack([data.density(int(p)) for p in held_out])
    assert metrics.r2_pooled(truth, found) > 0.999
