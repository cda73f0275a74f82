"""The judgement of the trained network on maps that it has never seen."""

from pathlib import Path

from opalux.jobs.chain.row import Row, is_number, newer, read_json
from opalux.jobs.chain.stage import Stage, StageSettings, Surroundings, Work, script
from opalux.jobs.chain.stages.train import FOLDER as TRAIN

FOLDER = "evaluate"

OF_MAPS = ("r2_pooled", "rel_l1", "ssim")
"""Measures of maps, of those in metrics.json, that the line shows."""


def _work(own: StageSettings, around: Surroundings) -> Work:
    out = around.out / FOLDER
    return Work(
        script=script("evaluate", own, around.out / TRAIN, "--out", out, overrides=own.set),
        done=lambda: _fresh(out),
    )


def _fresh(folder: Path) -> bool:
    """Return whether the network has been judged since it was trained."""
    return newer(folder / "metrics.json", folder.parent / TRAIN / "run.json")


def _row(folder: Path) -> Row:
    numbers = read_json(folder / "metrics.json")
    if not numbers:
        return Row(name="evaluation", state="not started")
    scores = numbers.get("scores")  # of a network that gives no map: all that there is
    shown = scores if isinstance(scores, dict) else {key: numbers.get(key) for key in OF_MAPS}
    note = ", ".join(f"{key} {value:.4g}" for key, value in shown.items() if is_number(value))
    # An evaluation that stands alone has no training beside it.
    trained = (folder.parent / TRAIN / "run.json").exists()
    state = "out of date" if trained and not _fresh(folder) else "done"
    return Row(name="evaluation", state=state, note=note)


EVALUATE = Stage(
    name="evaluate",
    settings=StageSettings,
    folder=FOLDER,
    work=_work,
    row=_row,
    needs=("train",),
    files=("metrics.json",),
    keys=("split", "misfit_maps"),
)
