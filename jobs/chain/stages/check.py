"""The check of the data set that the campaign makes."""

from pathlib import Path

from opalux.jobs.chain.row import Row, newer
from opalux.jobs.chain.stage import Stage, Surroundings, Work, script
from opalux.jobs.chain.stages.sample import FOLDER, SampleStage, campaign_card, missing_parts
from opalux.jobs.cluster.site import Resources

REPORT = "check.txt"


def check_passed(folder: Path) -> bool:
    """Return whether the data set in ``folder`` was found sound as it is now."""
    return newer(folder / REPORT, *folder.glob("part-*.h5"))


def _work(own: Resources, around: Surroundings) -> Work:
    sample, card = around.stages["sample"], campaign_card(around)
    assert isinstance(sample, SampleStage)
    assert card is not None
    data = around.out / FOLDER
    return Work(
        script=script("check", own, sample.config, data, overrides=sample.set),
        done=lambda: not missing_parts(data, card) and check_passed(data),
    )


def _row(folder: Path) -> Row:
    if not check_passed(folder):
        return Row(name="check", state="not started")
    last = (folder / REPORT).read_text(errors="replace").strip().splitlines()[-1:]
    return Row(name="check", state="done", note=" ".join(last).partition(": ")[2])


CHECK = Stage(
    name="check",
    settings=Resources,
    folder=FOLDER,
    work=_work,
    row=_row,
    needs=("sample",),
    always=True,
)
