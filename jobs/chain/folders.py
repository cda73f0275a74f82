"""How far a training or an evaluation is, read from its folder alone."""

from pathlib import Path

from opalux.jobs.chain.row import Row, read_json, read_json_lines, read_settings, started


def training(folder: Path) -> Row:
    """Return the line of a training run."""
    lines, broken = read_json_lines(folder / "metrics.jsonl")
    record = read_json(folder / "run.json")
    if not lines and not record:
        return Row(name="training", state="stopped" if started(folder) else "not started")
    epochs = read_settings(folder).get("epochs", "?")
    losses = [line for line in lines if line.get("kind") == "train" and "loss" in line]
    scores = [
        line["r2_pooled"]
        for line in lines
        if line.get("kind") == "validation" and "r2_pooled" in line
    ]
    notes = [f"loss {losses[-1]['loss']:.4g}"] if losses else []
    if scores:
        notes.append(f"best R² {max(scores):.4f}")
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
    keys = ("r2_pooled", "rel_l1", "ssim")
    note = ", ".join(f"{key} {numbers[key]:.4g}" for key in keys if numbers.get(key) is not None)
    return Row(name="evaluation", state="done", note=note)
