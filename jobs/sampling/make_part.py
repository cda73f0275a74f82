"""Making one part: the unit of work of a campaign, done by one process from start to end."""

import contextlib
import dataclasses
import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from opalux.jobs.sampling.campaign import Campaign
from opalux.jobs.sampling.marker import Marker, claimed
from opalux.jobs.sampling.sample import Sample, Simulation, make_sample, simulate_here
from opalux.learning.data.card import Card, part_name
from opalux.learning.data.part import (
    FAILED,
    GOOD,
    DamagedPartError,
    Part,
    validate_part,
    write_part,
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class CampaignRun:
    """One start of a campaign: what every worker needs to know.

    Attributes
    ----------
    folder : of the data set
    campaign, card : what is made
    attributes : text attributes of every part: configuration and versions
    retries : how often a failing sample is tried again before it is given up
    session : name of this start of the job; with it the death of one worker can be told from the
        death of the whole job
    redo_failed : make parts again that hold failed samples
    simulation : how each problem is solved: in the worker's process, or under a launcher
    batches : makes samples together, in the place of that: gives each one, or why it failed
    """

    folder: Path
    campaign: Campaign
    card: Card
    attributes: dict[str, str]
    retries: int
    session: str
    redo_failed: bool = False
    simulation: Simulation = simulate_here
    batches: Callable[[Campaign, Sequence[int]], Iterator[Sample | str]] | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Report:
    """The outcome of one part.

    Attributes
    ----------
    made : False when a valid part was there already, or another process is at it (no samples)
    samples, failed : numbers of all and of failed samples
    size : of the file [bytes]
    seconds : spent
    damage : why a part that was there had to be made again, or empty
    """

    made: bool
    samples: int
    failed: int
    size: int
    seconds: float
    damage: str = ""


def make_part(run: CampaignRun, part: int) -> Report:
    """Make part number ``part``, unless a valid one is there.

    A sample that raises is tried ``run.retries`` times more and then kept as failed, with its
    reason. A sample on which more workers than this died is kept as failed, too; the marker says
    which worker was at which sample.

    Raises
    ------
    OSError
        When the part cannot be written (a full disk); no sample is counted as failed.
    """
    found, damage = _found(run, part)
    if found is not None:
        return found
    with claimed(run.folder, part) as ours:
        if not ours:
            return Report(made=False, samples=0, failed=0, size=0, seconds=0.0)
        found, damage = _found(run, part)  # another process may just have made it
        return _make(run, part, damage) if found is None else found


def _found(run: CampaignRun, part: int) -> tuple[Report | None, str]:
    """Return the report of a part that is there and valid, or what is wrong with it."""
    path = run.folder / part_name(part)
    try:
        status = validate_part(path, run.card, part)
    except DamagedPartError as error:
        return None, str(error) if path.exists() else ""
    failed = int(np.count_nonzero(status))
    if failed and run.redo_failed:
        return None, ""
    size = path.stat().st_size
    return Report(made=False, samples=len(status), failed=failed, size=size, seconds=0.0), ""


def _make(run: CampaignRun, part: int, damage: str) -> Report:
    """Make a part whatever is there."""
    start = time.monotonic()
    path = run.folder / part_name(part)
    outcomes: list[_Outcome] = []
    with _marked(run, part) as (marker, marker_path):
        numbers = run.card.samples_of(part)
        alive = [n for n in numbers if marker.deaths.get(n, 0) <= run.retries]
        together = run.batches(run.campaign, alive) if run.batches else None
        for number in numbers:
            marker = marker.model_copy(
                update={"sample": number, "done": len(outcomes), "updated": time.time()}
            )
            marker.write(marker_path)
            deaths = marker.deaths.get(number, 0)
            if deaths > run.retries:
                outcomes.append(_failed(run, number, f"{deaths} workers died on it"))
            elif together is None:
                outcomes.append(_tried(run, number))
            else:
                made = next(together)
                outcomes.append(
                    _failed(run, number, made) if isinstance(made, str) else _Outcome(made, "")
                )
        content = _collect(run, part, outcomes)
        size = write_part(path, content, run.card, run.attributes, run.campaign.compression)
    return Report(
        made=True,
        samples=len(outcomes),
        failed=int(np.count_nonzero(content.status)),
        size=size,
        seconds=time.monotonic() - start,
        damage=damage,
    )


@contextlib.contextmanager
def _marked(run: CampaignRun, part: int) -> Iterator[tuple[Marker, Path]]:
    """Give the marker of a part, with the deaths of earlier workers; remove it at the end."""
    path = Marker.path(run.folder, part)
    path.parent.mkdir(exist_ok=True)
    deaths: dict[int, int] = {}
    before = Marker.read(path)
    # A marker of an earlier session was left by a killed job: then no sample is counted as failed.
    if before and before.session == run.session:
        deaths = before.deaths | {before.sample: before.deaths.get(before.sample, 0) + 1}
    now = time.time()
    yield (
        Marker(
            session=run.session,
            host=socket.gethostname(),
            pid=os.getpid(),
            started=now,
            updated=now,
            sample=run.card.samples_of(part)[0],
            deaths=deaths,
        ),
        path,
    )
    path.unlink(missing_ok=True)


@dataclasses.dataclass(frozen=True)
class _Outcome:
    sample: Sample
    reason: str


def _tried(run: CampaignRun, number: int) -> _Outcome:
    reason = ""
    for _ in range(run.retries + 1):
        try:
            return _Outcome(make_sample(run.campaign, number, run.simulation), "")
        except Exception as error:  # one bad sample must not stop the others
            reason = f"{type(error).__name__}: {error}"
    return _failed(run, number, reason)


def _failed(run: CampaignRun, number: int, reason: str) -> _Outcome:
    """Return a failed sample: its density if it can be drawn, and NaN as signals."""
    card = run.card
    try:
        density, family, drawn = run.campaign.draw_density(number)
    except Exception:  # the error that made the sample fail
        density, family, drawn = np.full(card.shape, np.nan, dtype=np.float32), "", "{}"
    sample = Sample(
        density=density,
        signals=np.full(card.signals_shape, np.nan, dtype=np.float32),
        family=family,
        detectors=np.full(card.detectors_shape, np.nan, np.float32) if card.detectors else None,
        sources=run.campaign.draw_sources(number),
        drawn=drawn,
    )
    return _Outcome(sample, reason)


def _collect(run: CampaignRun, part: int, outcomes: list[_Outcome]) -> Part:
    samples = [outcome.sample for outcome in outcomes]
    read = [sample.detectors for sample in samples if sample.detectors is not None]
    return Part(
        density=np.stack([sample.density for sample in samples]),
        signals=np.stack([sample.signals for sample in samples]),
        times=run.campaign.times,
        sample_id=np.array(run.card.samples_of(part), dtype=np.int64),
        family=[sample.family for sample in samples],
        seed=np.full(len(samples), run.campaign.seed, dtype=np.int64),
        status=np.array([FAILED if o.reason else GOOD for o in outcomes], dtype=np.int8),
        sources=np.stack([sample.sources for sample in samples]),
        drawn=[sample.drawn for sample in samples],
        reason=[outcome.reason for outcome in outcomes],
        detectors=np.stack(read) if read else None,
    )
