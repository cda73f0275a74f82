"""The study of silicon quantum dots, beside the rest of the pipeline."""

from pathlib import Path

from opalux.base.config import load
from opalux.jobs.chain.row import Row, started
from opalux.jobs.chain.stage import ConfiguredStage, Stage, Surroundings, Work, script

FOLDER = "siqd"


def _work(own: ConfiguredStage, around: Surroundings) -> Work:
    from opalux.jobs.cluster.siqd import SiqdJobSettings

    load(SiqdJobSettings, own.config, list(own.set))
    out = around.out / FOLDER
    return Work(
        script=script("siqd", own, own.config, "--out", out, overrides=own.set),
        done=(out / "metrics.json").is_file,
    )


def _row(folder: Path) -> Row:
    if (folder / "metrics.json").is_file():
        return Row(name="study", state="done", note=str(folder / "report.html"))
    return Row(name="study", state="stopped" if started(folder) else "not started")


SIQD = Stage(
    name="siqd",
    settings=ConfiguredStage,
    folder=FOLDER,
    work=_work,
    row=_row,
    keys=("preparation", "folds", "peers"),
)
