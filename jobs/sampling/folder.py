"""The folder of a data set in the making: opened, continued, and cleaned after killed workers."""

import contextlib
import platform
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from opalux.base.config import dump
from opalux.base.errors import InputError
from opalux.base.files import write_text
from opalux.base.run_folder import CONFIG_NAME, read_marker, run_folder
from opalux.jobs.sampling.campaign import Campaign
from opalux.jobs.sampling.marker import RUNNING
from opalux.learning.data.card import BACKEND, NAME, Card, part_name, read_card
from opalux.learning.data.finish import VIEW_NAME
from opalux.learning.data.stats import NAME as STATS_NAME

PARTS = "part-*.h5"
MAKES = (
    NAME,
    PARTS,
    VIEW_NAME,
    STATS_NAME,
    "run.json",
    "quarantine.json",
    "check.txt",
    "pictures/*.png",
    f"{RUNNING}/*",
)
"""Files that a campaign makes in its folder, its check and its pictures included."""

KERNELS = "the compiled kernels"

_TEMPORARY = re.compile(r"\.(?P<process>\d+)\.(part\.\w+|tmp)$")
"""End of a temporary name; earlier versions used ``.tmp``."""


@contextlib.contextmanager
def open_folder(
    out: Path, campaign: Campaign, card: Card, *, resume: bool, force: bool
) -> Iterator[Path]:
    """Make or enter the folder of the data set; one of the same campaign is always continued.

    Several processes may work in it at the same time, and share the parts among them. One that
    replaces the folder must be alone.

    Raises
    ------
    InputError
        When the folder holds something else, others work in it, its disk is too small, or its
        samples were made by a back end that rounds in another way.
    """
    _check_disk(out, campaign, card)
    begun = read_marker(out) is not None
    with run_folder(
        out,
        dump(campaign),
        job="sample",
        makes=MAKES,
        resume=resume or (begun and not force),
        force=force,
        together=not force,
    ):
        _remove_temporary_of_the_dead(out)
        _refuse_another_backend(out, card)
        write_text(out / NAME, card.to_yaml())
        yield out


def _refuse_another_backend(out: Path, card: Card) -> None:
    """Refuse to continue what the kernels have begun with torch, or the other way round."""
    try:
        begun = read_card(out).made_with.get(BACKEND, KERNELS)
    except InputError:  # nothing is there yet, or a damaged card, which is written anew
        return
    wanted = card.made_with.get(BACKEND, KERNELS)
    if begun != wanted:
        raise InputError(
            f"{out}: found samples made by {begun}, expected {wanted}, which rounds in another "
            "way; take the back end that it was begun with, give --force or choose another folder"
        )


def _remove_temporary_of_the_dead(out: Path) -> None:
    """Remove what killed processes of this machine were writing."""
    for temporary in _temporary_files(out, platform.node(), (*MAKES, CONFIG_NAME)):
        if not Path("/proc", _process_of(temporary)).exists():
            temporary.unlink(missing_ok=True)


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
