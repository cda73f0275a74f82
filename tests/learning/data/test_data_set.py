"""A data set is read back as it was written, or refused."""

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

from opalux.base.errors import InputError
from opalux.learning.data.card import Splits, part_name, read_card
from opalux.learning.data.data_set import DataSet
from opalux.learning.data.finish import finish
from opalux.learning.data.part import (
    FAILED,
    Part,
    write_part,
)
from opalux.learning.data.resampler import resample
from tests.conftest import ROOT
from tests.learning.data.made_parts import CARD, part_of


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
            ("a: [", "not valid YAML.* the card is damaged"),
            ("format: other", "no data card"),
            ("- 1", "found list, expected a mapping"),
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


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "[]",
        '{"density": 3, "signals": 4}',
        '{"density": {"min": 1e999, "max": 1, "mean": 1, "std": 1}, "n_samples": 1e999,'
        ' "signals": {"mean": [1], "std": [1]}}',
        '{"density": {"min": NaN, "max": 1, "mean": 1, "std": 1}, "n_samples": 1,'
        ' "signals": {"mean": [1], "std": [1]}}',
        '{"density": {"min": 1, "max": 1, "mean": 1, "std": 1}, "n_samples": 1,'
        ' "signals": {"mean": [1], "std": [1]}}',
    ],
    ids=["deep", "list", "numbers", "infinite", "nan", "shape"],
)
def test_statistics_that_are_none_are_refused_by_name(folder, text):
    (folder / "stats.json").write_text(text)
    with pytest.raises(InputError, match=r"stats\.json"):
        _ = DataSet(folder).stats


def test_a_part_of_other_lengths_than_the_card_says_is_refused(folder):
    card = CARD.model_copy(update={"n_times": 6})
    (folder / "dataset.yaml").write_text(card.to_yaml())
    with pytest.raises(InputError, match=r"found signals of shape \(4, 4, 4, 3, 5, 6\), expected"):
        DataSet(folder).signals(0)
