"""``opalux train`` and ``opalux evaluate`` as a user meets them."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

import opalux
from opalux.base.config import load
from opalux.base.exit_codes import CHECKPOINTED
from opalux.base.stopping import StopRequest
from opalux.jobs import evaluate, sample, train
from opalux.learning.training import logbook
from opalux.learning.training.plan import TrainSettings
from tests.conftest import ROOT, clean_environment
from tests.learning.made_data import make_data

DEBUG = ROOT / "configs" / "train" / "debug.yaml"

SMALL = ["--set", "precision=float32", "--set", "epochs=2", "--set", "log_every=1"]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "debug"
    config = ROOT / "configs" / "sample" / "debug.yaml"
    words = [str(config), "--out", str(folder), "--set", "backend={kind: in-process}"]
    assert sample.main(words) == 0
    return folder


def start(data: Path, out: Path, *words: str, processes: int = 1) -> subprocess.Popen[str]:
    """Start the training job as a user does."""
    line = [str(DEBUG), "--set", f"data.folder={data}", "--out", str(out), *SMALL, *words]
    launcher = ["-m", "torch.distributed.run", "--nproc-per-node", str(processes)]
    return subprocess.Popen(
        [sys.executable, *(launcher if processes > 1 else []), "-m", "jobs.train", *line],
        cwd=ROOT,
        env=clean_environment() | {"OMP_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
        text=True,
    )


class StopAfterOne(StopRequest):
    """A stop request that is made once one step has been done."""

    left = 1

    @property
    def made(self) -> bool:
        self.left -= 1
        return self.left < 0


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    """The debug run, stopped on one process within an epoch and taken to its end on two."""
    out = tmp_path_factory.mktemp("runs") / "two"
    words = [str(DEBUG), "--set", f"data.folder={data}", "--out", str(out), *SMALL]
    with pytest.MonkeyPatch.context() as patch:
        stopped = contextlib.nullcontext(StopAfterOne())
        patch.setattr("opalux.base.stopping.stop_on_signals", lambda: stopped)
        assert train.main(words) == CHECKPOINTED
    assert [line["step"] for line in logbook.read(out)] == [1]
    job = start(data, out, "--resume", processes=2)
    _, errors = job.communicate(timeout=120)
    assert job.returncode == 0, errors
    return out


def test_two_processes_go_on_with_what_one_began_and_train_what_one_does(data, trained, tmp_path):
    alone = tmp_path / "one"
    words = [str(DEBUG), "--set", f"data.folder={data}", "--out", str(alone), *SMALL]
    assert train.main(words) == 0
    ours, expected = logbook.read(trained), logbook.read(alone)
    assert [line["step"] for line in ours] == [line["step"] for line in expected]
    for two, one in zip(ours, expected, strict=True):
        # Batch normalisation included; float32 sums in another order, through four steps.
        assert two["loss"] == pytest.approx(one["loss"], rel=1e-3)
    assert json.loads((trained / "run.json").read_text())["processes"] == 2


def test_a_signalled_run_keeps_its_place_and_ends_with_the_code_that_means_try_again(
    data, trained, tmp_path
):
    out = tmp_path / "stopped"
    job = start(data, out, "--set", "epochs=1000")
    until(lambda: len(logbook.read(out)) > 3, job)
    job.send_signal(signal.SIGUSR1)
    job.communicate(timeout=60)
    assert job.returncode == CHECKPOINTED == os.EX_TEMPFAIL
    assert json.loads((out / "run.json").read_text())["state"] == "stopped"
    seen = logbook.read(out)
    line = [str(DEBUG), "--set", f"data.folder={data}", "--out", str(out), *SMALL]
    assert train.main([*line, "--set", "epochs=1000", "--resume", "--dry-run"]) == 0
    assert logbook.read(out) == seen, "a dry run writes nothing"


def test_torchrun_told_to_end_leaves_a_run_that_goes_on(data, tmp_path):
    out = tmp_path / "stopped"
    job = start(data, out, "--set", "epochs=1000", processes=2)
    until(lambda: len(logbook.read(out)) > 3, job)
    job.send_signal(signal.SIGTERM)
    job.communicate(timeout=60)
    assert job.returncode == 1  # torchrun's own
    assert json.loads((out / "run.json").read_text())["state"] == "stopped"
    done = logbook.read(out)[-1]["step"]
    line = [str(DEBUG), "--set", f"data.folder={data}", "--out", str(out), *SMALL, "--resume"]
    with pytest.MonkeyPatch.context() as patch:
        stopped = contextlib.nullcontext(StopAfterOne())
        patch.setattr("opalux.base.stopping.stop_on_signals", lambda: stopped)
        assert train.main([*line, "--set", "epochs=1000"]) == CHECKPOINTED
    assert logbook.read(out)[-1]["step"] == done + 1


def until(condition, job: subprocess.Popen[str]) -> None:
    """Wait for ``condition`` while the job runs."""
    for _ in range(600):
        if condition():
            return
        assert job.poll() is None, job.communicate()[1]
        time.sleep(0.1)
    raise TimeoutError("the job did not come so far")


def test_bad_input_is_said_once_by_all_processes_together(tmp_path):
    job = start(tmp_path / "nowhere", tmp_path / "out", processes=2)
    _, errors = job.communicate(timeout=120)
    assert job.returncode != 0
    said = [line for line in errors.splitlines() if line.startswith("error:")]
    assert len(said) == 1
    assert "nowhere" in said[0]
    assert "jobs/train.py" not in errors, "no traceback of ours"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("processes", [1, 2])
def test_a_diverged_training_ends_with_its_message_and_no_traceback(data, tmp_path, processes):
    steep = ["--set", "optimiser={lr: 1.0e+30, clip: null}"]
    job = start(data, tmp_path / "out", *steep, processes=processes)
    _, errors = job.communicate(timeout=120)
    assert job.returncode == 1
    said = [line for line in errors.splitlines() if line.startswith("error:")]
    assert len(said) == 1
    assert "lower optimiser.lr (now 1e+30)" in said[0]
    assert "DivergedError" not in errors


def test_training_can_be_called_from_python(data, tmp_path):
    small = ["precision=float32", "epochs=1", f"data.folder={data}"]
    assert opalux.train(DEBUG, tmp_path / "run", overrides=small)
    assert json.loads((tmp_path / "run" / "run.json").read_text())["state"] == "finished"
    network = opalux.load_trained(tmp_path / "run")
    assert repr(network).startswith("Trained(vnet, 35,945 weights, maps of 16×16 cells")
    assert network.campaign is not None
    with pytest.raises(opalux.InputError, match="exists already"):
        opalux.train(network.settings, tmp_path / "run")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--set", "data.folder=nowhere"], "found no dataset.yaml"),
        (["--set", "model.kind=wnet"], "model"),
        (["--set", "model.widht=3"], "did you mean 'width'"),
        (["--set", "batch=-1"], "batch"),
        (["--set", "batch=7", "--set", "accumulate=2"], "multiple of accumulate"),
        (["--set", "optimiser.lr=fast"], "optimiser.lr"),
    ],
)
def test_bad_input_ends_with_code_2_one_message_and_no_folder(
    data, tmp_path, capsys, words, message
):
    out = tmp_path / "out"
    line = [str(DEBUG), "--out", str(out), "--set", f"data.folder={data}", *words]
    assert train.main(line) == 2
    printed = capsys.readouterr().err
    assert message in printed
    assert "Traceback" not in printed
    assert not out.exists()


def test_a_sample_with_nan_is_refused_by_name(tmp_path, capsys):
    data = make_data(tmp_path / "data", side=16, n_times=16, spoil=3)
    words = [str(DEBUG), "--out", str(tmp_path / "out"), "--set", f"data.folder={data}"]
    assert train.main(words) == 2
    assert "sample 3 holds NaN" in capsys.readouterr().err


def test_an_existing_run_is_not_overwritten(data, trained, capsys):
    words = [str(DEBUG), "--set", f"data.folder={data}", "--out", str(trained), *SMALL]
    assert train.main(words) == 2
    assert "--resume" in capsys.readouterr().err
    assert train.main([*words, "--resume"]) == 0
    assert train.main([*words, "--resume", "--set", "seed=5"]) == 2


def test_only_the_number_of_epochs_may_be_another_at_a_resume(tmp_path, capsys):
    data, out = make_data(tmp_path / "set", side=16, n_times=16), tmp_path / "run"
    words = [str(DEBUG), "--set", f"data.folder={data}", "--out", str(out), *SMALL]
    assert train.main(words) == 0
    assert train.main([*words, "--set", "epochs=3", "--resume"]) == 0
    assert max(line["epoch"] for line in logbook.read(out)) == 3
    capsys.readouterr()
    assert train.main([*words, "--set", "epochs=1", "--resume"]) == 2
    error = capsys.readouterr().err
    assert "epochs: found 1, but" in error
    assert "has done 3; give at least 3" in error
    assert train.main([*words, "--set", "epochs=3", "--set", "batch=4", "--resume"]) == 2
    assert "(batch: 8 then, 4 now)" in capsys.readouterr().err
    assert "epochs: 3" in (out / "config.yaml").read_text()


def test_leaky_and_damaged_data_are_refused_before_a_folder_is_made(tmp_path, capsys):
    leaky = make_data(tmp_path / "leaky", side=16, n_times=16, copies={18: 2})
    damaged = make_data(tmp_path / "damaged", side=16, n_times=16)
    with h5py.File(damaged / "part-00000.h5", "r+") as file:
        file["density"][5, 3, 3] += np.float32(0.01)
    out = tmp_path / "out"
    for data, message in (
        (leaky, "samples 2 (train), 18 (validation): have the same density"),
        (damaged, "sample 5 does not fit its checksum"),
    ):
        words = [str(DEBUG), "--set", f"data.folder={data}", "--out", str(out)]
        assert train.main(words) == 2
        assert message in capsys.readouterr().err
        assert not out.exists()


def test_maps_that_one_of_the_networks_has_seen_are_not_judged_on(tmp_path, capsys):
    """Two runs of which the second was trained on a test map of the first."""
    data = make_data(tmp_path / "set", side=16, n_times=16)
    other = make_data(tmp_path / "other", side=16, n_times=16, copies={3: 21, 21: 20})
    runs = {}
    for name, folder in (("one", data), ("two", other)):
        runs[name] = tmp_path / name
        words = ["--set", f"data.folder={folder}", "--out", str(runs[name]), *SMALL]
        assert train.main([str(DEBUG), *words]) == 0
    quick = ["--set", "misfit_maps=0", "--out", str(tmp_path / "judged")]
    known = f"sample 21 has the density of sample 3 of {other}"
    assert evaluate.main([str(runs["one"]), *quick, "--set", f"also=[{runs['two']}]"]) == 2
    assert known in capsys.readouterr().err
    assert evaluate.main([str(runs["two"]), *quick, "--set", f"apart.new.folder={data}"]) == 2
    assert known in capsys.readouterr().err
    assert not (tmp_path / "judged").exists()
    asked = ["--set", f"apart.new.folder={data}", "--set", "apart.new.split=train"]
    assert evaluate.main([str(runs["one"]), *quick, *asked]) == 0


def test_evaluation_takes_every_measure_on_every_set(data, trained):
    words = ["--set", f"apart.noisy.folder={data}", "--set", "apart.noisy.noise=0.5"]
    more = ["--set", f"also=[{trained}]", "--set", "linear_baseline=true"]
    assert evaluate.main([str(trained), *words, "--set", "misfit_maps=2", *more]) == 0
    numbers = json.loads((trained / "metrics.json").read_text())
    keys = {"r2_pooled", "r2_mean", "rel_l1", "rel_l2", "mae", "ssim", "data_misfit"}
    assert keys <= set(numbers)
    assert all(isinstance(numbers[key], float) for key in keys)
    assert numbers["data_misfit"] > 0
    assert numbers["networks"] == 2
    card = (trained / "model_card.md").read_text()
    assert f"{numbers['r2_pooled']:.4g}" in card
    assert "vnet on debug" in card
    assert 0 < numbers["uncertainty"]["within_1"] < numbers["uncertainty"]["within_2"] <= 1
    assert set(numbers["apart"]) == {"noisy", "ridge regression"}
    assert numbers["apart"]["noisy"]["r2_pooled"] != numbers["r2_pooled"]
    assert sum(family["n_maps"] for family in numbers["families"].values()) == 4


def test_the_report_stands_alone(trained):
    assert evaluate.main([str(trained), "--set", "misfit_maps=0"]) == 0
    page = (trained / "report.html").read_text()
    assert page.count("data:image/png;base64,") == 4
    assert "http" not in page, "nothing is fetched"
    assert 'src="data:' in page
    assert {"maps.png", "depth.png", "cells.png", "training.png"} <= {
        p.name for p in trained.iterdir()
    }


def test_the_learning_curve_shows_every_run_by_its_number_of_maps(data, trained, tmp_path):
    fewer = tmp_path / "fewer"
    words = [str(DEBUG), "--set", f"data.folder={data}", "--set", "data.training_maps=8"]
    assert train.main([*words, "--out", str(fewer), *SMALL]) == 0
    out = tmp_path / "judged"
    line = [str(trained), "--out", str(out), "--set", f"learning_curve=[{fewer}]"]
    assert evaluate.main([*line, "--set", "misfit_maps=0"]) == 0
    numbers = json.loads((out / "metrics.json").read_text())
    few, all_maps = numbers["learning_curve"]
    assert few["training_maps"] == 8 < all_maps["training_maps"]
    assert all_maps["r2_pooled"] == numbers["r2_pooled"] != few["r2_pooled"]
    assert "Learning curve" in (out / "report.html").read_text()
    assert (out / "learning_curve.png").stat().st_size > 1000
    assert (out / "steps.png").stat().st_size > 1000


def test_a_training_is_judged_on_as_many_maps_as_is_asked_for(data, tmp_path, capsys):
    words = [
        str(DEBUG),
        "--out",
        str(tmp_path / "run"),
        "--dry-run",
        "--set",
        f"data.folder={data}",
    ]
    assert train.main([*words, "--set", "data.validation_maps=2"]) == 0
    assert "judged on 2 maps" in capsys.readouterr().out
    assert train.main([*words, "--set", "data.validation_maps=9"]) == 2
    assert "found 9, but" in capsys.readouterr().err


def test_trainings_with_other_seeds_give_mean_and_deviation(data, trained, tmp_path, capsys):
    others = []
    for seed in (1, 2):
        others.append(tmp_path / f"seed{seed}")
        words = [str(DEBUG), "--set", f"data.folder={data}", "--set", f"seed={seed}"]
        assert train.main([*words, "--out", str(others[-1]), *SMALL]) == 0
    out = tmp_path / "judged"
    line = ["--out", str(out), "--set", "misfit_maps=0"]
    line += ["--set", f"apart.noisy.folder={data}", "--set", "apart.noisy.noise=0.5"]
    repeated = f"repeated=[{others[0]},{others[1] / 'best.ckpt'}]"
    assert evaluate.main([str(trained), *line, "--set", repeated]) == 0
    assert "held-out maps: r2_pooled" in capsys.readouterr().out
    numbers = json.loads((out / "metrics.json").read_text())
    over = numbers["repeated"]["sets"]
    assert evaluate.main([str(others[0]), *line, "--force"]) == 0
    one = json.loads((out / "metrics.json").read_text())
    assert one["repeated"] == {"runs": [], "sets": {}}
    for name, alone in (("held-out maps", one), ("noisy", one["apart"]["noisy"])):
        found = over[name]["mae"]
        assert len(set(found["values"])) == 3
        assert found["values"][1] == pytest.approx(alone["mae"], rel=1e-6)
        assert found["mean"] == pytest.approx(np.mean(found["values"]), rel=1e-6)
        assert found["deviation"] == pytest.approx(np.std(found["values"], ddof=1), rel=1e-6)
    assert "data_misfit" not in over["noisy"]

    for word, expected in (
        (f"repeated=[{trained}]", "both have seed=0"),
        (f"repeated=[{others[0]},{others[0]}]", "both have seed=1"),
        ("repeated=[nowhere]", "nowhere"),
    ):
        assert evaluate.main([str(trained), *line, "--force", "--set", word]) == 2
        assert expected in capsys.readouterr().err
    words = [str(trained), *line, "--force", "--set", repeated, "--set", f"also=[{others[0]}]"]
    assert evaluate.main(words) == 2
    assert "expected one of them" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["learning_curve=[nowhere]"], "nowhere: no such checkpoint"),
        (["noise=1e308"], "noise: found 1e+308, expected less than"),
        (["subset={mine: {noise: 2000}}"], "--set: subset.mine.noise: found 2000, expected less"),
        (["subset=tables"], "--set: subset: found 'tables', expected 'table'"),
        (["apart.held-out maps.noise=0.1"], "apart: found the name 'held-out maps'"),
        (["apart.mine, calibrated.noise=0.1"], "apart: found the name 'mine, calibrated'"),
        (["apart.all.noise=0.1", "subset=table"], "apart: found the name 'all'"),
    ],
)
def test_evaluation_refuses_before_any_work(trained, tmp_path, capsys, words, expected):
    line = [word for setting in words for word in ("--set", setting)]
    assert evaluate.main([str(trained), "--out", str(tmp_path / "judged"), *line]) == 2
    assert expected in capsys.readouterr().err
    assert not (tmp_path / "judged").exists()


def test_weights_that_are_no_numbers_are_refused(trained, tmp_path, capsys):
    content = torch.load(trained / "best.ckpt", weights_only=True)
    for weights in (content["model"], content.get("average", {})):
        for values in weights.values():
            if values.is_floating_point():
                values.fill_(torch.nan)
    torch.save(content, tmp_path / "nan.ckpt")
    line = [str(tmp_path / "nan.ckpt"), "--out", str(tmp_path / "judged")]
    assert evaluate.main(line) == 2
    assert "found NaN or infinity, expected finite weights" in capsys.readouterr().err
    assert not (tmp_path / "judged").exists()


def test_trainings_with_other_settings_are_no_repetitions(data, trained, tmp_path, capsys):
    other = tmp_path / "other"
    words = [str(DEBUG), "--set", f"data.folder={data}", "--set", "seed=1", "--out", str(other)]
    assert train.main([*words, *SMALL, "--set", "batch=4"]) == 0
    line = [str(trained), "--out", str(tmp_path / "judged"), "--set", f"repeated=[{other}]"]
    assert evaluate.main(line) == 2
    assert "more than its seed (batch: " in capsys.readouterr().err
    assert not (tmp_path / "judged").exists()


def test_the_true_map_simulated_again_has_no_misfit(data, trained):
    from opalux.jobs.inversion.map_kind import misfit
    from opalux.jobs.inversion.trained import load_trained
    from opalux.learning.data.data_set import DataSet

    network = load_trained(trained / "best.ckpt")
    measured = DataSet(data)
    positions = measured.split("test")
    truth = np.stack([measured.density(int(p)) for p in positions])
    assert misfit(network, measured, positions, truth, 2)["data_misfit"] < 1e-7


@pytest.mark.parametrize("what", ["no folder", "no checkpoint", "other data", "wrong key"])
def test_evaluation_refuses_what_it_cannot_judge(trained, tmp_path, capsys, what):
    words = {
        "no folder": [str(tmp_path / "none")],
        "no checkpoint": [str(tmp_path)],
        "other data": [str(trained), "--set", f"folder={make_data(tmp_path / 'data')}"],
        "wrong key": [str(trained), "--set", "splt=test"],
    }[what]
    assert evaluate.main(words) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("error:")
    assert "Traceback" not in printed


@pytest.mark.parametrize(
    "path", sorted((ROOT / "configs" / "train").glob("*.yaml")), ids=lambda p: p.stem
)
def test_every_training_configuration_is_valid_and_says_how_its_data_are_made(path):
    settings, _ = load(TrainSettings, path)
    campaigns = {one.stem for one in (ROOT / "configs" / "sample").glob("*.yaml")}
    for folder in filter(None, [settings.data.folder, settings.augmentation.other_grid]):
        if folder.name not in campaigns:
            line = rf"#   opalux sample (\w+) --set .*\bname={folder.name}$"
            (campaign,) = re.findall(line, path.read_text(), re.MULTILINE)
            assert campaign in campaigns


def test_evaluation_refuses_data_that_replaced_those_of_the_training(tmp_path, capsys):
    data, run = make_data(tmp_path / "set"), tmp_path / "run"
    words = [str(DEBUG), "--set", f"data.folder={data}", "--out", str(run), *SMALL]
    assert train.main([*words, "--set", "batch=4"]) == 0
    shutil.rmtree(data)
    make_data(data, change=lambda signals: signals * 2)
    assert evaluate.main([str(run)]) == 2
    error = capsys.readouterr().err
    assert "is no longer the data set that" in error
    assert "the checksums of its samples differ" in error
    assert not (run / "metrics.json").exists()
    assert evaluate.main([str(run), "--set", f"folder={data}"]) == 0
