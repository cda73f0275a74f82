"""``opalux evaluate``: judge a trained network on maps that it has never seen."""

import argparse

from opalux.base import command_line
from opalux.base.exit_codes import OK
from opalux.jobs.starting.models import MODELS

DESCRIPTION = """\
Judge a trained network on held-out maps.

RUN is the folder of a training run, or a checkpoint, which needs --out and folder=DATA.
Writes metrics.json, pictures and report.html into DIR (default: RUN itself).  Other test
sets are judged apart:

  opalux evaluate RUN --set apart.fine.folder=DATA --set apart.fine.noise=0.01

With invert=N, N maps of each set that has noise are found by physics, too: refined
from the network's map, and from a flat start alone."""


def main(argv: list[str] | None = None) -> int:
    """Run the command line; see DESCRIPTION."""
    parser = command_line.parser(
        "evaluate",
        DESCRIPTION,
        "folder of a training run, or a checkpoint",
        "RUN",
        settings=MODELS["evaluate"],
    )
    parsed = parser.parse_args(argv)
    return command_line.run(lambda: _evaluate(parsed), parsed)


def _evaluate(parsed: argparse.Namespace) -> int:
    from opalux.base.config import dump
    from opalux.jobs.inversion.settings import EvaluateSettings

    given, settings = command_line.of_run(parsed, EvaluateSettings, checkpoints=True)

    # Importing torch takes seconds: not before the command line is understood.
    from opalux.jobs.inversion.evaluation import evaluate

    compare = None
    if settings.invert:
        from opalux.jobs.refinement.comparison import BesidePhysics

        compare = BesidePhysics()
    found = evaluate(
        given.config,
        settings,
        given.out,
        resume=given.resume,
        force=given.force,
        dry_run=given.dry_run,
        compare=compare,
    )
    if found is None:
        print(f"would judge {given.config}:\n{dump(settings)}", end="")
    else:
        print(found)
    return OK


if __name__ == "__main__":
    raise SystemExit(main())
