"""``opalux pipeline``: all stages, from campaign to evaluation, as a chain of Slurm jobs."""

import argparse
import sys

from opalux.base import command_line
from opalux.base.errors import InputError
from opalux.base.exit_codes import OK
from opalux.jobs.starting.models import MODELS

DESCRIPTION = """\
Run sample -> check -> train -> evaluate (and solve, siqd) as a chain of Slurm jobs.

  opalux pipeline CONFIG             write the batch scripts
  opalux pipeline CONFIG --submit    and submit what is left to do
  opalux pipeline CONFIG --dry-run   print both, do nothing

The same line with --submit, given again, repairs the chain after a failure; see
how far it is with 'opalux status DIR'."""


def main(argv: list[str] | None = None) -> int:
    """Run the command line; see DESCRIPTION."""
    parser = command_line.parser("pipeline", DESCRIPTION, settings=MODELS["pipeline"])
    parser.add_argument("--submit", action="store_true", help="submit what is left to do")
    parsed = parser.parse_args(argv)
    return command_line.run(lambda: _pipeline(parsed), parsed)


def _pipeline(parsed: argparse.Namespace) -> int:
    from opalux.jobs.chain.pipeline import run_pipeline

    given = command_line.arguments(parsed)
    if given.force:
        raise InputError("--force: a pipeline replaces no results; give another --out")
    if given.dry_run and parsed.submit:
        raise InputError("--dry-run and --submit exclude each other; give one of them")
    run_pipeline(
        given.config, given.overrides, given.out, submitted=parsed.submit, dry_run=given.dry_run
    )
    return OK


if __name__ == "__main__":
    sys.exit(main())
