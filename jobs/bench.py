"""``opalux bench``: how fast the parts are, as ratios measured side by side in one run.

Seconds depend on the machine and on its load. Each figure is therefore compared with another one
that was measured in the same minute: a memory-bandwidth bound, one process, a bare kernel.
"""

import argparse
import sys

from opalux.base import command_line
from opalux.base.errors import InputError
from opalux.base.exit_codes import OK
from opalux.jobs.benchmarks.sections import SECTIONS, measure


def main(argv: list[str] | None = None) -> int:
    """Run the benchmarks and print their figures."""
    parser = argparse.ArgumentParser(prog="opalux bench", description=__doc__)
    parser.add_argument("section", nargs="*", help=f"some of: {', '.join(SECTIONS)} (default: all)")
    chosen = parser.parse_args(argv).section or list(SECTIONS)

    def work() -> int:
        unknown = [name for name in chosen if name not in SECTIONS]
        if unknown:
            raise InputError(f"no section '{unknown[0]}'; there are {', '.join(SECTIONS)}")
        measure(chosen)
        return OK

    return command_line.run(work)


if __name__ == "__main__":
    sys.exit(main())
