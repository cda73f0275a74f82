"""The chain of jobs on a real Slurm of two nodes."""

import json
import re

import pytest
import yaml

from opalux.jobs.solve import main as solve
from tests.conftest import ROOT
from tests.jobs.test_solve import same_bits

pytestmark = pytest.mark.slurm

CAMPAIGN = {
    "name": "small",
    "splits": {"train": 8, "validation": 4, "test": 4},
    "shard_size": 4,
    # Short steps, so that an element runs for seconds and can be met while it does.
    "problem": {"grid": {"nx": 16, "ny": 16}, "time": {"cfl": 0.001}},
    "n_times": 16,
    "families": [{"kind": "islands"}],
}
NETWORK = {"kind": "vnet", "levels": 2, "width": 4, "kernel": 3}


@pytest.fixture
def pipeline(tmp_path, site):
    for name, content in {
        "sample": CAMPAIGN,
        "train": {"data": {"folder": "."}, "model": NETWORK, "epochs": 2, "batch": 4},
        "pipeline": {
            "site": str(site),
            "out": "out",
            "sample": {"config": "sample.yaml", "tasks": 2},
            "train": {"config": "train.yaml", "nodes": 2},
            "evaluate": {"set": ["misfit_maps=1"]},
            "solve": {
                "config": str(ROOT / "configs" / "solve" / "debug.yaml"),
                "set": ["output.pictures=false"],
                "nodes": 2,
                "tasks_per_node": 1,
            },
        },
    }.items():
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(content))
    return tmp_path / "pipeline.yaml"


def test_the_chain_stops_at_a_killed_element_and_the_same_line_repairs_it(
    slurm, pipeline, tmp_path
):
    out = tmp_path / "out"
    slurm.opalux("pipeline", pipeline, "--submit")
    first = {one["stage"]: one["job"] for one in json.loads((out / "jobs.json").read_text())}
    killed = f"{first['sample']}_1"
    slurm.until(lambda: slurm.states()[killed] == "RUNNING")
    slurm.out("scancel", killed)

    states = slurm.finish(*first.values())
    assert states[f"{first['sample']}_0"] == "COMPLETED"
    assert states[killed] == "CANCELLED"
    # Without --kill-on-invalid-dep they would wait for ever.
    for name in ("check", "train", "evaluate"):
        assert states[first[name]] == "CANCELLED"
    assert not (out / "train").exists()
    shown = slurm.opalux("status", out)
    samples = re.search(r"(\d+)/16 samples", shown)
    assert samples, shown
    assert 8 <= int(samples[1]) < 16, "the killed one may have made some, but not all of its own"
    assert f"{first['sample']}_[1] CANCELLED" in shown

    kept = {path: path.stat().st_mtime_ns for path in (out / "data").glob("part-*.h5")}
    said = slurm.opalux("pipeline", pipeline, "--submit")
    assert "--array=1 " in said
    assert "solve      done" in said
    again = {one["stage"]: one["job"] for one in json.loads((out / "jobs.json").read_text())}
    states = slurm.finish(*again.values())
    assert set(states.values()) == {"COMPLETED"}, slurm.logs()
    assert len(kept) >= 2
    assert all(path.stat().st_mtime_ns == written for path, written in kept.items())

    # Each stage had what the one before it made; training ran on both nodes.
    training = json.loads((out / "train" / "run.json").read_text())
    assert (training["state"], training["processes"]) == ("finished", 2)
    assert "r2_pooled" in json.loads((out / "evaluate" / "metrics.json").read_text())
    run = json.loads((out / "solve" / "run.json").read_text())
    assert run["ranks"] == 2
    alone = tmp_path / "alone"
    config = str(ROOT / "configs" / "solve" / "debug.yaml")
    assert solve([config, "--out", str(alone), "--set", "output.pictures=false"]) == 0
    assert same_bits(out / "solve" / "solution.h5", alone / "solution.h5")

    shown = slurm.opalux("status", out)
    assert shown.count("done") == 5
    said = slurm.opalux("pipeline", pipeline, "--submit")
    assert "sbatch" not in said
