"""``opalux init JOB``: a configuration to begin with, every key in it explained."""

import argparse
import sys
from pathlib import Path

from opalux.base import command_line
from opalux.base.errors import InputError
from opalux.base.exit_codes import OK
from opalux.jobs.starting.models import FILES

DESCRIPTION = """\
Write a configuration to begin with: what is needed is filled in, every other key is
there with its default, meaning and unit, behind a #.

  opalux init solve                    writes solve.yaml
  opalux init solve --out my.yaml --set grid.nx=128
  opalux init site                     the settings of a cluster, for pipelines

The lists of keys alone: 'opalux JOB --keys'."""


def main(argv: list[str] | None = None) -> int:
    """Run the command line; see DESCRIPTION."""
    parser = argparse.ArgumentParser(
        prog="opalux init",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("job", metavar="JOB", choices=FILES, help=f"one of {', '.join(FILES)}")
    parser.add_argument(
        "--set",
        dest="overrides",
        metavar="a.b=VALUE",
        action="append",
        default=[],
        help="fill in one key (may be given several times)",
    )
    parser.add_argument(
        "--out", metavar="FILE", type=Path, help="default: JOB.yaml; - for standard output"
    )
    parser.add_argument("--force", action="store_true", help="replace FILE")
    parsed = parser.parse_args(argv)
    return command_line.run(lambda: _init(parsed))


def _init(parsed: argparse.Namespace) -> int:
    from opalux.base.files import write_text
    from opalux.jobs.starting.commented import starter

    out: Path = parsed.out or Path(f"{parsed.job}.yaml")
    writes = str(out) != "-"
    if writes and out.exists() and not parsed.force:
        raise InputError(f"{out}: exists already; give --out another name, or --force")
    folder = out.parent if writes else Path()
    settings = command_line.settings_of(FILES[parsed.job])
    text = starter(parsed.job, settings, parsed.overrides, folder)
    if not writes:
        print(text, end="")
        return OK
    out.parent.mkdir(parents=True, exist_ok=True)
    write_text(out, text)
    print(f"{out}: written; the keys that stand behind # have these values already")
    return OK


if __name__ == "__main__":
    sys.exit(main())
