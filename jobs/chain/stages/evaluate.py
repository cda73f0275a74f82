"""The judgement of the trained network on maps that it has never seen."""

import dataclasses
from pathlib import Path

from opalux.jobs.chain.folders import judgement
from opalux.jobs.chain.row import Row, newer
from opalux.jobs.chain.stage import Stage, StageSettings, Surroundings, Work, script
from opalux.jobs.chain.stages.train import FOLDER as TRAIN

FOLDER = "evaluate"


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
    row = judgement(folder)
    # An evaluation that stands alone has no training beside it.
    trained = (folder.parent / TRAIN / "run.json").exists()
    if row.state == "done" and trained and not _fresh(folder):
        return dataclasses.replace(row, state="out of date")
    return row


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
