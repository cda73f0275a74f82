"""``opalux verify``: compare the solver with exact solutions and write docs/verification.md."""

import argparse
import sys
from pathlib import Path

from opalux.base import command_line
from opalux.base.shipped import CHECKOUT

DEFAULT = CHECKOUT / "docs" if CHECKOUT else Path("verification")


def main(argv: list[str] | None = None) -> int:
    """Run all studies, write the page, and fail if a claim does not hold."""
    parser = argparse.ArgumentParser(prog="opalux verify", description=__doc__)
    parser.add_argument(
        "--out", metavar="DIR", type=Path, default=DEFAULT, help=f"default: {DEFAULT}"
    )
    out: Path = parser.parse_args(argv).out

    def work() -> int:
        from opalux.jobs.verification.run import verify

        return verify(out)

    return command_line.run(work)


if __name__ == "__main__":
    sys.exit(main())
