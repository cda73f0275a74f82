"""Every script of the gallery runs as it stands, here at a smaller size, and draws its picture."""

import re
import runpy
import subprocess
import sys

import matplotlib.pyplot as plt
import pytest

from docs.website.gallery import scripts
from tests.conftest import ROOT, clean_environment

SMALLER: dict[str, dict[str, float]] = {
    "01_own_map": {"CELLS": 16},
    "02_own_family": {"MAPS": 16, "EPOCHS": 1},
    "03_lab_table": {"STEPS": 3, "MODES": 2},
    "04_refine": {"MAPS": 16, "EPOCHS": 1, "STEPS": 3, "FINER": 2},
    "05_marshak_wave": {"CELLS": 10, "FINAL": 0.1},
    "06_many_processes": {"CELLS": 16},
    "07_campaign": {"MAPS": 4},
    "08_clusters": {"POINTS": 100},
    "09_differentiable": {"CELLS": 8, "STEPS": 2},
}


def test_every_script_is_known_here():
    assert sorted(SMALLER) == [path.stem for path in scripts()]


@pytest.mark.parametrize("name", SMALLER)
def test_a_script_runs_and_draws(name, tmp_path, monkeypatch, capsys):
    text = (ROOT / "docs" / "gallery" / f"{name}.py").read_text(encoding="utf-8")
    for constant, value in SMALLER[name].items():
        text, changed = re.subn(rf"^{constant} = .*$", f"{constant} = {value}", text, flags=re.M)
        assert changed == 1
    (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    environment = clean_environment() | {"PYTHONPATH": str(ROOT), "MPLBACKEND": "Agg"}
    if "mpirun" in text:
        # Not from this process, in which MPI may run already: what it sets would be inherited.
        words = [sys.executable, f"{name}.py"]
        done = subprocess.run(
            words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        printed = done.stdout
    else:
        for variable, content in environment.items():  # of the processes that it starts
            monkeypatch.setenv(variable, content)
        monkeypatch.chdir(tmp_path)
        # In this process, where what all of them import is there already.
        runpy.run_path(str(tmp_path / f"{name}.py"), run_name="__main__")
        plt.close("all")
        printed = capsys.readouterr().out
    assert printed
    assert (tmp_path / f"{name}.png").stat().st_size > 5000
