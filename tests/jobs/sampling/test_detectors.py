"""What detectors read is kept beside the signals of the edges, from the solver to every export."""

import itertools
import json
import shutil

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opalux.jobs import dataset, sample
from opalux.jobs.sampling.campaign import Campaign
from opalux.jobs.sampling.recorder import Recorder
from opalux.learning.data.card import part_name, read_card
from opalux.learning.data.data_set import DataSet
from opalux.solver.march import simulate

CAMPAIGN = """
splits: {train: 2, validation: 1}
shard_size: 2
problem:
  scheme: staggered
  grid: {nx: 14}
  time: {final: 0.002}
  detectors: [{x: 0.5, y: 0.25}, {edge: up, position: 0.4, width: 0.2}]
families: [{kind: discs}]
sources: [{edge: left}, {edge: down}]
quantities: [F, T]
n_times: null
backend: {kind: in-process}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("detectors")
    (folder / "sample.yaml").write_text(CAMPAIGN)
    assert sample.main([str(folder / "sample.yaml"), "--out", str(folder / "data")]) == 0
    return folder


def test_a_sample_holds_what_its_simulations_detectors_read(folder):
    data = DataSet(folder / "data")
    campaign = Campaign.of(data.card)
    density = data.density(1).astype(float)
    found = data.detectors(1)
    for row, problem in zip(found, campaign.problems(data.sources(1)), strict=True):
        detectors = simulate(problem, density).detectors
        assert detectors is not None
        read = detectors.signals
        np.testing.assert_array_equal(row[0], np.hypot(read[:, 1], read[:, 2]).astype(np.float32))
        np.testing.assert_array_equal(row[1], read[:, 3].astype(np.float32))
    assert data.card.detectors == ((0.5, 0.25, 0.0), (0.4, 1.0, 0.2))


def test_files_say_where_detectors_are_and_the_samples_come_out_again(folder, capsys):
    data = folder / "data"
    for name in (part_name(0), "all.h5"):
        with h5py.File(data / name) as file:
            assert list(file["detectors"].attrs["axes"][1:]) == [
                "source", "quantity", "times", "detector"
            ]  # fmt: skip
            assert file["detector_y"][:].tolist() == [0.25, 1.0]
            assert file["detector_width"].attrs["units"] == "cm"
    assert dataset.main(["check", str(data), "--resimulate", "2"]) == 0
    assert "2 made again to the bit" in capsys.readouterr().out


def test_a_launcher_gives_the_same_part(folder, tmp_path):
    words = ["--set", "launcher=[env]", "--set", "splits={train: 1}", "--set", "shard_size=1"]
    line = [str(folder / "sample.yaml"), "--out", str(tmp_path / "one"), *words]
    assert sample.main(line) == 0
    one, all_of_it = DataSet(tmp_path / "one"), DataSet(folder / "data")
    np.testing.assert_array_equal(one.detectors(0), all_of_it.detectors(0))


def test_a_changed_reading_is_found(folder, tmp_path, capsys):
    shutil.copytree(folder / "data", tmp_path / "data")
    with h5py.File(tmp_path / "data" / part_name(1), "r+") as file:
        file["detectors"][0, 1, 0, 3, 1] += 1
    assert dataset.main(["check", str(tmp_path / "data"), "--resimulate", "0"]) != 0
    said = capsys.readouterr()
    assert "sample 2 does not fit its checksum" in said.out + said.err


def test_exports_and_labelled_arrays_have_the_detectors(folder, tmp_path):
    data = DataSet(folder / "data")
    named = data.to_xarray([0, 2])
    np.testing.assert_array_equal(named.detectors.sel(sample=2), data.detectors(2))
    assert named.detector_x.values.tolist() == [0.5, 0.4]
    for form in ("npy", "well"):
        words = ["export", str(folder / "data"), "--format", form, "--out", str(tmp_path / form)]
        assert dataset.main(words) == 0
    kept = np.load(tmp_path / "npy" / "detectors.npy")
    np.testing.assert_array_equal(kept[2], data.detectors(2))
    said = json.loads((tmp_path / "npy" / "signals.json").read_text())
    assert said["detectors [x, y, width]"][0] == [0.5, 0.25, 0.0]
    with h5py.File(next((tmp_path / "well" / "data" / "train").glob("*.hdf5"))) as file:
        scalar = file["scalars/T_at_detector_1_from_down"]
        np.testing.assert_array_equal(scalar[1], data.detectors(1)[1, 1, :, 1])


def test_torch_says_that_it_keeps_the_edges_alone(folder, tmp_path, capsys):
    words = ["--set", "backend={kind: torch}", "--out", str(tmp_path / "torch")]
    assert sample.main([str(folder / "sample.yaml"), *words]) == 2
    assert "found torch with problem.detectors" in capsys.readouterr().err
    assert not (tmp_path / "torch").exists()


def test_data_sets_without_detectors_are_as_before(folder, tmp_path):
    words = ["--set", "problem.detectors=[]", "--out", str(tmp_path / "edges")]
    assert sample.main([str(folder / "sample.yaml"), *words]) == 0
    data = DataSet(tmp_path / "edges")
    assert data.detectors(0).size == 0
    assert "detectors" not in data.part(0)
    with_some = DataSet(folder / "data")
    np.testing.assert_array_equal(data.signals(0), with_some.signals(0))
    assert read_card(tmp_path / "edges").detectors == ()


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 9), st.integers(0, 9), st.integers(2, 8))
def test_chunks_of_steps_add_up_to_the_same_bits(one, other, n_times):
    values = np.random.default_rng(1).uniform(0, 3, (9, 4, 2))
    steps = np.linspace(0, 1, 9)
    recorder = Recorder(steps, np.linspace(0, 1, n_times), ("E", "F"), 2)
    whole, parts = np.zeros((2, n_times, 2)), np.zeros((2, n_times, 2))
    recorder.add_detectors(whole, values, 0)
    cuts = [0, *sorted((one, other)), 9]
    for start, stop in itertools.pairwise(cuts):
        recorder.add_detectors(parts, values[start:stop], start)
    np.testing.assert_array_equal(parts, whole)
    exact = [np.interp(np.linspace(0, 1, n_times), steps, values[:, 0, d]) for d in range(2)]
    np.testing.assert_allclose(whole[0].T, exact, rtol=1e-12)
