"""The error of a grid is what a calibration leaves, and training adds it to the signals."""

import numpy as np
import pytest
import torch

from opalux.base.errors import InputError
from opalux.learning.data.data_set import DataSet
from opalux.learning.networks.objectives.whole_map import WholeMap
from opalux.learning.training.augmentation import Augmentation, AugmentationSettings
from opalux.learning.training.grid_error import FARTHEST, GridErrors, grid_errors
from opalux.learning.training.loader import Samples, layout_of
from tests.learning.made_data import make_data


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return DataSet(make_data(tmp_path_factory.mktemp("data") / "set"))


def errors_of(data, folder):
    return grid_errors(data, folder, data.times, data.split("train")).left


def disturbance(signals):
    draw = np.random.default_rng(8)
    return 0.02 * signals.std() * draw.standard_normal(signals.shape).astype(np.float32)


def test_what_a_straight_line_takes_out_is_no_error(data, tmp_path):
    other = make_data(tmp_path / "other", change=lambda signals: 1.1 * signals + 0.3)
    errors = errors_of(data, other)
    assert errors.shape == (16, 4, 4, 3, 8, 8)
    assert np.abs(errors / data.stats.signal_std[..., None, None]).max() < 1e-3


def test_what_it_leaves_is(data, tmp_path):
    other = make_data(tmp_path / "other", change=lambda signals: signals + disturbance(signals))
    found = errors_of(data, other)
    put_in = np.stack([DataSet(other).signals(k) - data.signals(k) for k in range(len(found))])
    assert np.abs(found - put_in).std() < 0.25 * put_in.std()


def test_training_adds_a_multiple_of_one_of_the_errors(data, tmp_path):
    other = make_data(tmp_path / "other", change=lambda signals: signals + disturbance(signals))
    errors = errors_of(data, other)
    settings = AugmentationSettings(symmetries=False, other_grid=other)
    stats, layout = data.stats, layout_of(data, None)
    augmentation = Augmentation(
        settings, layout, stats.signal_mean, stats.signal_std, 1, errors=GridErrors(errors)
    )
    plain = Samples(data, data.times, WholeMap())
    changed = Samples(data, data.times, WholeMap(), augmentation)
    flat = torch.from_numpy(errors).flatten(1)
    shares, sizes = [], set()
    for epoch in range(300):
        added = (changed[epoch, 3][0] - plain[epoch, 3][0]).flatten()
        fit = flat @ added / flat.square().sum(1)
        best = int((fit.abs() * flat.norm(dim=1)).argmax())
        torch.testing.assert_close(added, fit[best] * flat[best], atol=1e-4, rtol=1e-3)
        shares.append(float(fit[best]))
        sizes.add(best)
    assert sizes == set(range(len(errors)))
    assert abs(np.mean(shares)) < 0.2
    assert np.std(shares) == pytest.approx(1, abs=0.15)


def test_signals_on_the_edge_are_moved_along_the_lines_to_the_other_grid(tmp_path):
    data = DataSet(make_data(tmp_path / "set", signals_at="edge"))
    other = make_data(
        tmp_path / "other", change=lambda signals: 1.1 * signals + 0.3, signals_at="edge"
    )
    errors = grid_errors(data, other, data.times, data.split("train"))
    settings = AugmentationSettings(symmetries=False, other_grid=other)
    stats, layout = data.stats, layout_of(data, None)
    augmentation = Augmentation(settings, layout, stats.signal_mean, stats.signal_std, 1, errors)
    signals = torch.from_numpy(data.signals(3))
    way = 0.1 * signals + 0.3  # from these signals to those of the other grid
    shares = []
    for epoch in range(200):
        moved, _ = augmentation(signals, torch.zeros(8, 8), epoch, 3)
        shares.append(float((moved - signals).flatten() @ way.flatten() / way.square().sum()))
        torch.testing.assert_close(moved, signals + shares[-1] * way, atol=1e-2, rtol=1e-3)
    assert min(shares) == pytest.approx(0, abs=0.05)
    assert max(shares) == pytest.approx(FARTHEST, abs=0.05)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        ({"train": 12}, "found another density 0"),
        ({"train": 4}, "found 4 training densities"),
        ({"side": 4}, "found shape = "),
        ({"sources": ("left-0", "left-1")}, "found sources = "),
        ({}, "found the same signals"),
    ],
    ids=["densities", "few", "grid", "sources", "same"],
)
def test_data_that_are_no_other_grid_are_refused(data, tmp_path, made, expected):
    with pytest.raises(InputError, match=expected):
        errors_of(data, make_data(tmp_path / "other", **made))
