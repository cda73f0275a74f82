"""``opalux verify``: compare the solver with exact solutions, or P1 with transport."""

import argparse
import sys
from pathlib import Path

from opalux.base import command_line
from opalux.base.shipped import CHECKOUT
from opalux.jobs.simulation.petsc_flag import add_petsc, gathered
from opalux.jobs.starting.models import MODELS

DEFAULT = CHECKOUT / "docs" if CHECKOUT else Path("verification")

DESCRIPTION = """\
Compare the solver with exact solutions and published results, and write verification.md.

  opalux verify transport CONFIG    how far P1 is from transport on your own problem
"""

TRANSPORT = """\
Tell how far P1 is from transport on your own problem.

CONFIG is a configuration of 'opalux solve'. It is solved by P1 with its own k, with
k = 1 (as published) and with k = 1/3 (textbook), and by discrete ordinates (S_N) on the
same grid. Writes the distances of fields and edge signals to the log and to
transport.json, and pictures to report.html in DIR (default: runs/verify/CONFIG).
"""

QUADRATURE = 12


def main(argv: list[str] | None = None) -> int:
    """Run all studies, or with the word ``transport`` the comparison of one problem."""
    given = sys.argv[1:] if argv is None else argv
    return _transport(given[1:]) if given[:1] == ["transport"] else _all(given)


def _all(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="opalux verify",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--out", metavar="DIR", type=Path, default=DEFAULT, help=f"default: {DEFAULT}"
    )
    out: Path = parser.parse_args(argv).out

    def work() -> int:
        from opalux.jobs.verification.run import verify

        return verify(out)

    return command_line.run(work)


def _transport(argv: list[str]) -> int:
    parser = command_line.parser("verify transport", TRANSPORT, settings=MODELS["verify transport"])
    parser.set_defaults(job="solve")  # whose configurations it takes
    parser.add_argument(
        "--quadrature",
        metavar="N",
        type=command_line.count,
        default=QUADRATURE,
        help=f"even number N of S_N, with N² directions (default: {QUADRATURE})",
    )
    add_petsc(parser)
    parsed = parser.parse_args(gathered(argv))

    def work() -> int:
        from opalux.jobs.verification.transport import compare

        return compare(command_line.arguments(parsed), parsed.quadrature, parsed.petsc)

    return command_line.run(work, parsed)


if __name__ == "__main__":
    sys.exit(main())
