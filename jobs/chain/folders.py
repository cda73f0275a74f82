"""How far a training or an evaluation is, read from its folder alone."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from opalux.jobs.chain.row import Row, read_json, read_json_lines, read_settings, started

LEADING = ("r2_pooled", "r2", "strict_score")
"""Scores by which the best network was chosen before metrics.jsonl named them."""

NAMES = {"r2_pooled": "R²", "r2": "R²"}
"""How scores are called; others by their key."""

OF_MAPS = ("r2_pooled", "rel_l1", "ssim")
"""Measures of maps, of those in metrics.json, that the line shows."""


def training(folder: Path) -> Row:
    """Return the line of a training run."""
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


def judgement(folder: Path) -> Row:
    """Return the line of an evaluation."""
    numbers = read_json(folder / "metrics.json")
    if not numbers:
        return Row(name="evaluation", state="not started")
    scores = numbers.get("scores")  # of a network that gives no map: all that there is
    shown = scores if isinstance(scores, dict) else {key: numbers.get(key) for key in OF_MAPS}
    note = ", ".join(f"{key} {value:.4g}" for key, value in shown.items() if _is_number(value))
    return Row(name="evaluation", state="done", note=note)


def _best(validations: Iterable[dict[str, Any]]) -> list[str]:
    """Return the best value of the score by which the best network is chosen, as a note."""
    best: dict[str, float] = {}
    for line in validations:
        # Runs of earlier versions do not name it.
        name = line.get("leading") or next((name for name in LEADING if name in line), "")
        if _is_number(line.get(name)):
            best[name] = max(line[name], best.get(name, line[name]))
    return [f"best {NAMES.get(name, name)} {value:.4f}" for name, value in best.items()]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
