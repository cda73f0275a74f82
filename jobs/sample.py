"""``opalux sample``: a campaign of random densities and their simulated edge signals.

The parts are the truth: whatever is killed, the same line started again keeps every part that is
valid and makes the others.
"""

import argparse
import functools
import shutil
import socket
import sys
import time
import uuid
from pathlib import Path

import numpy as np
import pydantic

from opalux.base import command_line
from opalux.base.config import dump, load
from opalux.base.errors import InputError
from opalux.base.exit_codes import FAILURE, OK
from opalux.base.files import atomic, write_json
from opalux.base.progress import Progress
from opalux.base.provenance import git_revision, provenance, version
from opalux.base.run_folder import CONFIG_NAME, open_run
from opalux.base.tasks import PoolLostError
from opalux.jobs.cluster.pool import Backend, InProcess, Local, open_pool
from opalux.jobs.sampling.campaign import Campaign
from opalux.jobs.sampling.mpi import MpiSimulation
from opalux.jobs.sampling.sample import simulate_here
from opalux.jobs.sampling.worker import RUNNING, CampaignRun, Report, make_part
from opalux.learning.data import card as dataset_card
from opalux.learning.data.card import Card, part_name
from opalux.learning.data.data_set import DataSet, finish

DESCRIPTION = """\
Draw random densities, simulate them with each source and write a data set.

  opalux sample CONFIG --out DIR             make it, or go on with it
  opalux sample CONFIG --out DIR --task 3/8  a part of it (task 3 of 0..7 of a Slurm array)
  opalux sample status DIR                   how far it is

A killed run goes on when the same line is started again."""


class SampleConfig(Campaign):
    """The configuration file: the campaign, and how it is run (which changes no bit of it)."""

    backend: Backend = Local()
    retries: int = pydantic.Field(3, ge=0, le=100)
    """How often a failing sample is tried again before it is given up."""
    tolerated_failures: float = pydantic.Field(0.01, ge=0, le=1)
    """Share of failed samples up to which the campaign counts as a success."""

    launcher: tuple[str, ...] = ()
    """Start each simulation under it, such as [mpirun, -n, "8"], for grids too large for one
    process; not from dask workers."""

    @property
    def campaign(self) -> Campaign:
        """The campaign alone."""
        return Campaign.model_construct(
            **{name: getattr(self, name) for name in Campaign.model_fields}
        )


def main(argv: list[str] | None = None) -> int:
    """Run the command line; see DESCRIPTION."""
    argv = sys.argv[1:] if argv is None else argv
    if argv[:1] == ["status"]:
        from opalux.jobs.sampling.status import main as status_main

        return status_main(argv[1:])
    parser = command_line.parser("sample", DESCRIPTION)
    parser.add_argument(
        "--task", metavar="k/K", type=_task, help="make only every K-th part, from part k on"
    )
    parser.add_argument(
        "--retry-failed", action="store_true", help="try samples again that were given up"
    )
    parsed = parser.parse_args(argv)
    return command_line.run(lambda: _sample(parsed))


def _task(text: str) -> tuple[int, int]:
    try:
        k, of = (int(word) for word in text.split("/"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"found '{text}', expected k/K such as 0/8") from None
    if not 0 <= k < of:
        raise argparse.ArgumentTypeError(f"found '{text}', expected 0 <= k < K")
    return k, of


def _sample(parsed: argparse.Namespace) -> int:
    arguments = command_line.arguments(parsed)
    config, _ = load(SampleConfig, arguments.config, arguments.overrides)
    campaign = config.campaign
    card = card_of(campaign)
    backend = InProcess() if parsed.task else config.backend
    if config.launcher and not isinstance(backend, InProcess):
        raise InputError(
            f"launcher: found with back end '{backend.kind}', expected 'in-process' or --task; "
            "MPI runs cannot be started from dask workers"
        )
    if arguments.dry_run:
        print(describe(card, backend))
        return OK
    out = _open(arguments, campaign, card, together=parsed.task is not None)
    run = CampaignRun(
        folder=out,
        campaign=campaign,
        card=card,
        attributes={"config": dump(campaign), **card.made_with},
        retries=config.retries,
        session=uuid.uuid4().hex,
        redo_failed=parsed.retry_failed,
        simulation=MpiSimulation(config.launcher) if config.launcher else simulate_here,
    )
    k, of = parsed.task or (0, 1)
    parts = range(k, card.n_parts, of)
    start = time.monotonic()
    try:
        reports = make_parts(run, parts, backend)
    except PoolLostError as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILURE
    except OSError as error:
        print(f"error: {_disk_message(out, card, error)}", file=sys.stderr)
        return FAILURE
    return _finish(run, config, reports, time.monotonic() - start)


def card_of(campaign: Campaign) -> Card:
    """Return the data card of a campaign."""
    return Card(
        name=campaign.name,
        seed=campaign.seed,
        splits=campaign.splits,
        shape=campaign.shape,
        sources=campaign.source_names,
        quantities=campaign.quantities,
        n_times=len(campaign.times),
        n_cells=campaign.shape[0],
        shard_size=campaign.shard_size,
        families=tuple(family.label for family in campaign.families),
        made_with={
            "opalux_version": version(),
            "git_revision": git_revision(),
            "numpy": version("numpy"),
            "numba": version("numba"),
        },
        campaign=campaign.model_dump(mode="json"),
    )


def describe(card: Card, backend: pydantic.BaseModel) -> str:
    """Return what would be done."""
    splits = ", ".join(f"{name} {getattr(card.splits, name)}" for name in dataset_card.SPLITS)
    size = card.sample_bytes * card.n_samples / 1e9
    return (
        f"{card.n_samples} densities of {card.shape[0]} x {card.shape[1]} cells ({splits})\n"
        f"families: {', '.join(card.families)}; sources: {', '.join(card.sources)}\n"
        f"signals of a density: {card.signals_shape} = (source, edge, quantity, time, cell)\n"
        f"{card.n_parts} parts of {card.shard_size}, {size:.3g} GB uncompressed\n"
        f"back end: {backend.model_dump(exclude_none=True)}"
    )


def _open(
    arguments: command_line.Arguments, campaign: Campaign, card: Card, *, together: bool
) -> Path:
    """Make or enter the folder of the data set; the same line always goes on.

    With ``together`` other tasks may be opening it at this moment, so that the temporary files
    they write first are no sign of a foreign folder.
    """
    out = arguments.out or Path("runs") / "sample" / campaign.name
    _check_disk(out, campaign, card)
    goes_on = (out / CONFIG_NAME).is_file()
    if together and out.is_dir():
        goes_on |= all(path.name.startswith(".") for path in out.iterdir())
    resume = arguments.resume or (goes_on and not arguments.force)
    open_run(out, dump(campaign), resume=resume, force=arguments.force)
    # A killed job leaves temporary files: those of processes of this machine that are no more.
    for temporary in out.glob(f".part-*.{socket.gethostname()}.*.tmp"):
        if not Path("/proc", temporary.name.split(".")[-2]).exists():
            temporary.unlink(missing_ok=True)
    with atomic(out / dataset_card.NAME) as temporary:
        temporary.write_text(card.to_yaml(), encoding="utf-8")
    return out


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


def make_parts(run: CampaignRun, parts: range, backend: Backend) -> list[Report]:
    """Have all parts made, or found valid, and return what became of each."""
    reports = []
    total = sum(len(run.card.samples_of(part)) for part in parts)
    with (
        open_pool(backend) as pool,
        Progress(f"sampling {run.card.name}", total) as progress,
    ):
        for part, report in pool.map(functools.partial(make_part, run), parts):
            reports.append(report)
            if report.damage:
                print(f"{part_name(part)}: {report.damage}; made again", file=sys.stderr)
            progress.advance(report.samples, _note(reports))
    return reports


def _note(reports: list[Report]) -> str:
    failed = sum(report.failed for report in reports)
    return f"({failed} failed)" if failed else ""


def _disk_message(out: Path, card: Card, error: OSError) -> str:
    free = shutil.disk_usage(out).free / 1e9
    return (
        f"{out}: cannot write ({error.strerror or error}; {free:.3g} GB free); make room "
        "and start the same line again, it goes on"
    )


def _finish(run: CampaignRun, config: SampleConfig, reports: list[Report], seconds: float) -> int:
    """Write what belongs to the data set as a whole, once all of its parts are there."""
    out, card = run.folder, run.card
    missing = [s for s in range(card.n_parts) if not (out / part_name(s)).exists()]
    if missing:
        print(f"{out}: this task is done; {len(missing)} parts are left to other tasks")
        return OK
    finish(out)
    failed = quarantine(out)
    made = [report for report in reports if report.made]
    n_made = sum(report.samples for report in made)
    record = provenance(
        samples_made=n_made,
        samples_failed=failed,
        wall_seconds=round(seconds, 3),
        samples_per_second=round(n_made / seconds, 3),
        busy_seconds=round(sum(report.seconds for report in made), 3),
        backend=config.backend.model_dump(mode="json"),
    )
    write_json(out / "run.json", record)
    _tidy(out)
    size = sum((out / part_name(part)).stat().st_size for part in range(card.n_parts))
    print(
        f"{out}: {card.n_samples} samples, {n_made} of them made now in {seconds:.1f} s, "
        f"{size / 1e6:.4g} MB, {failed} failed"
    )
    if failed > config.tolerated_failures * card.n_samples:
        print(
            f"error: {failed} of {card.n_samples} samples failed, more than "
            f"tolerated_failures = {config.tolerated_failures}; see {out / 'quarantine.json'}",
            file=sys.stderr,
        )
        return FAILURE
    return OK


def quarantine(out: Path) -> int:
    """List the failed samples and their reasons in ``quarantine.json``; return their number."""
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
    path = out / "quarantine.json"
    if failed:
        write_json(path, failed)
    else:
        path.unlink(missing_ok=True)
    return len(failed)


def _tidy(out: Path) -> None:
    """Remove what killed workers left; all parts are there, so nobody needs it."""
    shutil.rmtree(out / RUNNING, ignore_errors=True)
    for temporary in out.glob(".part-*.tmp"):
        temporary.unlink(missing_ok=True)


if __name__ == "__main__":
    raise SystemExit(main())
