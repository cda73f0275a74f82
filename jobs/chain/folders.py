"""How far a job is, read from its folder alone: one function for each kind of job."""

import dataclasses
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from opalux.base.errors import InputError
from opalux.jobs.chain.stages import check_passed
from opalux.jobs.sampling.status import read_status


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """A line of the table.

    Attributes
    ----------
    name : of the stage
    state : done, running, waiting, stopped or not started
    progress : how much is done
    note : what is worth knowing
    """

    name: str
    state: str
    progress: str = ""
    note: str = ""


def kind_of(folder: Path) -> str:
    """Return what kind of job's results lie in ``folder``.

    Raises
    ------
    InputError
        When there are none.
    """
    for name, kind in (
        ("dataset.yaml", "sample"),
        ("metrics.jsonl", "train"),
        ("solution.h5", "solve"),
        ("checkpoint.h5", "solve"),
        ("metrics.json", "evaluate"),
    ):
        if (folder / name).is_file():
            return kind
    raise InputError(
        f"{folder}: found no results there; give the folder of a pipeline (pipeline.yaml), a "
        "campaign (dataset.yaml), a training (metrics.jsonl), a solution or an evaluation"
    )


def _sample(folder: Path) -> Row:
    if not (folder / "dataset.yaml").is_file():
        return Row(name="campaign", state="not started")
    status = read_status(folder)
    progress = f"{status.done}/{status.samples} samples"
    notes = [f"{status.failed} failed"] if status.failed else []
    if status.parts_damaged:
        notes.append(f"{status.parts_damaged} parts damaged")
    if status.done == status.samples and status.finished:
        return Row(name="campaign", state="done", progress=progress, note=", ".join(notes))
    if status.workers and not math.isnan(status.rate):
        notes.append(f"{status.rate:.3g} samples/s, {status.seconds_left:.0f} s left")
    state = "running" if status.workers else "stopped"
    return Row(name="campaign", state=state, progress=progress, note=", ".join(notes))


def _check(folder: Path) -> Row:
    if not check_passed(folder):
        return Row(name="check", state="not started")
    last = (folder / "check.txt").read_text().strip().splitlines()[-1:]
    return Row(name="check", state="done", note=" ".join(last).partition(": ")[2])


def _train(folder: Path) -> Row:
    lines = _json_lines(folder / "metrics.jsonl")
    record = _json(folder / "run.json")
    if not lines and not record:
        started = (folder / "config.yaml").is_file()
        return Row(name="training", state="stopped" if started else "not started")
    epochs = "?"
    if (folder / "config.yaml").is_file():
        epochs = yaml.safe_load((folder / "config.yaml").read_text()).get("epochs", "?")
    losses = [line for line in lines if line["kind"] == "train"]
    scores = [line["r2_pooled"] for line in lines if line["kind"] == "validation"]
    notes = [f"loss {losses[-1]['loss']:.4g}"] if losses else []
    if scores:
        notes.append(f"best R² {max(scores):.4f}")
    progress = f"epoch {losses[-1]['epoch']:.4g}/{epochs}" if losses else f"epoch 0/{epochs}"
    state = "done" if record.get("state") == "finished" else "stopped"
    return Row(name="training", state=state, progress=progress, note=", ".join(notes))


def _solve(folder: Path) -> Row:
    record = _json(folder / "run.json")
    if record:
        note = f"{record['ranks']} ranks, {record['wall_seconds']:.4g} s"
        return Row(name="solution", state="done", progress=f"{record['steps']} steps", note=note)
    started = (folder / "config.yaml").is_file()
    note = "checkpoint written" if (folder / "checkpoint.h5").is_file() else ""
    return Row(name="solution", state="stopped" if started else "not started", note=note)


def _judgement(folder: Path) -> Row:
    numbers = _json(folder / "metrics.json")
    if not numbers:
        return Row(name="evaluation", state="not started")
    keys = ("r2_pooled", "rel_l1", "ssim")
    note = ", ".join(f"{key} {numbers[key]:.4g}" for key in keys if numbers.get(key) is not None)
    return Row(name="evaluation", state="done", note=note)


def _siqd(folder: Path) -> Row:
    if (folder / "metrics.json").is_file():
        return Row(name="study", state="done", note=str(folder / "report.html"))
    started = (folder / "config.yaml").is_file()
    return Row(name="study", state="stopped" if started else "not started")


READERS: dict[str, Callable[[Path], Row]] = {
    "sample": _sample,
    "check": _check,
    "train": _train,
    "evaluate": _judgement,
    "solve": _solve,
    "siqd": _siqd,
}


def _json(path: Path) -> dict[str, Any]:
    """Return a JSON object; an empty one when there is none."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _json_lines(path: Path) -> list[dict[str, Any]]:
    """Return a JSON object a line; the last line may be half written."""
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")]
