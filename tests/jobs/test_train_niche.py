"""The two earlier networks train and are judged by the published scores."""

import json

import pytest

from opalux.jobs import evaluate, sample, train
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A few niches on a coarse grid, with the published sources."""
    folder = tmp_path_factory.mktemp("niches") / "data"
    config = ROOT / "configs" / "sample" / "niche_regression.yaml"
    small = ["splits={train: 16, validation: 4, test: 4}", "problem.grid={nx: 12, ny: 12}"]
    small += ["n_times=16", "backend={kind: in-process}"]
    words = [word for override in small for word in ("--set", override)]
    assert sample.main([str(config), "--out", str(folder), *words]) == 0
    return folder


@pytest.mark.parametrize(
    ("config", "pooling", "scores"),
    [
        ("niche_regression", "false", {"r2", "r2_x", "r2_y", "r2_height", "custom_score"}),
        ("niche_classification", "true", {"binary_accuracy", "strict_score"}),
    ],
)
def test_a_niche_network_is_trained_and_judged(data, tmp_path, config, pooling, scores):
    small = [f"data.folder={data}", "epochs=2", "batch=8", "model.channels=[4]"]
    small += [f"model.pooling={pooling}", "model.hidden=8"]
    words = [word for override in small for word in ("--set", override)]
    path = ROOT / "configs" / "train" / f"{config}.yaml"
    assert train.main([str(path), "--out", str(tmp_path / "run"), *words]) == 0
    assert evaluate.main([str(tmp_path / "run")]) == 0
    numbers = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert set(numbers["scores"]) == scores
    page = (tmp_path / "run" / "report.html").read_text()
    assert "0.9881" in page
    assert "this run" in page


def test_maps_of_other_kinds_are_refused(tmp_path, capsys):
    config = ROOT / "configs" / "sample" / "debug.yaml"
    words = [str(config), "--out", str(tmp_path / "data"), "--set", "backend={kind: in-process}"]
    assert sample.main([*words, "--set", "families=[{kind: islands}]"]) == 0
    path = ROOT / "configs" / "train" / "niche_regression.yaml"
    line = [str(path), "--set", f"data.folder={tmp_path / 'data'}", "--set", "model.channels=[4]"]
    line += ["--set", "batch=8"]
    assert train.main([*line, "--out", str(tmp_path / "run")]) == 2
    assert "expected maps of one niche" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
