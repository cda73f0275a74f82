"""``opalux demo``: from a density map to its reconstruction in minutes, by the real parts."""

import argparse
import sys
from pathlib import Path

from opalux.base import command_line
from opalux.base.exit_codes import OK

OUT = Path("runs/demo")

DESCRIPTION = """\
Solve, sample, train and evaluate, in minutes, and write a report to look at.

Each stage is a command line that you could type; the demo prints it before it
runs. When the demo was interrupted, the same command goes on with it."""


def main(argv: list[str] | None = None) -> int:
    """Run the command line; see DESCRIPTION."""
    parser = argparse.ArgumentParser(
        prog="opalux demo",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", metavar="DIR", type=Path, default=OUT, help=f"default: {OUT}")
    parser.add_argument(
        "--resume", action="store_true", help="as with other jobs; the demo does it without it, too"
    )
    out: Path = parser.parse_args(argv).out
    return command_line.run(lambda: _demo(out))


def _demo(out: Path) -> int:
    from opalux.jobs.chain.demo.run import run_demo

    run_demo(out)
    return OK


if __name__ == "__main__":
    sys.exit(main())
