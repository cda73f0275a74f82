"""Exports hold the same numbers in other formats."""

import json

import h5py
import numpy as np

from opalux.learning.data.data_set import DataSet
from opalux.learning.data.export import export_npy, export_well


class TestExport:
    def test_to_npy_keeps_the_good_samples_split_after_split(self, folder, tmp_path):
        out = tmp_path / "npy"
        out.mkdir()
        data = DataSet(folder)
        export_npy(data, out, lambda _: None)
        numbers = np.load(out / "sample_id.npy")
        assert numbers.tolist() == [0, 1, 3, 4, 5, 6, 7, 9, 10]
        for row, number in enumerate(numbers):
            np.testing.assert_array_equal(np.load(out / "signals.npy")[row], data.signals(number))
            np.testing.assert_array_equal(np.load(out / "density.npy")[row], data.density(number))
        splits = json.loads((out / "splits.json").read_text())
        assert splits == {"train": [0, 6], "validation": [6, 7], "test": [7, 9]}

    def test_to_the_well_has_fields_that_vary_along_their_edges(self, folder, tmp_path):
        data = DataSet(folder)
        export_well(data, tmp_path / "well", lambda _: None)
        with h5py.File(tmp_path / "well" / "data" / "test" / "small.hdf5") as file:
            assert file.attrs["n_trajectories"] == 2
            assert list(file["dimensions"].attrs["spatial_dims"]) == ["x", "y"]
            fields = file["t0_fields"]
            assert sorted(fields.attrs["field_names"]) == sorted(fields)
            assert len(fields) == 1 + 4 * 4 * 3
            np.testing.assert_array_equal(fields["density"][1], data.density(10).T)
            signal = fields["T_at_left_from_down"]
            np.testing.assert_array_equal(signal[0], data.signals(9)[1, 2, 2])
            assert signal.attrs["dim_varying"].tolist() == [False, True]
            assert fields["E_at_up_from_up"].attrs["dim_varying"].tolist() == [True, False]
