"""``opalux status`` on every kind of run, whole or damaged."""

import json
import re
import subprocess
import sys
import time

import pytest
import yaml

from opalux.jobs.status import main as status
from tests.conftest import ROOT

CONFIGURATIONS = {
    "train": {"data": {}, "model": {}, "optimiser": {}, "epochs": 4},
    "evaluate": {"split": "test", "misfit_maps": 16},
    "solve": {"grid": {}, "time": {}, "edges": {}},
    "siqd": {"data": {}, "preparation": {}, "folds": 3, "peers": None},
}


@pytest.fixture
def shown(capsys):
    """Return what status says of a folder, and what is wrong."""

    def shown(folder, code=0):
        assert status([str(folder)]) == code
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        return printed.err if code else printed.out

    return shown


def a_run(folder, kind, **files):
    """Write the configuration of a run and some of its files."""
    folder.mkdir(exist_ok=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(CONFIGURATIONS[kind]))
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / name.replace("_json", ".json")).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("kind", "name"), [("train", "training"), ("solve", "solution"), ("siqd", "study")]
)
def test_a_run_that_has_only_begun_is_known_by_its_configuration(kind, name, tmp_path, shown):
    assert re.search(rf"{name} +stopped", shown(a_run(tmp_path / "run", kind)))


def test_a_solution_says_its_steps_and_time(tmp_path, shown):
    record = {"ranks": 2, "wall_seconds": 1.25, "steps": 36}
    found = shown(a_run(tmp_path / "run", "solve", run_json=record))
    assert re.search(r"solution +done +36 steps +2 ranks, 1.25 s", found)


def test_a_study_and_an_evaluation_are_told_apart_though_both_write_metrics_json(tmp_path, shown):
    study = shown(a_run(tmp_path / "study", "siqd", metrics_json={"a": 1}))
    assert re.search(r"study +done", study)
    numbers = {"r2_pooled": 0.5, "ssim": 0.25}
    found = shown(a_run(tmp_path / "judged", "evaluate", metrics_json=numbers))
    assert re.search(r"evaluation +done +r2_pooled 0.5, ssim 0.25", found)


def test_an_evaluation_without_its_configuration_is_known_by_its_numbers(tmp_path, shown):
    (tmp_path / "metrics.json").write_text(json.dumps({"r2_pooled": 0.5}))
    assert "r2_pooled 0.5" in shown(tmp_path)


def test_a_broken_line_of_a_training_is_named_and_the_others_count(tmp_path, shown):
    run = a_run(tmp_path / "run", "train")
    whole = {"kind": "train", "step": 1, "epoch": 0.5, "loss": 0.25}
    lines = [json.dumps(whole), '{"kind": "train", "st', '["no object"]']
    lines += [json.dumps(whole | {"epoch": 2.0, "loss": 0.125}), '{"half']
    (run / "metrics.jsonl").write_text("\n".join(lines))
    found = " ".join(shown(run).split())
    assert "epoch 2/4" in found
    assert "loss 0.125" in found
    assert "metrics.jsonl: line 2, 3 cannot be read" in found


@pytest.mark.parametrize("kind", ["train", "solve"])
@pytest.mark.parametrize("content", ["", '{"half', "[1]", '{"steps": {}, "ranks": "two"}'])
def test_a_damaged_record_is_named_not_a_traceback(kind, content, tmp_path, shown):
    run = a_run(tmp_path / "run", kind)
    (run / "run.json").write_text(content)
    found = shown(run)
    assert "unreadable" in found or "stopped" in found or "done" in found
    if not content.startswith('{"steps'):
        assert "unreadable" in found
        assert "run.json" in "".join(found.split())


def test_a_campaign_with_a_damaged_card_is_named(tmp_path, shown):
    (tmp_path / "dataset.yaml").write_text("name: [")
    found = "".join(shown(tmp_path).split())
    assert "unreadable" in found
    assert "dataset.yaml" in found


@pytest.fixture
def pipeline(tmp_path):
    """Return the folder of a pipeline of which nothing has run."""
    (tmp_path / "pipeline.yaml").write_text(
        yaml.safe_dump(
            {
                "site": str(ROOT / "configs" / "site" / "plain.yaml"),
                "out": str(tmp_path),
                "train": {"config": "train.yaml"},
                "evaluate": {},
                "solve": {"config": "solve.yaml"},
            }
        )
    )
    return tmp_path


def test_a_damaged_stage_does_not_hide_the_others(pipeline, shown):
    a_run(pipeline / "train", "train", run_json="{")
    a_run(pipeline / "solve", "solve")
    found = shown(pipeline)
    assert re.search(r"train +unreadable", found)
    assert re.search(r"evaluate +not started", found)
    assert re.search(r"solve +stopped", found)


def test_an_evaluation_of_an_earlier_training_is_out_of_date(pipeline, shown):
    a_run(pipeline / "evaluate", "evaluate", metrics_json={"r2_pooled": 0.5})
    a_run(pipeline / "train", "train", run_json={"state": "finished"})
    assert re.search(r"evaluate +out of date", shown(pipeline))


def test_a_damaged_list_of_submissions_is_an_error_in_one_message(pipeline, shown):
    (pipeline / "jobs.json").write_text('[{"stage": "train"')
    message = shown(pipeline, code=2)
    assert message.count("error:") == 1
    assert "jobs.json" in message


def test_a_damaged_pipeline_file_is_an_error_in_one_message(tmp_path, shown):
    (tmp_path / "pipeline.yaml").write_text("site: 3\nstage: x\n")
    assert shown(tmp_path, code=2).count("error:") == 1


def test_a_run_that_lives_is_running_and_a_killed_one_is_stopped(shown, tmp_path):
    out = tmp_path / "run"
    line = [sys.executable, "-m", "opalux", "solve", str(ROOT / "configs/solve/debug.yaml")]
    line += ["--set", "time.final=100", "--out", str(out)]
    process = subprocess.Popen(line, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        while not (out / "config.yaml").exists():
            time.sleep(0.01)
            assert process.poll() is None
        assert " running" in shown(out)
    finally:
        process.kill()
        process.wait()
    assert " stopped" in shown(out)
