"""The two earlier networks train and are judged by the published scores."""

import json
import shutil

import numpy as np
import pytest
import torch

from opalux.base.errors import InputError
from opalux.jobs import evaluate, sample, status, train
from opalux.jobs.inversion.reconstruction import reconstruct
from opalux.jobs.inversion.trained import load_trained
from opalux.learning.data.data_set import DataSet
from opalux.learning.training.truth import StoredTruth
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


CONFIGURATIONS = {
    "niche_regression": ("false", {"r2", "r2_x", "r2_y", "r2_height", "custom_score"}, "R²"),
    "niche_classification": ("true", {"binary_accuracy", "strict_score"}, "strict_score"),
}


def trained(data, out, config, *changes):
    """Train for a moment and return the folder of the run."""
    pooling, _, _ = CONFIGURATIONS[config]
    small = [f"data.folder={data}", "epochs=2", "batch=8", "model.channels=[4]"]
    small += [f"model.pooling={pooling}", "model.hidden=8", *changes]
    words = [word for override in small for word in ("--set", override)]
    path = ROOT / "configs" / "train" / f"{config}.yaml"
    assert train.main([str(path), "--out", str(out), *words]) == 0
    return out


@pytest.fixture(scope="module", params=CONFIGURATIONS)
def config(request):
    return request.param


@pytest.fixture(scope="module")
def run(data, config, tmp_path_factory):
    return trained(data, tmp_path_factory.mktemp(config) / "run", config)


def judged(run, out, *settings):
    """Judge the run and return metrics.json."""
    words = [word for setting in settings for word in ("--set", setting)]
    assert evaluate.main([str(run), "--out", str(out), *words]) == 0
    return json.loads((out / "metrics.json").read_text())


def test_a_niche_network_is_trained_and_judged(run, config):
    assert evaluate.main([str(run)]) == 0
    numbers = json.loads((run / "metrics.json").read_text())
    assert set(numbers["scores"]) == CONFIGURATIONS[config][1]
    page = (run / "report.html").read_text()
    assert "0.9881" in page
    assert "this run" in page
    assert "niche" in (run / "model_card.md").read_text()


def test_it_is_judged_with_noise_and_on_other_sets(data, run, tmp_path):
    plain = judged(run, tmp_path / "plain")
    noisy = judged(
        run, tmp_path / "noisy", "noise=50", f"apart.seen.folder={data}", "apart.seen.split=train"
    )
    assert noisy["noise"] == 50
    assert noisy["scores"] != plain["scores"]
    assert noisy["apart"]["seen"]["n_maps"] == 16
    assert "seen" in (tmp_path / "noisy" / "report.html").read_text()


def test_a_set_of_another_grid_is_judged_calibrated_too(run, tmp_path):
    config = ROOT / "configs" / "sample" / "niche_regression.yaml"
    finer = ["splits={train: 2, test: 2}", "seed=29", "problem.grid={nx: 12, ny: 12}"]
    words = ["n_times=16", "refinement=2", "backend={kind: in-process}", *finer]
    line = [word for setting in words for word in ("--set", setting)]
    assert sample.main([str(config), "--out", str(tmp_path / "finer"), *line]) == 0
    folder = f"apart.finer.folder={tmp_path / 'finer'}"
    numbers = judged(run, tmp_path / "out", folder, "calibration_maps=2")
    assert set(numbers["apart"]) == {"finer", "finer, calibrated"}


def test_the_answers_of_several_networks_are_averaged(data, run, config, tmp_path):
    other = trained(data, tmp_path / "other", config, "seed=7", "data.training_maps=8")
    settings = [f"also=[{other}]", f"learning_curve=[{other}]"]
    numbers = judged(run, tmp_path / "out", *settings)
    assert numbers["networks"] == 2
    few, all_maps = numbers["learning_curve"]
    assert few["training_maps"] == 8 < all_maps["training_maps"]
    assert all_maps.items() >= numbers["scores"].items()
    assert "Learning curve" in (tmp_path / "out" / "report.html").read_text()

    outputs = []
    data_set = DataSet(data)
    signals = np.stack([data_set.signals(int(p)) for p in data_set.split("test")])
    for folder in (run, other):
        network = load_trained(folder)
        outputs.append(network.model(torch.from_numpy(signals)).double())
    objective = network.model.objective
    target = [objective.target(StoredTruth(data_set, int(p))) for p in data_set.split("test")]
    sums = objective.sums(sum(outputs) / 2, torch.from_numpy(np.stack(target)).double())
    assert numbers["scores"] == pytest.approx(objective.scores(sums.numpy()), rel=1e-4)


@pytest.mark.parametrize("setting", ["symmetries=true", "linear_baseline=true", "misfit_maps=3"])
def test_what_only_maps_have_is_refused_by_name(run, tmp_path, capsys, setting):
    assert evaluate.main([str(run), "--out", str(tmp_path / "out"), "--set", setting]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith(f"error: {setting.partition('=')[0]}: found")
    assert not (tmp_path / "out").exists()


def test_networks_of_another_objective_are_not_averaged(data, run, config, tmp_path, capsys):
    other = next(name for name in CONFIGURATIONS if name != config)
    folder = trained(data, tmp_path / "other", other)
    assert evaluate.main([str(run), "--set", f"also=[{folder}]"]) == 2
    assert "runs of the same objective" in capsys.readouterr().err


def test_a_niche_network_reconstructs_no_map(data, run):
    with pytest.raises(InputError, match="expected one that gives the density of every cell"):
        reconstruct(load_trained(run), DataSet(data).signals(0))


@pytest.mark.parametrize("version", ["this version", "before leading scores were named"])
def test_status_shows_its_leading_score(run, config, tmp_path, capsys, version):
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    if version != "this version":
        lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
        for line in lines:
            line.pop("leading", None)
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (folder / "metrics.jsonl").write_text(text)
    assert status.main([str(folder)]) == 0
    assert f"best {CONFIGURATIONS[config][2]} " in capsys.readouterr().out


def test_status_shows_the_scores_of_its_evaluation(run, config, tmp_path, capsys):
    judged(run, tmp_path / "out")
    assert status.main([str(tmp_path / "out")]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert f"{sorted(CONFIGURATIONS[config][1])[0]} " in shown


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
