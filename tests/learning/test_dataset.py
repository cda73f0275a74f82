import errno
import hashlib
import json
import os
import pickle
import subprocess
import sys

import h5py
import numpy as np
import pytest

from opalux.base.errors import InputError
from opalux.learning.data.card import Card, Splits, part_name, read_card
from opalux.learning.data.data_set import DataSet
from opalux.learning.data.export import export_npy, export_well
from opalux.learning.data.finish import VIEW_NAME, finish
from opalux.learning.data.part import (
    FAILED,
    DamagedPartError,
    Part,
    validate_part,
    write_part,
)
from opalux.learning.data.resampler import resample
from tests.conftest import ROOT

CARD = Card(
    name="small",
    seed=5,
    splits=Splits(train=7, validation=2, test=2),
    shape=(6, 6),
    sources=("up", "down", "left", "right"),
    n_times=5,
    n_cells=6,
    shard_size=4,
    families=("islands", "discs"),
)
BAD = (2, 8)  # samples that failed


def part_of(card: Card, part: int) -> Part:
    numbers = card.samples_of(part)
    rng = np.random.default_rng(100 + part)
    n = len(numbers)
    signals = rng.uniform(1, 9, (n, *card.signals_shape)).astype(np.float32)
    failed = np.isin(numbers, BAD)
    signals[failed] = np.nan
    return Part(
        density=rng.uniform(1, 5, (n, *card.shape)).astype(np.float32),
        signals=signals,
        times=np.linspace(0, 0.01, card.n_times),
        sample_id=np.array(numbers),
        family=[card.families[number % 2] for number in numbers],
        seed=np.full(n, card.seed),
        status=np.where(failed, FAILED, 0).astype(np.int8),
        sources=rng.uniform(0, 1, (n, 4, 2)),
        drawn=[f'{{"number": {number}}}' for number in numbers],
        reason=["it burst" if bad else "" for bad in failed],
    )


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "dataset.yaml").write_text(CARD.to_yaml())
    for part in range(CARD.n_parts):
        write_part(tmp_path / part_name(part), part_of(CARD, part), CARD, {"config": "seed: 5"})
    finish(tmp_path)
    return tmp_path


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_what_was_written_is_read_back(folder):
    data = DataSet(folder)
    assert len(data) == 11
    for part in range(CARD.n_parts):
        written = part_of(CARD, part)
        for row, number in enumerate(CARD.samples_of(part)):
            np.testing.assert_array_equal(data.density(number), written.density[row])
            np.testing.assert_array_equal(data.signals(number), written.signals[row])
            np.testing.assert_array_equal(data.sources(number), written.sources[row])
            assert data.family(number) == written.family[row]
            assert data.drawn(number) == {"number": number}
    np.testing.assert_array_equal(data.times, np.linspace(0, 0.01, 5))
    assert data.signals(0).dtype == data.density(0).dtype == np.float32


def test_splits_are_dealt_in_order_and_leave_failed_samples_out(folder):
    data = DataSet(folder)
    assert data.split("train").tolist() == [0, 1, 3, 4, 5, 6]
    assert data.split("validation").tolist() == [7]
    assert data.split("test").tolist() == [9, 10]


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


def test_the_view_shows_all_parts_wherever_the_folder_is_moved(folder, tmp_path_factory):
    moved = tmp_path_factory.mktemp("elsewhere") / "set"
    folder.rename(moved)
    data = DataSet(moved)
    with h5py.File(moved / VIEW_NAME) as view:
        for number in range(len(data)):
            np.testing.assert_array_equal(view["signals"][number], data.signals(number))
        assert view["sample_id"][:].tolist() == list(range(11))
        assert view["status"][:].tolist() == data.status.tolist()


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


class TestInXarray:
    def test_the_data_set_has_named_axes_coordinates_and_units(self, folder):
        pytest.importorskip("xarray")
        data = DataSet(folder)
        shown = data.to_xarray()
        assert shown.signals.dims == ("sample", "source", "edge", "quantity", "time", "cell")
        assert shown.density.dims == ("sample", "y", "x")
        assert shown.density.attrs["units"] == shown.sources.attrs["units"].replace("cm", "g/cm^3")
        one = shown.signals.sel(sample=5, source="left", edge="up", quantity="T")
        np.testing.assert_array_equal(one, data.signals(5)[2, 0, 2])
        np.testing.assert_array_equal(shown.time, data.times)
        assert shown.family.values.tolist() == [data.family(n) for n in range(len(data))]

    def test_some_positions_come_in_the_order_asked_for(self, folder):
        pytest.importorskip("xarray")
        shown = DataSet(folder).to_xarray([9, 1])
        assert shown.sample.values.tolist() == [9, 1]
        np.testing.assert_array_equal(shown.density[0], DataSet(folder).density(9))

    def test_without_the_package_says_what_to_install(self, folder, monkeypatch):
        monkeypatch.setitem(sys.modules, "xarray", None)
        with pytest.raises(InputError, match=r"pip install .*xarray"):
            DataSet(folder).to_xarray([0])


def test_a_data_set_is_shown_in_a_line(folder):
    shown = repr(DataSet(folder))
    assert shown == (
        f"<DataSet small: 11 samples (7 train, 2 validation, 2 test), 6 x 6 cells, {folder}>"
    )


def test_a_sample_is_plotted_with_a_row_for_each_source(folder):
    figure = DataSet(folder).plot(0, "T")
    titles = [axis.get_title() for axis in figure.axes if axis.get_title()]
    assert titles[:2] == ["sample 0, source: up", "T at up"]
    assert len(titles) == 4 * 5
    with pytest.raises(InputError, match="expected one of E, F, T"):
        DataSet(folder).plot(0, "B")


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


# In a process of its own: what other tests leave in this one (threads, signal handlers) would be
# inherited by the children.
READ_IN_CHILDREN = """
import multiprocessing, sys
from opalux.learning.data.data_set import DataSet

def read(data):
    return [float(data.density(number).sum()) for number in range(11)]

if __name__ == "__main__":
    data = DataSet(sys.argv[1])
    here = read(data)
    with multiprocessing.get_context(sys.argv[2]).Pool(2) as pool:
        assert pool.map(read, [data] * 4) == [here] * 4
    assert read(data) == here
"""


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_children_read_right_after_the_parent_has_read(folder, tmp_path, method):
    script = tmp_path / "read_in_children.py"
    script.write_text(READ_IN_CHILDREN)
    words = [sys.executable, str(script), str(folder), method]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run(words, env=environment, timeout=60, check=True)


def test_an_open_data_set_can_be_pickled(folder):
    data = DataSet(folder)
    expected = data.signals(3)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(data)).signals(3), expected)


def test_no_more_files_are_open_than_allowed(folder):
    data = DataSet(folder, open_files=1)
    for number in (0, 5, 9, 0):
        data.density(number)
        assert len(data._parts) == 1
    data.close()
    assert np.isfinite(data.density(0)).all()


def test_positions_outside_are_refused(folder):
    with pytest.raises(IndexError):
        DataSet(folder).density(11)
    with pytest.raises(IndexError):
        DataSet(folder).density(-1)


class TestBadInput:
    def test_a_folder_without_a_card_is_refused(self, tmp_path):
        with pytest.raises(InputError, match=r"no dataset\.yaml"):
            DataSet(tmp_path)

    def test_missing_parts_are_counted(self, folder):
        (folder / part_name(1)).unlink()
        with pytest.raises(InputError, match="1 of 3 parts are missing"):
            DataSet(folder)

    def test_an_unreadable_part_is_named(self, folder):
        (folder / part_name(1)).write_bytes(b"nothing")
        with pytest.raises(InputError, match=part_name(1)):
            DataSet(folder).density(5)

    def test_an_unfinished_data_set_has_no_statistics(self, folder):
        (folder / "stats.json").unlink()
        with pytest.raises(InputError, match="unfinished"):
            _ = DataSet(folder).stats

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("a: [", "cannot be read"),
            ("format: other", "no data card"),
            ("- 1", "no data card"),
            (CARD.to_yaml().replace("format_version: 1", "format_version: 9"), "format_version 9"),
            (CARD.to_yaml().replace("n_times: 5", "n_times: none"), "n_times"),
            (CARD.to_yaml() + "surprise: 1\n", "surprise"),
        ],
    )
    def test_a_card_that_cannot_be_used_is_refused(self, tmp_path, text, words):
        (tmp_path / "dataset.yaml").write_text(text)
        with pytest.raises(InputError, match=words):
            read_card(tmp_path)

    def test_statistics_need_a_good_training_sample(self, tmp_path):
        card = CARD.model_copy(update={"splits": Splits(train=1)})
        part = part_of(card, 0)
        failed = {"status": np.full(1, FAILED, dtype=np.int8)}
        write_part(tmp_path / part_name(0), Part(**(vars(part) | failed)), card, {})
        (tmp_path / "dataset.yaml").write_text(card.to_yaml())
        with pytest.raises(InputError, match="no good sample"):
            finish(tmp_path)


def test_cards_survive_their_file(folder):
    assert read_card(folder) == CARD


def test_resampling_is_exact_for_straight_lines_and_at_the_ends():
    steps = np.array([0.0, 0.1, 0.3, 0.7, 1.0])
    signals = np.stack([3 * steps, 1 - steps], axis=1)  # (n, cells)
    times = np.linspace(0, 1, 11)
    expected = np.stack([3 * times, 1 - times], axis=1)
    np.testing.assert_allclose(resample(signals, steps, times), expected, atol=1e-15)
    curved = steps[:, None] ** 2
    ends = resample(curved, steps, times)
    assert (ends[0], ends[-1]) == (curved[0], curved[-1])


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
