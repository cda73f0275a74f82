"""The folder of a data set in the making: opened, continued, and cleaned after killed workers."""

import platform
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from opalux.base.config import dump
from opalux.base.errors import InputError
from opalux.base.files import write_text
from opalux.base.run_folder import CONFIG_NAME, open_run
from opalux.jobs.sampling.campaign import Campaign
from opalux.jobs.sampling.marker import RUNNING
from opalux.learning.data.card import NAME, Card, part_name
from opalux.learning.data.finish import VIEW_NAME
from opalux.learning.data.stats import NAME as STATS_NAME

PARTS = "part-*.h5"
FILES = (PARTS, CONFIG_NAME, NAME, STATS_NAME, VIEW_NAME, "run.json", "quarantine.json")
"""The files of a data set."""

_TEMPORARY = re.compile(r"\.(?P<process>\d+)\.(part\.\w+|tmp)$")
"""End of a temporary name; earlier versions used ``.tmp``."""


def open_folder(
    out: Path, campaign: Campaign, card: Card, *, resume: bool, force: bool, together: bool
) -> Path:
    """Make or enter the folder of the data set; one of the same campaign is always continued.

    With ``together`` other tasks may open it at the same moment; a folder that holds only their
    temporary files is then no foreign folder.

    Raises
    ------
    InputError
        When the folder holds something else, or its disk is too small.
    """
    _check_disk(out, campaign, card)
    begun = (out / CONFIG_NAME).is_file()
    if together and out.is_dir():
        begun |= all(path.name.startswith(".") for path in out.iterdir())
    open_run(out, dump(campaign), resume=resume or (begun and not force), force=force)
    for temporary in _temporary_files(out, platform.node(), FILES):
        if not Path("/proc", _process_of(temporary)).exists():
            temporary.unlink(missing_ok=True)
    write_text(out / NAME, card.to_yaml())
    return out


def remove_leftovers(out: Path) -> None:
    """Remove the markers and temporary files of killed workers, once all parts are there."""
    shutil.rmtree(out / RUNNING, ignore_errors=True)
    for temporary in _temporary_files(out, "*", (PARTS,)):  # other tasks may write other files now
        temporary.unlink(missing_ok=True)


def _temporary_files(out: Path, host: str, names: Iterable[str]) -> list[Path]:
    """Return the files that processes on a machine were writing; see `opalux.base.files.atomic`."""
    patterns = [f".{name}.{host}.*{end}" for name in names for end in (".part.*", ".tmp")]
    found = (path for pattern in patterns for path in out.glob(pattern))
    return [path for path in found if _TEMPORARY.search(path.name)]


def _process_of(temporary: Path) -> str:
    found = _TEMPORARY.search(temporary.name)
    assert found is not None
    return found["process"]


def _check_disk(out: Path, campaign: Campaign, card: Card) -> None:
    """Refuse a disk that is too small for the parts that are missing."""
    there = sum((out / part_name(part)).exists() for part in range(card.n_parts))
    needed = (1 - there / card.n_parts) * card.n_samples * card.sample_bytes
    disk = next(folder for folder in (out.absolute(), *out.absolute().parents) if folder.exists())
    free = shutil.disk_usage(disk).free
    if campaign.compression == "none" and needed > free:
        raise InputError(
            f"--out {out}: found {free / 1e9:.3g} GB free on its disk, expected at least "
            f"{needed / 1e9:.3g} GB; choose another disk or fewer samples"
        )
