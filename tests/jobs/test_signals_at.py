"""Signals on the edges themselves, from the campaign to the map: every file says where they are."""

import json

import h5py
import numpy as np
import pytest

from opalux.base.axes import EDGES
from opalux.jobs import dataset, evaluate, reconstruct, sample, solve, train
from opalux.learning.data.card import NAME, read_card

CAMPAIGN = """
splits: {train: 12, validation: 4, test: 4}
shard_size: 10
problem:
  scheme: staggered
  grid: {nx: 16}
  time: {final: 0.003}
  signals: {at: AT}
families: [{kind: discs}]
n_times: 8
backend: {kind: in-process}
"""
TRAINING = """
data: {folder: data-edge}
model: {kind: edge_vnet, width: 4, features: 4, levels: 2}
epochs: 1
batch: 4
"""
PROBLEM = """
scheme: staggered
grid: {nx: 16}
time: {final: 0.003}
signals: {at: AT}
material: {density: "1.5+x+0.5*y"}
edges: {EDGE: {kind: source, T: 5, sources: [{}]}}
output: {pictures: false}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two data sets that differ in the place of their signals, and a network for one of them."""
    folder = tmp_path_factory.mktemp("signals_at")
    for at in ("cell", "edge"):
        config = folder / f"{at}.yaml"
        config.write_text(CAMPAIGN.replace("AT", at))
        assert sample.main([str(config), "--out", str(folder / f"data-{at}")]) == 0
    (folder / "train.yaml").write_text(TRAINING)
    assert train.main([str(folder / "train.yaml"), "--out", str(folder / "run")]) == 0
    return folder


def solved(folder, at):
    """Return a solution.h5 for each source."""
    for edge in EDGES:
        config = folder / f"{at}-{edge}.yaml"
        config.write_text(PROBLEM.replace("AT", at).replace("EDGE", edge))
        if not (folder / f"{at}-{edge}").exists():
            assert solve.main([str(config), "--out", str(folder / f"{at}-{edge}")]) == 0
    return [folder / f"{at}-{edge}" / "solution.h5" for edge in EDGES]


@pytest.mark.parametrize("at", ["cell", "edge"])
def test_card_parts_and_solutions_say_where_signals_are(folder, at, capsys):
    data = folder / f"data-{at}"
    assert read_card(data).signals_at == at
    for path in data.glob("*.h5"):
        with h5py.File(path) as file:
            assert file["signals"].attrs["at"] == at
    assert dataset.main(["check", str(data), "--resimulate", "2"]) == 0
    assert "2 made again to the bit" in capsys.readouterr().out
    with h5py.File(solved(folder, at)[0]) as file:
        assert file["signals"].attrs["at"] == at
    run = json.loads((folder / f"{at}-up" / "run.json").read_text())
    assert run["signals_at"] == at


@pytest.mark.parametrize("at", ["cell", "edge"])
def test_exported_arrays_say_where_signals_are_and_what_their_axes_count(folder, at, tmp_path):
    data = folder / f"data-{at}"
    words = ["export", str(data), "--format", "npy", "--out", str(tmp_path / "arrays")]
    assert dataset.main(words) == 0
    said = json.loads((tmp_path / "arrays" / "signals.json").read_text())
    signals = np.load(tmp_path / "arrays" / "signals.npy")
    assert said["at"] == at
    assert said["edges"] == list(EDGES)
    axes = ("sources", "edges", "quantities")
    assert signals.shape[1:4] == tuple(len(said[axis]) for axis in axes)
    assert said["cells"] == dict.fromkeys(EDGES, signals.shape[-1])


def test_signals_on_edges_go_through_to_a_judged_map(folder, tmp_path):
    words = ["--set", "misfit_maps=2", "--set", "linear_baseline=false"]
    assert evaluate.main([str(folder / "run"), "--out", str(tmp_path / "judged"), *words]) == 0
    line = [str(folder / "run"), *map(str, solved(folder, "edge")), "--out", str(tmp_path / "map")]
    assert reconstruct.main(line) == 0
    with h5py.File(tmp_path / "map" / "reconstruction.h5") as file:
        assert np.isfinite(file["density"][()]).all()


@pytest.mark.parametrize("physics", ["same", "any"])
def test_reconstruct_refuses_signals_of_another_place(folder, physics, tmp_path, capsys):
    line = [str(folder / "run"), *map(str, solved(folder, "cell")), "--set", f"physics={physics}"]
    assert reconstruct.main([*line, "--out", str(tmp_path / "map")]) == 2
    message = capsys.readouterr().err
    assert message.count("error:") == 1
    assert "found signals in the cells along the edges (at: cell)" in message
    assert "signals: {at: edge}" in message
    assert not (tmp_path / "map").exists()


def test_a_solution_that_does_not_say_it_holds_cells(folder, tmp_path, capsys):
    (path, *_) = solved(folder, "edge")
    old = tmp_path / "solution.h5"
    old.write_bytes(path.read_bytes())
    with h5py.File(old, "r+") as file:
        del file["signals"].attrs["at"]
    assert reconstruct.main([str(folder / "run"), str(old), "--out", str(tmp_path / "map")]) == 2
    assert "(at: cell)" in capsys.readouterr().err


def test_evaluate_refuses_a_set_of_another_place(folder, tmp_path, capsys):
    line = [str(folder / "run"), "--set", f"folder={folder / 'data-cell'}"]
    assert evaluate.main([*line, "--out", str(tmp_path / "judged")]) == 2
    assert "found signals in the cells along the edges" in capsys.readouterr().err
    assert not (tmp_path / "judged").exists()


@pytest.mark.parametrize("other", ["edge", "cell"])
def test_a_card_of_another_place_than_its_parts_is_noticed(folder, other, tmp_path, capsys):
    data = tmp_path / "data"
    data.mkdir()
    at = {"edge": "cell", "cell": "edge"}[other]
    for path in (folder / f"data-{at}").iterdir():
        (data / path.name).write_bytes(path.read_bytes())
    card = (data / NAME).read_text()
    (data / NAME).write_text(card.replace(f"signals_at: {at}", f"signals_at: {other}"))
    assert dataset.main(["check", str(data)]) == 2
    assert "signals_at: found" in capsys.readouterr().err
    (data / NAME).write_text(card.replace(f"at: {at}", f"at: {other}"))
    assert dataset.main(["check", str(data)]) != 0
    assert f"signals are at {at}, expected {other}" in capsys.readouterr().err


@pytest.mark.parametrize("mode", ["binary", "dataframe"])
def test_published_formats_do_not_take_signals_on_edges(folder, mode, tmp_path, capsys):
    config = folder / "edge.yaml"
    config.write_text(PROBLEM.replace("AT", "edge").replace("EDGE", "left"))
    words = ["--set", f"export={{file: {tmp_path / 'x'}, mode: {mode}}}"]
    assert solve.main([str(config), "--out", str(tmp_path / "run"), *words]) == 2
    assert "signals.at: found edge with an export" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
