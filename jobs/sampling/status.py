"""The progress of a campaign, read from its files alone."""

import collections
import dataclasses
import socket
import time
from collections.abc import Iterable
from pathlib import Path

import h5py
import numpy as np

from opalux.jobs.sampling.marker import Marker
from opalux.learning.data.card import Card, part_name, read_card

RATE_OVER = 64
"""The rate is taken over this many parts, the newest ones."""

QUARANTINE = "quarantine.json"
"""List of the failed samples, written once all parts are there."""

SILENT = 3600.0
"""A worker on another machine counts as dead after this time without a sign of life [s]."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Status:
    """State of a campaign.

    Attributes
    ----------
    samples : of the whole campaign
    done, failed : samples in finished parts, and those of them that failed
    running : samples done in parts that are in work
    workers : living workers, as host:pid
    parts, parts_done, parts_damaged : numbers of parts
    rate : samples per second over the newest parts, or NaN
    size : of the parts [bytes]
    finished : the statistics are written, too
    why : the most common reason of failed samples
    """

    samples: int
    done: int
    failed: int
    running: int
    workers: list[str]
    parts: int
    parts_done: int
    parts_damaged: int
    rate: float
    size: int
    finished: bool
    why: str = ""

    @property
    def missing(self) -> int:
        """Number of samples that are neither done nor in work."""
        return self.samples - self.done - self.running

    @property
    def seconds_left(self) -> float:
        """Time left at the present rate [s]; NaN when unknown."""
        return self.missing / self.rate if self.rate > 0 else float("nan")


def read_status(folder: Path) -> Status:
    """Read the status of the campaign in ``folder``."""
    card = read_card(folder)
    done = failed = damaged = size = 0
    reasons: list[str] = []
    finished: list[tuple[float, int]] = []  # when each part was written, and its samples
    for part in range(card.n_parts):
        path = folder / part_name(part)
        try:
            info = path.stat()
            with h5py.File(path, "r") as file:
                bad = file["status"][:] != 0
                failed += int(np.count_nonzero(bad))
                reasons += [bytes(text).decode() for text in file["reason"][:][bad]]
        except FileNotFoundError:
            continue
        except (OSError, KeyError, RuntimeError, ValueError, TypeError, AttributeError, IndexError):
            damaged += 1
            continue
        samples = len(card.samples_of(part))
        done += samples
        size += info.st_size
        finished.append((info.st_mtime, samples))
    working = _working(folder, card)
    return Status(
        samples=card.n_samples,
        done=done,
        failed=failed,
        running=sum(marker.done for marker in working),
        workers=[f"{marker.host}:{marker.pid}" for marker in working],
        parts=card.n_parts,
        parts_done=len(finished),
        parts_damaged=damaged,
        rate=_rate(finished),
        size=size,
        finished=(folder / "stats.json").is_file(),
        why=most_common(reasons),
    )


def most_common(reasons: Iterable[str]) -> str:
    """Return the most common one of several reasons, in one line; empty when there is none."""
    counts = collections.Counter(" ".join(reason.split()) for reason in reasons)
    return counts.most_common(1)[0][0] if counts else ""


def _working(folder: Path, card: Card) -> list[Marker]:
    """Return the markers of the parts that a living worker works on."""
    markers = (Marker.read(Marker.path(folder, part)) for part in range(card.n_parts))
    return [marker for marker in markers if marker is not None and _alive(marker)]


def _alive(marker: Marker) -> bool:
    if marker.host == socket.gethostname():
        return Path("/proc", str(marker.pid)).exists()
    return time.time() - marker.updated < SILENT


def _rate(finished: list[tuple[float, int]]) -> float:
    newest = sorted(finished)[-RATE_OVER:]
    if len(newest) < 2 or newest[-1][0] == newest[0][0]:
        return float("nan")
    # The first part only starts the clock.
    return sum(samples for _, samples in newest[1:]) / (newest[-1][0] - newest[0][0])


def show(folder: Path, status: Status) -> str:
    """Return the status as a table."""
    share = f"{status.parts_done}/{status.parts} parts"
    damaged = f", {status.parts_damaged} damaged" if status.parts_damaged else ""
    workers = f"on {', '.join(status.workers)}" if status.workers else "no worker"
    rate = f"{status.rate:.3g} samples/s" if status.rate == status.rate else "unknown"
    if status.done == status.samples:
        left = "none" if status.finished else "start the line again to finish the folder"
        if status.failed == status.samples:
            left = "none; all samples failed: mend the cause and give --retry-failed"
    elif status.workers and status.seconds_left == status.seconds_left:
        left = f"{status.seconds_left:.0f} s"
    else:
        left = "unknown" if status.workers else "stopped; start the same line again"
    why = [f"most often: {status.why}"] if status.why else []
    if status.failed and (folder / QUARANTINE).is_file():
        why.append(f"see {QUARANTINE}")
    rows = [
        ("done", f"{status.done}", share + damaged),
        ("running", f"{status.running}", workers),
        ("failed", f"{status.failed}", "; ".join(why)),
        ("missing", f"{status.missing}", ""),
        ("total", f"{status.samples}", ""),
        ("rate", "", rate),
        ("time left", "", left),
        ("size", "", f"{status.size / 1e6:.4g} MB"),
    ]
    lines = [f"{name:<10}{number:>9}  {note}".rstrip() for name, number, note in rows]
    return "\n".join([str(folder), *lines])
