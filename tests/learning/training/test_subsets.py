"""A network that is told what lacks takes any part of the signals, and is trained on such parts."""

import numpy as np
import pytest
import torch

from opalux.base.axes import EDGES
from opalux.base.errors import InputError
from opalux.learning.data.data_set import DataSet
from opalux.learning.data.layout import Layout
from opalux.learning.networks.edge_vnet import EdgeVNetSettings
from opalux.learning.networks.fcunet import FCUNetSettings
from opalux.learning.networks.reconstructor import build
from opalux.learning.networks.told import tell_noise
from opalux.learning.networks.vnet import VNetSettings
from opalux.learning.training.augmentation import Augmentation, AugmentationSettings
from opalux.learning.training.loader import layout_of
from opalux.learning.training.subsets import Subset, draw_known
from tests.learning.made_data import make_data

LAYOUT = Layout(EDGES, EDGES, ("E", "F", "T"), 8, 8, (8, 8))
TIMES = np.linspace(0, 0.01, 8)
SMALL = {"levels": 2, "width": 4}


def signals(count=2):
    draw = torch.Generator().manual_seed(3)
    return torch.randn(count, *LAYOUT.signals_shape, generator=draw)


@pytest.mark.parametrize(
    "settings",
    [
        EdgeVNetSettings(features=4, patch=2, **SMALL),
        EdgeVNetSettings(features=4, stem="turned", **SMALL),
        FCUNetSettings(coarse=4, features=4, **SMALL),
        VNetSettings(levels=2, width=4),
    ],
    ids=lambda settings: settings.kind,
)
def test_every_network_takes_signals_that_lack_and_sees_that_and_the_noise(settings):
    model = build(settings, LAYOUT, seed=0, told=True).eval()
    whole = signals()
    part = whole.clone()
    part[:, 1] = torch.nan
    part[:, :, 2, 0] = torch.nan
    with torch.inference_mode():
        found = model(part)
        assert found.isfinite().all()
        zero = torch.where(part.isnan(), 0.0, part)
        assert (model(zero) - found).abs().max() > 1e-6, "lacking is not the same as the mean"
        torch.testing.assert_close(model(tell_noise(part, 0.0)), found)
        assert (model(tell_noise(part, 0.05)) - found).abs().max() > 1e-6


def test_random_subsets_leave_out_every_kind_and_never_all():
    draw = np.random.default_rng(0)
    drawn = np.stack([draw_known(draw, LAYOUT.signals_shape) for _ in range(400)])
    assert drawn.reshape(400, -1).any(1).all()
    complete = drawn.reshape(400, -1).all(1).mean()
    assert 0.2 < complete < 0.4
    for axes in ((2, 3, 4, 5), (1, 3, 4, 5), (1, 2, 4, 5), (1, 2, 3, 4)):
        lacks = (~np.asarray(drawn.any(axes))).any(1)
        assert 0.1 < lacks.mean() < 0.9, f"axes {axes}"


def test_training_samples_are_parts_and_tell_their_noise(tmp_path):
    data = DataSet(make_data(tmp_path / "set"))
    settings = AugmentationSettings(subsets=True, noise=(0.01, 0.05))
    stats = data.stats
    change = Augmentation(
        settings, layout_of(data, None), stats.signal_mean, stats.signal_std, seed=1
    )
    whole, target = torch.from_numpy(data.signals(0)), torch.from_numpy(data.density(0))
    levels, lacks = [], []
    for epoch in range(20):
        given, _ = change(whole, target, epoch, 0)
        again, _ = change(whole, target, epoch, 0)
        torch.testing.assert_close(given, again, equal_nan=True)
        assert given.shape[2] == whole.shape[2] + 1
        levels.append(float(given[0, 0, -1, 0, 0]))
        lacks.append(bool(given[:, :, :-1].isnan().any()))
    assert 0.01 <= min(levels) < max(levels) <= 0.05
    assert 5 < sum(lacks) < 20


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"subsets": True, "drop_edges": 1}, "one way to leave signals out"),
        ({"noise": (0.05, 0.01)}, "low <= high"),
        ({"noise": -0.1}, "expected a number >= 0"),
    ],
)
def test_contradictions_are_refused(changes, part):
    with pytest.raises(ValueError, match=part):
        AugmentationSettings(**changes)


def test_a_named_subset_is_what_it_says():
    known = Subset(edges=("up",), quantities=("E",), every=2, until=0.005).known(LAYOUT, TIMES)
    assert known.sum() == 4 * 1 * 1 * 4 * 4
    assert known[:, 0, 0, :4, 1::2].all()
    for wrong, part in (({"edges": ("top",)}, "found top"), ({"every": 40}, "found nothing")):
        with pytest.raises(InputError, match=part):
            Subset(**wrong).known(LAYOUT, TIMES)
