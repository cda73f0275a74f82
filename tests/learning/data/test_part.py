"""Parts are written whole, say what they hold, and damage to them is noticed."""

import errno
import os

import h5py
import numpy as np
import pytest

from opalux.learning.data.card import part_name
from opalux.learning.data.data_set import DataSet
from opalux.learning.data.finish import VIEW_NAME, finish
from opalux.learning.data.part import (
    DamagedPartError,
    validate_part,
    write_part,
)
from tests.learning.data.made_parts import CARD, digest, part_of


def test_equal_samples_give_equal_files(folder, tmp_path):
    again = tmp_path / "again.h5"
    for part in range(CARD.n_parts):
        write_part(again, part_of(CARD, part), CARD, {"config": "seed: 5"})
        assert digest(again) == digest(folder / part_name(part))


@pytest.mark.parametrize("compression", ["lzf", "gzip"])
def test_compression_loses_nothing(folder, compression):
    plain = DataSet(folder).signals(0)
    write_part(folder / part_name(0), part_of(CARD, 0), CARD, {}, compression)
    assert validate_part(folder / part_name(0), CARD, 0).tolist() == [0, 0, 1, 0]
    np.testing.assert_array_equal(DataSet(folder).signals(0), plain)


def test_every_sample_is_a_chunk_of_its_own(folder):
    with h5py.File(folder / part_name(0)) as file:
        assert file["signals"].chunks == (1, *CARD.signals_shape)
        assert file["density"].chunks == (1, *CARD.shape)


class TestInHdf5:
    @pytest.mark.parametrize("name", ["part-00000.h5", VIEW_NAME])
    def test_every_axis_has_a_name_and_its_coordinates(self, folder, name):
        with h5py.File(folder / name) as file:
            axes = [dimension.label for dimension in file["signals"].dims]
            assert axes == ["sample_id", "source", "edge", "quantity", "times", "cell"]
            assert [dimension.label for dimension in file["density"].dims] == [
                "sample_id", "y", "x"
            ]  # fmt: skip
            times = file["signals"].dims[4][0]
            np.testing.assert_array_equal(times[:], file["times"][:])
            assert file["edge"].asstr()[:].tolist() == list(CARD.edges)
            np.testing.assert_allclose(file["density"].dims[2][0][:], (np.arange(6) + 0.5) / 6)

    def test_every_array_has_named_axes_and_every_number_with_a_unit_says_it(self, folder):
        unitless = {"family", "seed", "status", "drawn", "reason", "checksum", "sample_id"}
        with h5py.File(folder / part_name(0)) as file:
            for name, array in file.items():
                if not h5py.h5ds.is_scale(array.id):
                    assert len(array.attrs["axes"]) == array.ndim, name
                if name not in unitless | set(CARD.labels):
                    assert array.attrs["units"], name

    def test_parts_of_earlier_versions_without_coordinates_are_sound(self, folder):
        path = folder / part_name(0)
        with h5py.File(path) as new, h5py.File(folder / "old.h5", "w") as old:
            for name in set(new) - {"x", "y", "source", "edge", "quantity"}:
                old.create_dataset(name, data=new[name][:], dtype=new[name].dtype)
            old.attrs["index_checksum"] = new.attrs["index_checksum"]
        os.replace(folder / "old.h5", path)
        assert validate_part(path, CARD, 0).tolist() == [0, 0, 1, 0]
        finish(folder)
        with h5py.File(folder / VIEW_NAME) as view:
            np.testing.assert_array_equal(view["signals"][0], DataSet(folder).signals(0))


class TestDamage:
    def test_to_any_byte_is_noticed_or_harmless(self, folder):
        path = folder / part_name(1)
        image = path.read_bytes()
        written = part_of(CARD, 1)
        rng = np.random.default_rng(1)
        noticed = 0
        for place in rng.integers(0, len(image), 300):
            broken = bytearray(image)
            broken[place] ^= 1 << rng.integers(8)
            path.write_bytes(broken)
            try:
                validate_part(path, CARD, 1)
            except DamagedPartError:
                noticed += 1
                continue
            with h5py.File(path) as file:  # the bit was in a gap or in a name
                np.testing.assert_array_equal(file["signals"][:], written.signals)
                np.testing.assert_array_equal(file["density"][:], written.density)
        assert noticed > 100

    @pytest.mark.parametrize("kept", [0.0, 0.1, 0.5, 0.999])
    def test_by_truncation_is_noticed(self, folder, kept):
        path = folder / part_name(0)
        os.truncate(path, int(kept * path.stat().st_size))
        with pytest.raises(DamagedPartError):
            validate_part(path, CARD, 0)

    def test_by_another_part_under_its_name_is_noticed(self, folder):
        os.replace(folder / part_name(1), folder / part_name(0))
        with pytest.raises(DamagedPartError, match="other samples"):
            validate_part(folder / part_name(0), CARD, 0)

    def test_by_absence_is_noticed(self, folder):
        (folder / part_name(0)).unlink()
        with pytest.raises(DamagedPartError, match="missing"):
            validate_part(folder / part_name(0), CARD, 0)

    def test_by_a_full_disk_leaves_the_old_file_and_nothing_else(self, folder, monkeypatch):
        def full(_):
            raise OSError(errno.ENOSPC, "No space left on device")

        path = folder / part_name(0)
        before, names = digest(path), sorted(folder.iterdir())
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            write_part(path, part_of(CARD, 1), CARD, {})
        assert digest(path) == before
        assert sorted(folder.iterdir()) == names
