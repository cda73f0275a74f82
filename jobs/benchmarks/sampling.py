"""What a campaign costs beside its simulations: ``python -m opalux.jobs.benchmarks.sampling``."""

import argparse
import dataclasses
import functools
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from opalux.base.config import load
from opalux.base.shipped import CONFIGS
from opalux.jobs.cluster.pool import Local, available_cores, open_pool
from opalux.jobs.sampling.campaign import Campaign
from opalux.jobs.sampling.card import card_of
from opalux.jobs.sampling.make_part import CampaignRun, make_part
from opalux.jobs.sampling.settings import SampleSettings
from opalux.solver.domains.domain import SerialDomain
from opalux.solver.march import March

DEFAULT = CONFIGS / "sample" / "published.yaml"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Times:
    """Core seconds per sample: CPU time, so that what else the machine does matters little.

    Attributes
    ----------
    kernel : stepping alone
    solver : setting up and marching, without keeping anything
    campaign : all: drawing, simulating, recording, writing, handing out work
    """

    kernel: float
    solver: float
    campaign: float


def measure(campaign: Campaign, workers: int, n_parts: int, rounds: int) -> Times:
    """Time the first ``n_parts`` parts of a campaign; simulations and campaign take turns.

    The least of each over the rounds is kept: what else the machine does only adds to it.
    """
    card = card_of(campaign)
    parts = range(min(n_parts, card.n_parts))
    samples = sum(len(card.samples_of(part)) for part in parts)
    found: list[tuple[float, float, float]] = []
    with open_pool(Local(workers=workers)) as pool, tempfile.TemporaryDirectory() as name:
        list(pool.map(functools.partial(bare, campaign), [range(1)] * workers))  # warm up
        for number in range(rounds):
            batches = map(card.samples_of, parts)
            simulated = [times for _, times in pool.map(functools.partial(bare, campaign), batches)]
            folder = Path(name) / str(number)
            folder.mkdir()
            run = CampaignRun(
                folder=folder,
                campaign=campaign,
                card=card,
                attributes={},
                retries=0,
                session="bench",
            )
            start = time.process_time()
            whole = sum(times for _, times in pool.map(functools.partial(busy, run), parts))
            whole += time.process_time() - start  # what handing out the work costs here
            kernel, solver = (sum(column) for column in zip(*simulated, strict=True))
            found.append((kernel, solver, whole))
    kernel, solver, whole = (min(column) / samples for column in zip(*found, strict=True))
    return Times(kernel=kernel, solver=solver, campaign=whole)


def busy(run: CampaignRun, part: int) -> float:
    """Make a part and return the CPU time of this process [s]."""
    start = time.process_time()
    make_part(run, part)
    return time.process_time() - start


def bare(campaign: Campaign, numbers: range) -> tuple[float, float]:
    """Simulate samples without keeping anything; return the CPU time of kernels and solver [s]."""
    kernel = solver = 0.0
    for number in numbers:
        density = campaign.draw_density(number)[0].astype(np.float64)
        problems = campaign.problems(campaign.draw_sources(number))
        begun = time.process_time()
        march = March(problems[0], SerialDomain(problems[0]), density)
        clock: Any = _Clock()
        for problem in problems:
            march.restart(problem.edges)
            if march.stepper is not clock:  # a restart makes those anew that keep the edges
                clock.stepper, march.stepper = march.stepper, clock
            for _ in march.run():
                pass
        kernel += clock.seconds
        solver += time.process_time() - begun
    return kernel, solver


class _Clock:
    """A stepper that counts the time of another one."""

    def __init__(self) -> None:
        self.stepper: Any = None
        self.seconds = 0.0

    def advance(self, *arguments: Any) -> None:
        start = time.process_time()
        self.stepper.advance(*arguments)
        self.seconds += time.process_time() - start


def report(campaign: Campaign, workers: int, times: Times) -> str:
    """Return the times as a table."""
    lines = [
        f"{campaign.name}: {campaign.shape[0]} x {campaign.shape[1]} cells, "
        f"{len(campaign.steps)} steps, {len(campaign.sources)} sources, {workers} workers"
    ]
    for name in ("kernel", "solver", "campaign"):
        seconds = getattr(times, name)
        rate, more = workers / seconds, seconds / times.kernel - 1
        lines.append(f"  {name:<9}{rate:8.2f} samples/s {more:+8.1%} on the bare kernel")
    return "\n".join(lines)


SCHEMES = {
    "staggered": ["problem.scheme=staggered", "problem.signals.at=edge"],
    "consistent": [],
}


def sampling_lines() -> Iterator[str]:
    """Measure two parts of the default campaign on all cores, with either scheme."""
    workers = available_cores()
    for scheme, words in SCHEMES.items():
        settings, _ = load(SampleSettings, DEFAULT, words)
        campaign = settings.campaign
        times = measure(campaign, workers, 2, 3)
        first, *lines = report(campaign, workers, times).splitlines()
        yield f"{scheme}: {first}"
        yield from lines
        total = campaign.splits.total
        yield f"  all {total} densities: {total * times.campaign / workers:.0f} s by these parts"


def main(argv: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m opalux.jobs.benchmarks.sampling", description=__doc__
    )
    parser.add_argument("config", nargs="?", type=Path, default=DEFAULT)
    parser.add_argument("--workers", type=int, default=available_cores())
    parser.add_argument("--parts", type=int, default=8, help="parts of the campaign to make")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scheme", choices=SCHEMES, help="in the place of the campaign's own")
    parsed = parser.parse_args(argv)
    config, _ = load(SampleSettings, parsed.config, SCHEMES.get(parsed.scheme, []))
    campaign = config.campaign
    times = measure(campaign, parsed.workers, parsed.parts, parsed.rounds)
    print(report(campaign, parsed.workers, times))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
