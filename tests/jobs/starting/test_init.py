"""`opalux init` writes files that the jobs accept as they stand, and that say every key."""

import importlib
import re

import pytest

from opalux.base.command_line import settings_of
from opalux.base.config import load
from opalux.base.keys import keys_of
from opalux.jobs.init import main
from opalux.jobs.starting.models import FILES
from tests.conftest import ROOT

MORE = {"invert": [str(ROOT / "configs/invert/example.csv")]}
"""Further words of the command line."""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("job", [job for job in FILES if job not in ("site", "train")])
def test_a_dry_run_accepts_the_file(job, folder, capsys):
    assert main([job]) == 0
    run = importlib.import_module(f"opalux.jobs.{job}").main
    assert run([f"{job}.yaml", *MORE.get(job, []), "--dry-run"]) == 0


@pytest.mark.parametrize("job", FILES)
def test_the_file_says_every_key_of_the_top(job, folder):
    assert main([job]) == 0
    text = (folder / f"{job}.yaml").read_text()
    model = settings_of(FILES[job])
    missing = [
        key.name for key in keys_of(model) if not re.search(rf"^#?{key.name}:", text, re.MULTILINE)
    ]
    assert not missing


@pytest.mark.parametrize("job", FILES)
def test_without_its_marks_the_file_means_the_same(job, folder):
    assert main([job]) == 0
    path = folder / f"{job}.yaml"
    model = settings_of(FILES[job])
    before, _ = load(model, path)
    # A key behind a mark: `#key:`, indented in a group that is marked as a whole; there, prose
    # keeps a mark of its own.
    unmarked = re.sub(
        r"^( *)#(?=(?:  )*[A-Za-z_]\w*:|(?:  )+#)", r"\1", path.read_text(), flags=re.M
    )
    assert unmarked != path.read_text()
    path.write_text(unmarked)
    after, _ = load(model, path)
    assert after.model_dump() == before.model_dump()


def test_keys_can_be_filled_in(folder):
    assert (
        main(["solve", "--set", "grid.nx=20", "--set", "grid.x=[0, 2]", "--out", "a/b.yaml"]) == 0
    )
    found, _ = load(settings_of(FILES["solve"]), "a/b.yaml")
    assert found.model_dump()["grid"]["x"] == (0.0, 2.0)


def test_a_file_that_is_there_is_kept(folder, capsys):
    (folder / "solve.yaml").write_text("mine")
    assert main(["solve"]) == 2
    assert "exists already" in capsys.readouterr().err
    assert (folder / "solve.yaml").read_text() == "mine"
    assert main(["solve", "--force"]) == 0


def test_a_wrong_key_is_refused_before_anything_is_written(folder, capsys):
    assert main(["solve", "--set", "grid.nz=3"]) == 2
    assert "grid.nz: unknown key" in capsys.readouterr().err
    assert not list(folder.iterdir())


def test_a_dash_writes_to_standard_output(folder, capsys):
    assert main(["solve", "--out", "-"]) == 0
    assert "grid:\n  # Cells" in capsys.readouterr().out
    assert not list(folder.iterdir())
