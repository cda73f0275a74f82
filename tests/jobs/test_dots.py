"""Structures as files: one line writes them with their gaps, a second line reads them back."""

import csv
from pathlib import Path

import pytest

from opalux.base.config import load
from opalux.jobs.dots import main
from opalux.learning.siqd.dots.export_settings import ExportSettings

CONFIGS = Path(__file__).resolve().parents[2] / "configs" / "dots"
DEBUG = str(CONFIGS / "debug.yaml")


def rows(path):
    with path.open() as file:
        return {row["name"]: row for row in csv.DictReader(file)}


@pytest.mark.parametrize("config", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_configuration_can_be_read(config):
    load(ExportSettings, config)


def test_structures_that_were_written_have_the_gaps_of_the_lattice(tmp_path, capsys):
    made, again = tmp_path / "made", tmp_path / "again"
    assert main([DEBUG, "--out", str(made)]) == 0
    files = sorted((made / "structures").glob("*.xyz"))
    first = rows(made / "gaps.csv")
    assert len(files) == len(first) > 2
    own = tmp_path / "own.yaml"
    own.write_text("files: [" + ", ".join(map(str, files)) + "]\nformat: cif\n")
    assert main([str(own), "--out", str(again)]) == 0
    second = rows(again / "gaps.csv")
    assert set(second) == set(first)
    for name, row in first.items():
        assert float(second[name]["gap_eV"]) == pytest.approx(float(row["gap_eV"]), abs=1e-6)
    assert len(list((again / "structures").glob("*.cif"))) == len(first)
    assert main([DEBUG, "--out", str(made), "--resume"]) == 0
    assert "complete already" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "give either structures"),
        ("files: [absent.xyz]", "no such file"),
        ("structures: {centre: face}", "structures.centre"),
        ("files: [a.xyz]", "found 0 bonds at Si 1"),
        ("files: [a.xyz, a.xyz]", "two structures are called a-1"),
        ("structures: {}\nformat: pdb", "format"),
    ],
)
def test_bad_input_is_one_message_and_code_2(tmp_path, capsys, text, message):
    (tmp_path / "a.xyz").write_text("1\n\nSi 0 0 0\n")
    (tmp_path / "run.yaml").write_text(text)
    assert main([str(tmp_path / "run.yaml"), "--out", str(tmp_path / "run")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_dry_run_writes_nothing(tmp_path, capsys):
    assert main([DEBUG, "--out", str(tmp_path / "run"), "--dry-run"]) == 0
    assert "structures, and their gaps" in capsys.readouterr().out
    assert not (tmp_path / "run").exists()
