"""``opalux invert``: the density behind measured signals, by physics alone."""

import argparse
import sys
from pathlib import Path

from opalux.base import command_line
from opalux.base.shipped import CONFIGS
from opalux.jobs.starting.models import MODELS

DESCRIPTION = """\
Find the density behind measured signals by physics alone: no network, no training.

  opalux invert CONFIG SIGNALS... --out DIR
  opalux invert --example --out DIR

CONFIG describes the physics, the noise and the search (see docs/measured.md).  SIGNALS
are tables of measured values (CSV or HDF5), solution.h5 files, .sds files or published
CSV exports, or folders of them.  Writes inversion.h5 (density, spread, what the data
say), inversion.json (chi2), map.png, fit.png and report.html.

mpirun -n N divides each simulation among N processes, to the same bits.

Exit code 3: the result is written, but its chi2 says that it does not explain the data.
SIGTERM or SIGUSR1 writes a checkpoint and ends with exit code 75; the same line with
--resume continues from there, to the same bits."""

EXAMPLE = [str(CONFIGS / "invert" / "example.yaml"), str(CONFIGS / "invert" / "example.csv")]


def main(argv: list[str] | None = None) -> int:
    """Run the command line; see DESCRIPTION."""
    argv = sys.argv[1:] if argv is None else argv
    parser = command_line.parser("invert", DESCRIPTION, settings=MODELS["invert"])
    parser.add_argument("signals", metavar="SIGNALS", nargs="+", type=Path, help="files or folders")
    parser.add_argument(
        "--example", action="store_true", help="run the example that comes with Opalux"
    )
    given = [*EXAMPLE, *argv] if "--example" in argv else argv
    parsed = parser.parse_args(given)
    return command_line.run(lambda: _invert(parsed), parsed)


def _invert(parsed: argparse.Namespace) -> int:
    arguments = command_line.arguments(parsed)

    # Importing numba takes seconds: not before the command line is understood.
    from opalux.jobs.measured.run import invert_into

    return invert_into(arguments, parsed.signals)


if __name__ == "__main__":
    sys.exit(main())
