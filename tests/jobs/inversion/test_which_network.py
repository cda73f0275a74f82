"""Without a RUN the network that comes with Opalux reconstructs; what is meant is never guessed."""

import json

import h5py
import numpy as np
import pytest

import opalux
from opalux.base.errors import InputError
from opalux.jobs import reconstruct
from opalux.jobs.inversion.which_network import EXAMPLE, NETWORK, network_and_signals


@pytest.fixture
def files(tmp_path):
    """A folder with a finished run, one with a run that has no checkpoint yet, and signals."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "best.ckpt").touch()
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun" / ".opalux.json").write_text('{"job": "train", "makes": []}')
    (tmp_path / "signals").mkdir()
    (tmp_path / "t.csv").touch()
    return tmp_path


@pytest.mark.parametrize("network", ["run", "begun", "run/best.ckpt"])
def test_a_run_or_a_checkpoint_in_front_is_the_network(files, network):
    given = [files / network, files / "t.csv", files / "signals"]
    assert network_and_signals(given, example=False) == (given[0], given[1:])


def test_without_one_all_are_signals_for_the_network_that_comes_with_opalux(files):
    given = [files / "signals", files / "t.csv"]
    assert network_and_signals(given, example=False) == (NETWORK, given)
    assert network_and_signals([], example=True) == (NETWORK, [EXAMPLE])
    assert network_and_signals([files / "run"], example=True) == (files / "run", [EXAMPLE])


@pytest.mark.parametrize(
    ("names", "example", "words"),
    [
        ([], False, "SIGNALS: found nothing"),
        (["run"], False, "run alone, expected tables"),
        (["nowhere", "t.csv"], False, "nowhere: no such file or folder"),
        (["run", "nowhere"], False, "nowhere: no such file or folder"),
        (["t.csv", "run"], False, "found a network among the signals"),
        (["t.csv"], True, "--example: found the signals"),
    ],
)
def test_other_arguments_are_refused(files, names, example, words):
    with pytest.raises(InputError, match=words):
        network_and_signals([files / name for name in names], example=example)


def test_the_example_is_reconstructed_by_the_network_in_the_box(tmp_path, capsys):
    out = tmp_path / "out"
    assert reconstruct.main(["--example", "--set", "misfit_maps=4", "--out", str(out)]) == 0
    shown = capsys.readouterr()
    assert "trained on: 12000 maps of random_field" in shown.out
    assert "χ² = " in shown.out
    numbers = json.loads((out / "reconstruction.json").read_text())
    assert 0 < numbers["chi2"] <= numbers["chi2_normal"], "the example is of the training's kind"
    with h5py.File(out / "reconstruction.h5") as file:
        found = file["density"][()]
    # Two bars on a ground: the tallest cell of the map lies in one of them.
    assert found.shape == (32, 32)
    assert 3.0 < found.max() < 6.0
    assert opalux.load_trained().path == NETWORK


def test_signals_of_maps_that_the_network_does_not_know_are_told(tmp_path, capsys):
    lines = EXAMPLE.read_text().splitlines()
    rows = [line.split(",") for line in lines[3:]]
    strange = [*lines[:3], *(",".join([*r[:6], str(1.02 * float(r[6])), r[7]]) for r in rows)]
    (tmp_path / "strange.csv").write_text("\n".join(strange))
    words = [str(tmp_path / "strange.csv"), "--set", "misfit_maps=4"]
    assert reconstruct.main([*words, "--out", str(tmp_path / "out")]) == 0
    told = capsys.readouterr().err
    assert "the network does not know such maps; search on by physics with --refine" in told
    numbers = json.loads((tmp_path / "out" / "reconstruction.json").read_text())
    assert numbers["misfit_suspicious"] is True
    assert np.isfinite(numbers["chi2"])
