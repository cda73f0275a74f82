"""Signals, preemption and lost nodes on a real Slurm: jobs go on where they stood."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
import yaml

from opalux.jobs.sample import main as sample
from opalux.jobs.solve import main as solve
from tests.jobs.test_solve import arrays, same_bits
from tests.slurm.conftest import script
from tests.slurm.test_pipeline import CAMPAIGN, NETWORK

pytestmark = pytest.mark.slurm

TWO_NODES = ["--nodes=2", "--ntasks-per-node=1"]

LONG = """
grid: {nx: 300, ny: 200}
time: {final: 0.06}
output: {pictures: false, signals_every: 50}
material: {density: 1+x}
edges: {left: {kind: source}, up: {kind: wall}}
"""


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory) -> tuple[Path, Path]:
    """Return a configuration and its solution by one process that nobody disturbed."""
    folder = tmp_path_factory.mktemp("solve")
    (folder / "long.yaml").write_text(LONG)
    assert solve([str(folder / "long.yaml"), "--out", str(folder / "run")]) == 0
    return folder / "long.yaml", folder / "run" / "solution.h5"


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Return a small data set."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "sample.yaml").write_text(yaml.safe_dump(CAMPAIGN))
    assert sample([str(folder / "sample.yaml"), "--out", str(folder / "set"), "--task", "0/1"]) == 0
    return folder / "set"


def test_a_two_node_solve_told_to_stop_goes_on_to_the_bits_of_one_process(slurm, uninterrupted):
    config, expected = uninterrupted
    job = slurm.sbatch(*TWO_NODES, script("solve"), config, "--out", "run")
    slurm.until((slurm.folder / "run" / ".solution.h5.part").exists)
    slurm.out("scancel", "--signal=USR1", "--batch", job)
    slurm.until(lambda: slurm.show(job, "Restarts") == "1")
    assert (slurm.folder / "run" / "checkpoint.h5").exists()
    assert "not requeued" not in slurm.logs()
    assert slurm.finish(job) == {job: "COMPLETED"}, slurm.logs()
    run = json.loads((slurm.folder / "run" / "run.json").read_text())
    assert run["ranks"] == 2
    assert run["resumed_from_step"] > 0
    assert same_bits(slurm.folder / "run" / "solution.h5", expected)


def test_a_preempted_solve_makes_room_and_goes_on(slurm, uninterrupted):
    config, expected = uninterrupted
    job = slurm.sbatch(*TWO_NODES, "--exclusive", script("solve"), config, "--out", "run")
    slurm.until((slurm.folder / "run" / ".solution.h5.part").exists)
    urgent = ["--partition=urgent", "--nodes=2", "--exclusive", "--output=urgent.log"]
    other = slurm.sbatch(*urgent, "--wrap=date")
    assert slurm.finish(other) == {other: "COMPLETED"}
    assert slurm.show(job, "Restarts") == "1"
    assert slurm.finish(job) == {job: "COMPLETED"}, slurm.logs()
    run = json.loads((slurm.folder / "run" / "run.json").read_text())
    assert run["resumed_from_step"] > 0
    assert same_bits(slurm.folder / "run" / "solution.h5", expected)


def test_a_two_node_training_told_to_stop_goes_on_to_the_same_weights(slurm, data):
    settings = {
        "data": {"folder": str(data)},
        "model": NETWORK,
        "epochs": 40,
        "batch": 4,
        "log_every": 1,
        "validate_every": 20,
    }
    (slurm.folder / "train.yaml").write_text(yaml.safe_dump(settings))
    line = ["--nodes=2", "--gpus-per-node=0", "--cpus-per-task=1", script("train"), "train.yaml"]
    whole = slurm.sbatch(*line, "--out", "whole")
    stopped = slurm.sbatch(*line, "--out", "stopped")
    log = slurm.folder / "stopped" / "metrics.jsonl"
    slurm.until(lambda: log.exists() and len(log.read_text().splitlines()) > 3)
    slurm.out("scancel", "--signal=USR1", "--batch", stopped)
    slurm.until(lambda: slurm.show(stopped, "Restarts") == "1")
    record = json.loads((slurm.folder / "stopped" / "run.json").read_text())
    assert record["state"] == "stopped"
    assert slurm.finish(whole, stopped) == {whole: "COMPLETED", stopped: "COMPLETED"}, slurm.logs()
    one, other = (
        torch.load(slurm.folder / name / "last.ckpt", weights_only=True)
        for name in ("whole", "stopped")
    )
    assert one["state"] == other["state"]
    for name, weights in one["model"].items():
        assert torch.equal(weights, other["model"][name]), name


def test_a_campaign_on_dask_workers_outlives_one_of_them(slurm, tmp_path):
    campaign = CAMPAIGN | {"splits": {"train": 64}, "problem": {"grid": {"nx": 32, "ny": 32}}}
    backend = {"kind": "slurm", "workers": 2, "memory": "1GB", "interface": "lo"}
    (tmp_path / "sample.yaml").write_text(yaml.safe_dump(campaign | {"backend": backend}))
    job = slurm.sbatch(script("sample_dask"), "sample.yaml", "--out", "set")
    slurm.until(lambda: list((tmp_path / "set").glob("part-*.h5")))
    states = slurm.states()
    workers = [name for name in states if name != job and states[name] == "RUNNING"]
    slurm.out("scancel", workers[0])
    assert slurm.finish(job) == {job: "COMPLETED"}, slurm.logs()
    assert slurm.states()[workers[0]] == "CANCELLED"
    assert "0 failed" in slurm.logs()
    line = ["sample.yaml", "--out", str(tmp_path / "alone"), "--task", "0/1"]
    line[0] = str(tmp_path / "sample.yaml")
    assert sample(line) == 0
    parts = sorted(path.name for path in (tmp_path / "alone").glob("part-*.h5"))
    assert len(parts) == 16
    for part in parts:
        made, expected = (arrays(tmp_path / name / part) for name in ("set", "alone"))
        for name in ("density", "signals"):
            assert np.array_equal(made[name], expected[name]), (part, name)


def test_an_element_of_an_array_told_to_stop_goes_on_alone(slurm, tmp_path):
    campaign = CAMPAIGN | {"splits": {"train": 64}, "problem": {"grid": {"nx": 32, "ny": 32}}}
    (tmp_path / "sample.yaml").write_text(yaml.safe_dump(campaign))
    job = slurm.sbatch("--array=0-1", script("sample"), "sample.yaml", "--out", "set")
    # The last element: Slurm gives it the number of the whole array.
    slurm.until((tmp_path / "set" / "part-00001.h5").exists)
    slurm.out("scancel", "--signal=USR1", "--batch", f"{job}_1")
    slurm.until(lambda: slurm.show(f"{job}_1", "Restarts") == "1")
    states = slurm.finish(job)
    assert states == {f"{job}_0": "COMPLETED", f"{job}_1": "COMPLETED"}, slurm.logs()
    assert slurm.show(f"{job}_0", "Restarts") == "0"
    assert len(list((tmp_path / "set").glob("part-*.h5"))) == 16


def test_a_campaign_goes_on_elsewhere_when_its_node_is_set_down(slurm, tmp_path):
    campaign = CAMPAIGN | {"splits": {"train": 64}, "problem": {"grid": {"nx": 32, "ny": 32}}}
    (tmp_path / "sample.yaml").write_text(yaml.safe_dump(campaign))
    line = ["--array=0-0", "--nodelist=n2", script("sample"), "sample.yaml", "--out", "set"]
    job = slurm.sbatch(*line)
    slurm.until(lambda: list((tmp_path / "set").glob("part-*.h5")))
    slurm.out("scontrol", "update", "NodeName=n2", "State=DOWN", "Reason=test")
    try:
        kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "set").glob("part-*.h5")}
        slurm.until(lambda: slurm.show(job, "Restarts") == "1")
        assert not (tmp_path / "set" / "stats.json").exists()
        slurm.out("scontrol", "update", f"JobId={job}", "ReqNodeList=")
        assert set(slurm.finish(job).values()) == {"COMPLETED"}, slurm.logs()
        assert slurm.show(job, "NodeList") == "n1"
    finally:
        slurm.out("scontrol", "update", "NodeName=n2", "State=RESUME")
    slurm.until(lambda: slurm.out("sinfo", "-h", "-n", "n2", "-p", "main", "-o", "%t") == "idle\n")
    assert all(path.stat().st_mtime_ns == written for path, written in kept.items())
    with h5py.File(tmp_path / "set" / "part-00015.h5") as file:
        assert not file["status"][:].any()
