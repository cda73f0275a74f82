"""The training of the network, on the pipeline's campaign or on the data of its configuration."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from opalux.base.config import load
from opalux.base.errors import InputError
from opalux.jobs.chain.row import (
    Row,
    is_number,
    read_json,
    read_json_lines,
    read_settings,
    started,
)
from opalux.jobs.chain.stage import ConfiguredStage, Stage, Surroundings, Work, script
from opalux.jobs.chain.stages.sample import FOLDER as DATA
from opalux.jobs.chain.stages.sample import campaign_card

FOLDER = "train"

LEADING = ("r2_pooled", "r2", "strict_score")
"""Scores by which the best network was chosen before metrics.jsonl named them."""

NAMES = {"r2_pooled": "R²", "r2": "R²"}
"""How scores are called; others by their key."""


def _work(own: ConfiguredStage, around: Surroundings) -> Work:
    # Importing torch takes seconds; nothing else here needs it.
    from opalux.learning.training.plan import TrainSettings

    card = campaign_card(around)
    out = around.out / FOLDER
    data = ("--set", f"data.folder={around.out / DATA}") if card else ()
    job = script("train", own, own.config, "--out", out, *data, overrides=own.set)
    settings, _ = load(TrainSettings, own.config, list(own.set))
    options = job.options(around.site)
    gpus = int(options.get("--gpus-per-node", "0"))
    processes = int(options["--nodes"]) * max(1, gpus)
    if settings.batch % (settings.accumulate * processes):
        raise InputError(
            f"{own.config}: found batch {settings.batch}, expected a multiple of "
            f"accumulate × processes = {settings.accumulate} × {processes} "
            f"({options['--nodes']} nodes, {gpus} GPUs each); change batch, or nodes and "
            "gpus_per_node"
        )
    if card is not None and not card.splits.validation:
        raise InputError("sample: splits.validation is 0, but training judges itself on that split")
    return Work(script=job, done=lambda: read_json(out / "run.json").get("state") == "finished")


def _row(folder: Path) -> Row:
    lines, broken = read_json_lines(folder / "metrics.jsonl")
    record = read_json(folder / "run.json")
    if not lines and not record:
        return Row(name="training", state="stopped" if started(folder) else "not started")
    epochs = read_settings(folder).get("epochs", "?")
    losses = [line for line in lines if line.get("kind") == "train" and "loss" in line]
    notes = [f"loss {losses[-1]['loss']:.4g}"] if losses else []
    notes += _best(line for line in lines if line.get("kind") == "validation")
    if broken:
        notes.append(f"metrics.jsonl: line {', '.join(map(str, broken))} cannot be read")
    progress = f"epoch {losses[-1].get('epoch', 0):.4g}/{epochs}" if losses else f"epoch 0/{epochs}"
    state = "done" if record.get("state") == "finished" else "stopped"
    return Row(name="training", state=state, progress=progress, note=", ".join(notes))


def _best(validations: Iterable[dict[str, Any]]) -> list[str]:
    """Return the best value of the score by which the best network is chosen, as a note."""
    best: dict[str, float] = {}
    for line in validations:
        # Runs of earlier versions do not name it.
        name = line.get("leading") or next((name for name in LEADING if name in line), "")
        if is_number(line.get(name)):
            best[name] = max(line[name], best.get(name, line[name]))
    return [f"best {NAMES.get(name, name)} {value:.4f}" for name, value in best.items()]


TRAIN = Stage(
    name="train",
    settings=ConfiguredStage,
    folder=FOLDER,
    work=_work,
    row=_row,
    follows=("check",),
    files=("metrics.jsonl",),
    keys=("model", "optimiser", "epochs"),
)
