"""Data that leak, or are damaged, are refused before anything is learned from them."""

import h5py
import numpy as np
import pytest

from opalux.base.errors import InputError
from opalux.learning.data.card import part_name
from opalux.learning.data.data_set import DataSet
from opalux.learning.data.soundness import (
    first_damaged,
    refuse_damaged,
    refuse_leaks,
    seen_before,
)
from tests.learning.made_data import make_data


@pytest.mark.parametrize(("to", "words"), [(17, "validation"), (21, "test")])
def test_a_density_in_two_splits_is_refused_with_both_samples(tmp_path, to, words):
    refuse_leaks(DataSet(make_data(tmp_path / "sound")))
    data = DataSet(make_data(tmp_path / "leaky", copies={to: 3}))
    with pytest.raises(InputError, match=rf"samples 3 \(train\), {to} \({words}\): have the same"):
        refuse_leaks(data)


def test_a_density_twice_in_one_split_or_of_equal_range_is_no_leak(tmp_path):
    refuse_leaks(DataSet(make_data(tmp_path / "twice", copies={4: 3})))
    refuse_leaks(DataSet(make_data(tmp_path / "turned", copies={18: 3}, turn=True)))


def test_a_failed_sample_leaks_nothing(tmp_path):
    refuse_leaks(DataSet(make_data(tmp_path / "failed", copies={17: 3}, failed=(17,))))


def test_a_sample_that_was_changed_after_it_was_written_is_named(tmp_path):
    folder = make_data(tmp_path / "data")
    with h5py.File(folder / part_name(0), "r+") as file:
        file["signals"][7, 0, 1, 2, 3, 4] += np.float32(1e-3)
    data = DataSet(folder)
    assert first_damaged(data, range(7)) is None
    assert first_damaged(data, range(20)) == 7
    with pytest.raises(InputError, match="sample 7 does not fit its checksum"):
        refuse_damaged(data, 7)


def test_maps_of_another_set_that_were_trained_on_are_found(tmp_path):
    one = DataSet(make_data(tmp_path / "one"))
    other = DataSet(make_data(tmp_path / "other", copies={22: 5}))
    assert seen_before(other, np.array([20, 21]), one, np.arange(16)) is None
    assert seen_before(other, np.array([20, 22]), one, np.arange(16)) == (22, 5)
    assert seen_before(other, np.array([20, 22]), one, np.arange(5)) is None
