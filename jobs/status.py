"""``opalux status DIR``: how far a pipeline, a campaign, a training or another run is."""

import argparse
import sys
from pathlib import Path

from opalux.base import command_line
from opalux.base.exit_codes import OK

DESCRIPTION = """\
Show how far everything in DIR is: the folder of a pipeline, of a campaign, of a
training or of another run."""


def main(argv: list[str] | None = None) -> int:
    """Run the command line; see DESCRIPTION."""
    parser = argparse.ArgumentParser(prog="opalux status", description=DESCRIPTION)
    parser.add_argument("folder", metavar="DIR", type=Path, help="folder of results")
    parsed = parser.parse_args(argv)
    return command_line.run(lambda: _status(parsed.folder))


def _status(folder: Path) -> int:
    from opalux.jobs.chain.status_table import print_status

    print_status(folder)
    return OK


if __name__ == "__main__":
    sys.exit(main())
