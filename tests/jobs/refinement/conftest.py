"""A small network, trained for a moment on signals at the edges."""

import pytest
import yaml

from opalux.jobs import sample, train

N = 12
CAMPAIGN = {
    "name": "small",
    "splits": {"train": 16, "validation": 4, "test": 4},
    "problem": {
        "scheme": "staggered",
        "signals": {"at": "edge"},
        "grid": {"nx": N, "ny": N},
        "time": {"final": 0.004, "cfl": 0.65},
    },
    "n_times": 8,
    "families": [{"kind": "discs"}],
}
TRAINING = {
    "model": {"kind": "edge_vnet", "width": 4, "features": 4, "levels": 2, "patch": 2},
    "epochs": 2,
    "batch": 8,
}


@pytest.fixture(scope="package")
def run(tmp_path_factory):
    """The folder of its training run."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "sample.yaml").write_text(yaml.safe_dump(CAMPAIGN))
    words = [str(folder / "sample.yaml"), "--set", "backend={kind: in-process}"]
    assert sample.main([*words, "--out", str(folder / "data")]) == 0
    training = {**TRAINING, "data": {"folder": str(folder / "data")}}
    (folder / "train.yaml").write_text(yaml.safe_dump(training))
    assert train.main([str(folder / "train.yaml"), "--out", str(folder / "run")]) == 0
    return folder / "run"
