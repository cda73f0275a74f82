"""``opalux view DIR``: look at results in the browser, on this machine alone."""

import argparse
import sys
from pathlib import Path

from opalux.base import command_line
from opalux.base.command_line import count

DESCRIPTION = """\
Look at results in the browser: a simulation, a data set, a training run, an inversion or
a reconstruction.

  opalux view DIR            step through times or samples, click for the signals
  opalux view DIR OTHER      two of them, and their difference
  opalux view --paint        paint a density, light it, invert its signals
  opalux view RUN --paint    and see what the network of a training run makes of them

The page is served on this machine alone (127.0.0.1), until Ctrl-C."""


def main(argv: list[str] | None = None) -> int:
    """Run the command line; see DESCRIPTION."""
    parser = argparse.ArgumentParser(
        prog="opalux view",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("folders", metavar="DIR", nargs="*", type=Path, help="one or two folders")
    parser.add_argument("--paint", action="store_true", help="open the page to paint on")
    parser.add_argument(
        "--port", metavar="N", type=count, default=0, help="default: any that is free"
    )
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    parsed = parser.parse_args(argv)
    return command_line.run(lambda: _view(parsed))


def _view(parsed: argparse.Namespace) -> int:
    from opalux.jobs.viewing.serve import serve

    return serve(
        parsed.folders, paint=parsed.paint, port=parsed.port, browser=not parsed.no_browser
    )


if __name__ == "__main__":
    sys.exit(main())
