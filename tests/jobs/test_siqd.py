"""The job: one line gives the report; killed and started again it gives the same numbers."""

import csv
import dataclasses
import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from opalux.base.config import load
from opalux.jobs.cluster.siqd import SiqdJobSettings
from opalux.jobs.siqd import main
from opalux.learning.siqd.dots.rebuild import dots_of, names_of, row
from opalux.learning.siqd.dots.settings import StructureSettings, TableSettings
from opalux.learning.siqd.dots.table import SHIPPED, read_table
from opalux.learning.siqd.study.preparation import prepare
from opalux.learning.siqd.study.silicon import dots

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ROOT / "configs" / "siqd"
DEBUG = str(CONFIGS / "debug.yaml")


@dataclasses.dataclass(frozen=True)
class Run:
    """A run that was killed while it made dots, and ended by the same line."""

    out: Path
    kept: list[str]  # lines of the journal when it was killed


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("siqd") / "run"
    line = [sys.executable, "-m", "jobs.siqd", DEBUG, "--out", str(out)]
    first = subprocess.Popen(line, cwd=ROOT, stderr=subprocess.DEVNULL)
    journal = out / "dots.jsonl"
    while not (journal.exists() and journal.read_text().count("\n") >= 5):
        assert first.poll() is None
        time.sleep(0.02)
    first.send_signal(signal.SIGKILL)
    first.wait()
    kept = journal.read_text().rpartition("\n")[0].splitlines()
    assert main(line[3:]) == 0
    return Run(out, kept)


@pytest.fixture
def finished(run):
    return run.out


def test_a_killed_run_goes_on_and_makes_nothing_twice(run):
    lines = (run.out / "dots.jsonl").read_text().splitlines()
    assert lines[: len(run.kept)] == run.kept
    numbers = [json.loads(line)[0] for line in lines]
    assert sorted(numbers) == list(range(len(numbers)))
    assert len(run.kept) < len(lines)


def test_the_set_made_in_two_goes_is_the_set_made_in_one(run):
    dots = dots_of(StructureSettings(largest=2.15))
    with (run.out / SHIPPED.name).open() as file:
        made = list(csv.DictReader(file))
    names = names_of(dots)
    assert [entry["name"] for entry in made] == names
    assert len(set(names)) == len(dots) > len({dot.formula for dot in dots})
    for i in (0, 20, len(dots) - 1):
        assert made[i] == {key: str(value) for key, value in row(dots[i], names[i]).items()}


@pytest.mark.parametrize("config", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_configuration_can_be_read(config):
    load(SiqdJobSettings, config)


def test_report_is_one_self_contained_page(finished):
    page = (finished / "report.html").read_text()
    assert "tight-binding substitute" in page
    assert page.count("data:image/png;base64,") == len(list((finished / "figures").glob("*.png")))
    assert not re.search(r'(src|href)="(?!data:)', page)


def test_the_report_begins_with_answers_and_describes_its_figures(finished):
    page = (finished / "report.html").read_text()
    found = json.loads((finished / "metrics.json").read_text())
    first = page[page.index("What you got") : page.index("<h2>Answers")]
    for answer in found["verdicts"].values():
        assert f"<b>{answer.capitalize()}.</b>" in first
    figures = re.findall(r'alt="([^"]*)".*?<figcaption>([^<]*)', page, re.DOTALL)
    described = [alt for alt, caption in figures if alt != caption]
    assert len(described) >= 8


def test_every_published_score_stands_beside_ours(finished):
    with (finished / "tables" / "published_and_ours.csv").open() as file:
        rows = list(csv.DictReader(file))
    published = " ".join(row["published"] for row in rows)
    for score in ("0.975", "0.933", "1.000", "0.983", "0.997", "0.996", "0.994 ± 0.007", "303"):
        assert score in published
    assert all(row["ours"] and row["why they differ"] for row in rows)


def test_every_score_has_its_spread_over_splits_and_its_null(finished):
    with (finished / "tables" / "scores.csv").open() as file:
        rows = list(csv.DictReader(file))
    for task in ("bands", "clusters", "wavelength"):
        own = [row for row in rows if row["task"] == task and row["model"] == "network"]
        assert [row["shuffled"] for row in own].count("") == 5
        assert [row["shuffled"] for row in own].count("yes") == 5
    found = json.loads((finished / "metrics.json").read_text())
    spread = found["networks"]["wavelength"]["test_over_splits"]
    assert spread["low"] <= spread["middle"] <= spread["high"]
    assert spread["low"] > found["networks"]["wavelength"]["test_with_shuffled_target"]["high"]


def test_metrics_hold_every_network_and_conclusion(finished):
    found = json.loads((finished / "metrics.json").read_text())
    assert set(found["networks"]) == {"bands", "clusters", "wavelength"}
    assert len(found["conclusions_hold"]) == 3
    assert set(found["verdicts"].values()) <= {"yes", "no", "cannot be told"}
    assert found["data"]["classes"]["ultraviolet"] > 0
    assert found["search"]["bands"]["trials"] == 6
    assert [yardstick["same_winner"] for yardstick in found["search_yardsticks"]] == [True] * 3


def test_weights_of_the_networks_are_those_that_predict(finished):
    """Wavelengths of the table from the exported weights and biases alone."""
    with (finished / "tables" / "network_wavelength.csv").open() as file:
        rows = list(csv.DictReader(file))
    layers = sorted({int(entry["layer"]) for entry in rows})
    table = read_table(TableSettings(file=finished / SHIPPED.name))
    prepared = prepare(table, dots(300.0, 750.0))
    values = prepared.features
    for layer in layers:
        here = [entry for entry in rows if int(entry["layer"]) == layer]
        matrix = np.zeros((values.shape[1] + 1, max(int(entry["to_unit"]) for entry in here)))
        for entry in here:
            matrix[int(entry["from_unit"]), int(entry["to_unit"]) - 1] = float(entry["value"])
        values = np.column_stack([np.ones(len(values)), values]) @ matrix
        if layer != layers[-1]:
            values = np.maximum(values, 0.0)
    assert np.corrcoef(values[:, 0], prepared.values)[0, 1] > 0.97


def test_a_finished_run_is_left_alone(finished, capsys):
    before = (finished / "report.html").stat().st_mtime_ns
    assert main([DEBUG, "--out", str(finished), "--resume"]) == 0
    assert "complete already" in capsys.readouterr().out
    assert main([DEBUG, "--out", str(finished)]) == 2
    assert (finished / "report.html").stat().st_mtime_ns == before


def test_dry_run_writes_nothing(tmp_path, capsys):
    out = tmp_path / "run"
    assert main([str(CONFIGS / "paper.yaml"), "--dry-run", "--out", str(out)]) == 0
    assert "study 292 dots of tight_binding_dots.csv, 282 after the cut" in capsys.readouterr().out
    assert not out.exists()


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["data.file=absent.csv"], "absent.csv: no such file"),
        (["rebuild={}", "data.file=dots.csv"], "give either rebuild or data.file"),
        (["shifs=3"], "did you mean 'shifts'?"),
        (["rebuild={centre: face}"], "rebuild.centre"),
        (["preparation.shortest=670"], "expected at least 50"),
        (["p=-2"], "p: found -2"),
        (["p=2.5"], "p: found p = 2.5; expected a count"),
        (["data.example=wine"], "are no silicon quantum dots"),
        (["preparation={shortest: 620, longest: 700}"], "of one class of wavelength, red"),
        (["preparation={shortest: 620, longest: 600}"], "expected a longer one"),
    ],
)
def test_bad_input_is_one_message_and_code_2(tmp_path, capsys, overrides, message):
    arguments = [str(CONFIGS / "paper.yaml"), "--out", str(tmp_path / "run")]
    for override in overrides:
        arguments += ["--set", override]
    assert main(arguments) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_the_users_table_is_studied_without_being_called_rebuilt(tmp_path):
    table = tmp_path / "mine.csv"
    table.write_text(SHIPPED.read_text())
    out = tmp_path / "run"
    quick = ["curve_sizes=2", "shifts=3", "folds=3", "peers=null", "other_p=[15]", "repeats=5"]
    arguments = [str(CONFIGS / "paper.yaml"), "--out", str(out), "--set", f"data.file={table}"]
    for override in quick:
        arguments += ["--set", override]
    assert main(arguments) == 0
    assert "substitute" not in (out / "report.html").read_text()
    assert json.loads((out / "metrics.json").read_text())["data"]["rebuilt"] is False


SILICON = re.compile(r"silicon|quantum|colour band|published|Parker|wavelength|H/Si", re.IGNORECASE)


def test_another_subject_is_studied_without_a_word_of_the_paper(tmp_path):
    out = tmp_path / "run"
    quick = ["curve_sizes=2", "shifts=3", "folds=3", "repeats=5", "nulls=5", "models=[]"]
    arguments = [str(CONFIGS / "wine.yaml"), "--out", str(out)]
    for override in [*quick, "other_p=[9]", "networks={property: {layers: [3], max_iter: 50}}"]:
        arguments += ["--set", override]
    assert main(arguments) == 0
    page = re.sub(r'"data:image[^"]*"', "", (out / "report.html").read_text())
    page = page[: page.index("How this report was made")]
    assert not SILICON.search(page)
    assert "alcohol" in page
    assert "other clusterers" not in page, "the usual sets of points are no concern of his"
    found = json.loads((out / "metrics.json").read_text())
    assert list(found["data"]["classes"]) == ["light", "medium", "strong"]
    assert "conclusions_hold" not in found
    assert found["verdicts"]["property_classes_can_be_predicted"] == "yes"
    with (out / "tables" / "wines.csv").open() as file:
        assert len(list(csv.DictReader(file))) == found["data"]["kept"] == 178


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["data.example=null"], "the subject has no table"),
        (["data.file=wines.csv"], "give either file or example"),
        (["subject.property=ethanol"], "no column 'ethanol'; found alcohol, malic_acid"),
        (["subject.quantiles=1"], "subject.quantiles"),
        (["subject.quantiles=4"], "found 3 names of classes, expected 4"),
        (["subject.features=[ash, ash]"], "ash stands twice"),
        (["subject.parts=[[ash, sugar]]"], "sugar is no feature"),
        (["subject.parts=[[ash, hue]]"], "ash, hue sum to"),
        (["subject.limits=[11, 12, 13, 12.5]"], "expected numbers in increasing order"),
        (["subject.limits=[1, 2, 3, 4]"], "found 0 wines from 1 to 4 %, expected at least 50"),
        (["rebuild={}"], "rebuild makes silicon quantum dots"),
    ],
)
def test_a_subject_that_does_not_fit_is_refused(tmp_path, capsys, overrides, message):
    arguments = [str(CONFIGS / "wine.yaml"), "--out", str(tmp_path / "run")]
    for override in overrides:
        arguments += ["--set", override]
    assert main(arguments) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
