"""A finished data set has statistics of its training split and one view of all parts."""

import h5py
import numpy as np
import pytest

from opalux.learning.data.card import Splits, part_name
from opalux.learning.data.data_set import DataSet
from opalux.learning.data.finish import VIEW_NAME, finish
from opalux.learning.data.part import Part, write_part
from tests.learning.data.made_parts import CARD, part_of


def test_statistics_are_those_of_the_training_split_alone(folder):
    data = DataSet(folder)
    signals = np.stack([data.signals(i) for i in data.split("train")]).astype(np.float64)
    density = np.stack([data.density(i) for i in data.split("train")]).astype(np.float64)
    stats = data.stats
    np.testing.assert_allclose(stats.signal_mean, signals.mean(axis=(0, 4, 5)), rtol=1e-12)
    np.testing.assert_allclose(stats.signal_std, signals.std(axis=(0, 4, 5)), rtol=1e-12)
    assert stats.density_mean == pytest.approx(density.mean(), rel=1e-12)
    assert stats.density_std == pytest.approx(density.std(), rel=1e-12)
    assert (stats.density_min, stats.density_max) == (density.min(), density.max())
    assert stats.n_samples == 6


def test_standard_deviations_survive_a_large_mean(tmp_path):
    card = CARD.model_copy(update={"splits": Splits(train=4), "shard_size": 4})
    part = part_of(card, 0)
    rng = np.random.default_rng(0)
    signals = (4096 + rng.integers(-2, 3, part.signals.shape) / 1024).astype(np.float32)
    plain = {"status": np.zeros(4, dtype=np.int8), "signals": signals}
    write_part(tmp_path / part_name(0), Part(**(vars(part) | plain)), card, {})
    (tmp_path / "dataset.yaml").write_text(card.to_yaml())
    expected = signals.astype(np.float64).std(axis=(0, 4, 5))
    np.testing.assert_allclose(finish(tmp_path).signal_std, expected, rtol=1e-9)


def test_the_view_shows_all_parts_wherever_the_folder_is_moved(folder, tmp_path_factory):
    moved = tmp_path_factory.mktemp("elsewhere") / "set"
    folder.rename(moved)
    data = DataSet(moved)
    with h5py.File(moved / VIEW_NAME) as view:
        for number in range(len(data)):
            np.testing.assert_array_equal(view["signals"][number], data.signals(number))
        assert view["sample_id"][:].tolist() == list(range(11))
        assert view["status"][:].tolist() == data.status.tolist()
