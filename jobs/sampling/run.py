"""Running a whole campaign into a folder; whatever is killed, the same call continues it.

The parts are the truth: a valid part is kept, all others are made.
"""

import dataclasses
import functools
import shutil
import time
import uuid
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from opalux.base.config import dump
from opalux.base.errors import InputError, StorageError
from opalux.base.files import write_json
from opalux.base.messages import LOGGER
from opalux.base.progress import Progress
from opalux.base.provenance import provenance
from opalux.jobs.cluster.pool import InProcess, Local, open_pool
from opalux.jobs.sampling.batched import Torch
from opalux.jobs.sampling.campaign import Campaign
from opalux.jobs.sampling.card import card_of, refuse_repeats
from opalux.jobs.sampling.folder import open_folder, remove_leftovers
from opalux.jobs.sampling.launcher import MpiSimulation
from opalux.jobs.sampling.make_part import CampaignRun, Report, make_part
from opalux.jobs.sampling.sample import simulate_here
from opalux.jobs.sampling.settings import SampleBackend
from opalux.jobs.sampling.status import QUARANTINE, most_common
from opalux.learning.data.card import part_name
from opalux.learning.data.data_set import DataSet
from opalux.learning.data.finish import finish


@dataclasses.dataclass(frozen=True, kw_only=True)
class CampaignResult:
    """The outcome of running a campaign, or one task of it.

    Attributes
    ----------
    folder : of the data set
    samples : number of samples of the whole campaign
    made : number of samples that this call made; the others existed already
    failed : number of failed samples in the data set
    parts_missing : parts that are left to other tasks; 0: the data set is complete
    why : the most common reason of failed samples; empty: none failed, or not all is made
    seconds : wall time
    size : of all parts [bytes]
    """

    folder: Path
    samples: int
    made: int
    failed: int
    parts_missing: int
    why: str = ""
    seconds: float
    size: int

    def __str__(self) -> str:
        if self.parts_missing:
            return (
                f"{self.folder}: this task is done; {self.parts_missing} parts are left to other "
                "tasks"
            )
        return (
            f"{self.folder}: {self.samples} samples, {self.made} of them made now in "
            f"{self.seconds:.1f} s, {self.size / 1e6:.4g} MB, {self.failed} failed"
        )


def run_campaign(
    campaign: Campaign,
    folder: str | Path,
    *,
    backend: SampleBackend | None = None,
    task: tuple[int, int] = (0, 1),
    retries: int = 3,
    redo_failed: bool = False,
    launcher: tuple[str, ...] = (),
    resume: bool = False,
    force: bool = False,
) -> CampaignResult:
    """Make the data set of a campaign, or continue it.

    Parameters
    ----------
    campaign : what is drawn and simulated
    folder : of the data set; one that this campaign has begun is continued
    backend : where the work is done; None: one dask worker for each core of this machine. The
        result has the same bits with all of them but `Torch`, which rounds in its own way
    task : (k, K) makes only the parts k, k + K, k + 2 K, …
    retries : how often a failing sample is tried again before it is given up
    redo_failed : make samples again that were given up
    launcher : words that start each simulation on many processes, such as ("mpirun", "-n", "8");
        only with the in-process back end
    resume, force : continue the folder, or replace it, whatever it holds

    Raises
    ------
    InputError
        When a density would be in two splits, the folder holds something else, the disk is too
        small, torch cannot make this campaign here, or every sample failed.
    StorageError
        When a part cannot be written.
    PoolLostError
        When the workers are gone.

    Examples
    --------
    >>> from opalux.jobs.cluster.pool import InProcess
    >>> result = run_campaign(campaign, "runs/mine", backend=InProcess())  # doctest: +SKIP
    >>> DataSet(result.folder).density(0).shape  # doctest: +SKIP
    (16, 16)
    """
    start = time.monotonic()
    backend = Local() if backend is None else backend
    batches = backend.batches(campaign) if isinstance(backend, Torch) else None
    if batches and launcher:
        raise InputError(
            "launcher: found with back end 'torch', expected 'in-process'; leave one of them out"
        )
    card = card_of(campaign, batches)
    refuse_repeats(campaign, card)
    with open_folder(Path(folder), campaign, card, resume=resume, force=force) as out:
        run = CampaignRun(
            folder=out,
            campaign=campaign,
            card=card,
            attributes={"config": dump(campaign), **card.made_with},
            retries=retries,
            session=uuid.uuid4().hex,
            redo_failed=redo_failed,
            simulation=MpiSimulation(launcher) if launcher else simulate_here,
            batches=batches,
        )
        try:
            reports = make_parts(run, range(task[0], card.n_parts, task[1]), backend)
        except OSError as error:
            free = shutil.disk_usage(out).free / 1e9
            raise StorageError(
                f"{out}: cannot write ({error.strerror or error}; {free:.3g} GB free); make room "
                "and start the same line again; it continues"
            ) from error
        return _complete(run, reports, backend, time.monotonic() - start)


def make_parts(run: CampaignRun, parts: Iterable[int], backend: SampleBackend) -> list[Report]:
    """Make all parts that are not there or not valid, and return the outcome of each."""
    parts = list(parts)
    reports: list[Report] = []
    total = sum(len(run.card.samples_of(part)) for part in parts)
    where = InProcess() if isinstance(backend, Torch) else backend
    with open_pool(where) as pool, Progress(f"sampling {run.card.name}", total) as progress:
        for part, report in pool.map(functools.partial(make_part, run), parts):
            reports.append(report)
            if report.damage:
                LOGGER.info("%s: %s; made again", part_name(part), report.damage)
            failed = sum(report.failed for report in reports)
            progress.advance(report.samples, f"({failed} failed)" if failed else "")
    return reports


def _complete(
    run: CampaignRun, reports: list[Report], backend: SampleBackend, seconds: float
) -> CampaignResult:
    """Write the files that belong to the data set as a whole, when all of its parts are there."""
    out, card = run.folder, run.card
    paths = [out / part_name(part) for part in range(card.n_parts)]
    missing = sum(not path.exists() for path in paths)
    made = [report for report in reports if report.made]
    n_made = sum(report.samples for report in made)
    failed, why = sum(report.failed for report in reports), ""
    if not missing:
        failed, why = quarantine(out)
        if failed == card.n_samples:
            raise InputError(
                f"{out}: all {failed} samples failed, most often because: {why}; see "
                f"{out / QUARANTINE}, and give --retry-failed once the cause is gone"
            )
        if why and not len(_training_samples(out)):
            raise InputError(
                f"{out}: all samples of the training split failed; the most common reason of all: "
                f"{why}; see {out / QUARANTINE}, and give --retry-failed once the cause is gone"
            )
        finish(out)
        record = provenance(
            samples_made=n_made,
            samples_failed=failed,
            wall_seconds=round(seconds, 3),
            samples_per_second=round(n_made / seconds, 3),
            busy_seconds=round(sum(report.seconds for report in made), 3),
            backend=backend.model_dump(mode="json"),
        )
        write_json(out / "run.json", record)
        remove_leftovers(out)
    return CampaignResult(
        folder=out,
        samples=card.n_samples,
        made=n_made,
        failed=failed,
        parts_missing=missing,
        why=why,
        seconds=seconds,
        size=sum(path.stat().st_size for path in paths if path.exists()),
    )


def _training_samples(out: Path) -> NDArray[np.int64]:
    data = DataSet(out)
    try:
        return data.split("train")
    finally:
        data.close()


def quarantine(out: Path) -> tuple[int, str]:
    """List the failed samples and their reasons in ``quarantine.json``.

    Returns
    -------
    Their number, and the most common reason (empty: none failed).
    """
    data = DataSet(out)
    try:
        numbers = np.flatnonzero(data.status)
        families, reasons = data.index("family"), data.index("reason")
    finally:
        data.close()
    failed = [
        {"sample": int(n), "family": bytes(families[n]).decode(), "reason": reasons[n].decode()}
        for n in numbers
    ]
    path = out / QUARANTINE
    if failed:
        write_json(path, failed)
    else:
        path.unlink(missing_ok=True)
    return len(failed), most_common(str(entry["reason"]) for entry in failed)
