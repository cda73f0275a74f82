"""A small network, trained for a moment on signals at the edges."""

from pathlib import Path
from typing import Any

import yaml

from opalux.jobs import sample, train

N = 12
CAMPAIGN: dict[str, Any] = {
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
MODEL = {"kind": "edge_vnet", "width": 4, "features": 4, "levels": 2, "patch": 2}


def sampled(folder: Path, campaign: dict[str, Any]) -> Path:
    """Return the folder of a data set; keys are other than those of `CAMPAIGN`, or added."""
    folder.mkdir(exist_ok=True)
    (folder / "sample.yaml").write_text(yaml.safe_dump(CAMPAIGN | campaign))
    words = [str(folder / "sample.yaml"), "--set", "backend={kind: in-process}"]
    assert sample.main([*words, "--out", str(folder / "data")]) == 0
    return folder / "data"


def trained(folder: Path, campaign: dict[str, Any], **training: Any) -> Path:
    """Return the folder of a training run; keys are other than those of `CAMPAIGN`, or added."""
    data = sampled(folder, campaign)
    keys = {"data": {"folder": str(data)}, "model": MODEL, "epochs": 1, "batch": 8}
    (folder / "train.yaml").write_text(yaml.safe_dump(keys | training))
    assert train.main([str(folder / "train.yaml"), "--out", str(folder / "run")]) == 0
    return folder / "run"
