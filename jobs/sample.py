"""``opalux sample``: a campaign of random densities and their simulated edge signals."""

import argparse
import sys
from pathlib import Path

from opalux.base import command_line
from opalux.base.exit_codes import FAILURE, OK
from opalux.jobs.starting.models import MODELS

DESCRIPTION = """\
Draw random densities, simulate them with each source and write a data set.

  opalux sample CONFIG --out DIR             make it, or continue it
  opalux sample CONFIG --out DIR --task 3/8  a part of it (task 3 of 0..7 of a Slurm array)
  opalux sample status DIR                   how far it is
  opalux sample grid-error CONFIG            what its grid gets wrong; which refinement will do

A killed run continues when the same line is started again."""


def main(argv: list[str] | None = None) -> int:
    """Run the command line; see DESCRIPTION."""
    argv = sys.argv[1:] if argv is None else argv
    if argv[:1] == ["status"]:
        return _status(argv[1:])
    if argv[:1] == ["grid-error"]:
        return _grid_error(argv[1:])
    parser = command_line.parser("sample", DESCRIPTION, settings=MODELS["sample"])
    parser.add_argument(
        "--task", metavar="k/K", type=_task, help="make only every K-th part, from part k on"
    )
    parser.add_argument(
        "--retry-failed", action="store_true", help="try samples again that were given up"
    )
    parsed = parser.parse_args(argv)
    return command_line.run(lambda: _sample(parsed), parsed)


def _task(text: str) -> tuple[int, int]:
    try:
        k, of = (int(word) for word in text.split("/"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"found '{text}', expected k/K such as 0/8") from None
    if not 0 <= k < of:
        raise argparse.ArgumentTypeError(f"found '{text}', expected 0 <= k < K")
    return k, of


def _sample(parsed: argparse.Namespace) -> int:
    # Not before the command line is understood: this takes a second.
    from opalux.base.config import load
    from opalux.jobs.sampling.card import card_of, describe, refuse_repeats
    from opalux.jobs.sampling.run import run_campaign
    from opalux.jobs.sampling.settings import SampleSettings

    arguments = command_line.arguments(parsed)
    settings, _ = load(SampleSettings, arguments.config, arguments.overrides)
    for assumed in filter(None, (family.assumed for family in settings.families)):
        print(assumed, file=sys.stderr)
    backend = settings.backend_for(parsed.task)
    if arguments.dry_run:
        card = card_of(settings.campaign)
        refuse_repeats(settings.campaign, card)
        print(describe(card))
        print(f"back end: {backend.model_dump(exclude_none=True)}")
        return OK
    result = run_campaign(
        settings.campaign,
        arguments.out or Path("runs") / "sample" / settings.name,
        backend=backend,
        task=parsed.task or (0, 1),
        retries=settings.retries,
        redo_failed=parsed.retry_failed,
        launcher=settings.launcher,
        resume=arguments.resume,
        force=arguments.force,
    )
    print(result)
    if not result.parts_missing and result.failed > settings.tolerated_failures * result.samples:
        print(
            f"error: {result.failed} of {result.samples} samples failed, more than "
            f"tolerated_failures = {settings.tolerated_failures}; most often: {result.why}; see "
            f"{result.folder / 'quarantine.json'}",
            file=sys.stderr,
        )
        return FAILURE
    return OK


def _status(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="opalux sample status", description="Show how far a campaign is."
    )
    parser.add_argument("folder", metavar="DIR", type=Path, help="folder of the data set")
    parsed = parser.parse_args(argv)

    def work() -> int:
        from opalux.jobs.sampling.status import read_status, show

        print(show(parsed.folder, read_status(parsed.folder)))
        return OK

    return command_line.run(work)


def _grid_error(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="opalux sample grid-error",
        description="Measure the grid error of a campaign's signals on the first of its maps.",
    )
    parser.add_argument("config", metavar="CONFIG", type=Path, help="configuration of the campaign")
    parser.add_argument("--set", dest="overrides", metavar="a.b=VALUE", action="append", default=[])
    parser.add_argument("--maps", metavar="N", type=int, default=8, help="default: 8")
    parser.add_argument(
        "--reference", metavar="R", type=int, default=8, help="refinement that counts as exact; 8"
    )
    parsed = parser.parse_args(argv)

    def work() -> int:
        from opalux.base.config import load
        from opalux.base.progress import Progress
        from opalux.base.shipped import find_config
        from opalux.jobs.sampling.grid_error import measure_grid_error
        from opalux.jobs.sampling.settings import SampleSettings

        settings, _ = load(SampleSettings, find_config("sample", parsed.config), parsed.overrides)
        with Progress("grid error", parsed.maps) as progress:
            found = measure_grid_error(
                settings.campaign, parsed.maps, parsed.reference, progress.advance
            )
        print(found)
        return OK

    return command_line.run(work)


if __name__ == "__main__":
    raise SystemExit(main())
