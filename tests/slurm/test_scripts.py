"""Generated batch scripts, refusals before submission and status: all without a Slurm."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from opalux.jobs.cluster.queue import ranges
from opalux.jobs.pipeline import main as pipeline
from opalux.jobs.sample import main as sample
from opalux.jobs.status import main as status
from tests.conftest import ROOT
from tests.slurm.test_pipeline import CAMPAIGN, NETWORK

GOLDEN = Path(__file__).parent / "golden"
SCRIPTS = sorted((ROOT / "slurm").glob("*.sbatch"))


@pytest.fixture
def no_slurm(monkeypatch, tmp_path_factory):
    """Hide Slurm's commands, if there are any."""
    monkeypatch.setenv("PATH", str(tmp_path_factory.mktemp("bin")))


@pytest.mark.parametrize("name", ["published", "large", "debug"])
def test_generated_scripts_are_the_golden_ones(name, capsys):
    config = ROOT / "configs" / "pipeline" / f"{name}.yaml"
    assert pipeline([str(config), "--dry-run", "--out", "/results"]) == 0
    written = capsys.readouterr().out.replace(str(ROOT), "/opalux")
    assert written == (GOLDEN / f"{name}.txt").read_text()


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_scripts_are_sound_and_repeat_no_numbers_of_nodes(path):
    assert subprocess.run(["bash", "-n", path], check=False).returncode == 0
    body = "\n".join(line for line in path.read_text().splitlines() if not line.startswith("#"))
    assert not re.search(r"(--nodes|--nnodes|--ntasks|--nproc\S*|-[nN])[= ]?\d", body)
    if shutil.which("shellcheck"):
        subprocess.run(["shellcheck", path.name, "job.sh"], cwd=path.parent, check=True)


def chain(folder: Path, **changes: object) -> Path:
    """Write a pipeline of a campaign and a training; return its path."""
    train = {"data": {"folder": "."}, "model": NETWORK, "batch": 4}
    whole = {
        "site": str(ROOT / "configs" / "site" / "plain.yaml"),
        "out": "out",
        "sample": {"config": "sample.yaml", "tasks": 2},
        "train": {"config": "train.yaml", "nodes": 2},
    }
    for name, content in {"sample": CAMPAIGN, "train": train, "chain": whole | changes}.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(content))
    return folder / "chain.yaml"


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"sample": None, "train": None}, "found no stage"),
        ({"train": {"config": "train.yaml", "nodes": 3}}, "1 × 3"),
        ({"train": {"config": "train.yaml", "node": 3}}, "did you mean 'nodes'"),
        ({"train": {"config": "none.yaml"}}, "no such configuration file"),
        ({"train": {"config": "train.yaml", "set": ["epoch=3"]}}, "did you mean 'epochs'"),
        ({"train": None, "evaluate": {}}, "no train stage"),
        ({"site": "none.yaml"}, "no such configuration file"),
        ({"sample": {"config": "sample.yaml", "by": "dask"}}, "expected 'slurm'"),
        ({"sample": {"config": "sample.yaml", "options": ["-N 3"]}}, "sample.options.0"),
        ({"sample": {"config": "sample.yaml", "set": ["splits.validation=0"]}}, "validation"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_written(changes, part, tmp_path, capsys):
    assert pipeline([str(chain(tmp_path, **changes))]) == 2
    message = capsys.readouterr().err
    assert message.count("error:") == 1
    assert part in message
    assert not (tmp_path / "out").exists()


def test_submitting_without_slurm_is_refused_before_anything_is_written(tmp_path, capsys, no_slurm):
    assert pipeline([str(chain(tmp_path)), "--submit"]) == 2
    assert "no squeue here" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_status_reads_files_alone_where_there_is_no_slurm(tmp_path, capsys, no_slurm):
    out = tmp_path / "out"
    assert pipeline([str(chain(tmp_path))]) == 0
    line = [str(tmp_path / "sample.yaml"), "--out", str(out / "data")]
    assert sample([*line, "--task", "1/2"]) == 0
    (out / "train").mkdir()
    (out / "train" / "config.yaml").write_text("epochs: 7\n")
    lines = [
        {"kind": "train", "step": 10, "epoch": 2.5, "loss": 0.125},
        {"kind": "validation", "step": 10, "r2_pooled": 0.75},
    ]
    text = "".join(json.dumps(one) + "\n" for one in lines)
    (out / "train" / "metrics.jsonl").write_text(text + '{"kind": "tr')
    capsys.readouterr()
    assert status([str(out)]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"sample +stopped +8/16 samples", shown)
    assert re.search(r"check +not started", shown)
    assert re.search(r"train +stopped +epoch 2.5/7 +loss 0.125, best R² 0.7500", shown)
    assert status([str(out / "data")]) == 0
    assert "8/16 samples" in capsys.readouterr().out


def test_status_of_a_folder_without_results_is_refused(tmp_path, capsys, no_slurm):
    assert status([str(tmp_path)]) == 2
    assert "found no results there" in capsys.readouterr().err
    assert status([str(tmp_path / "none")]) == 2


def test_a_head_node_without_an_address_is_refused_at_once():
    torchrun = ["-m", "opalux.jobs.cluster.torchrun", "--head", "head.invalid"]
    words = [*torchrun, "-m", "opalux.jobs.train", "x.yaml"]
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "no address for the head node 'head.invalid'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("numbers", "text"), [([3], "3"), ([0, 1, 2, 5, 7, 8], "0-2,5,7-8"), ([2, 0], "0,2")]
)
def test_elements_are_named_in_the_form_of_sbatch(numbers, text):
    assert ranges(numbers) == text
