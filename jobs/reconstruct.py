"""``opalux reconstruct``: the density behind one's own edge signals."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from opalux.base import command_line
from opalux.base.command_line import Arguments
from opalux.base.exit_codes import OK
from opalux.jobs.starting.models import MODELS

if TYPE_CHECKING:
    from opalux.jobs.inversion.reconstruct_run import Inputs

DESCRIPTION = """\
Reconstruct the density behind your own edge signals with a trained network.

  opalux reconstruct --example --out DIR
  opalux reconstruct table.csv --out DIR
  opalux reconstruct RUN up.h5 down.h5 left.h5 right.h5 --out DIR
  opalux reconstruct RUN table.csv --refine --set noise=0.01 --out DIR

RUN is the folder of a training run, or a checkpoint; without it, the network that comes
with Opalux reconstructs, and says what it was trained on.  SIGNALS are tables of measured
values (see docs/measured.md), solution.h5 files, published .sds files or CSV exports, or
folders of them, for each source that the network was trained with.  Writes
reconstruction.h5 (density and uncertainty), reconstruction.json, reconstruction.png and
fit.png (the signals beside those of the map).

--refine searches on by physics, from the network's map and from a flat one, and keeps
the map that explains the signals best.  It needs the noise, writes inversion.h5,
inversion.json, map.png, fit.png and report.html, too, as `opalux invert` does, and
ends with exit code 3 where the map does not explain the data."""


def main(argv: list[str] | None = None) -> int:
    """Run the command line; see DESCRIPTION."""
    argv = sys.argv[1:] if argv is None else argv
    parser = command_line.parser(
        "reconstruct",
        DESCRIPTION,
        config_name=None,
        settings=MODELS["reconstruct --refine" if "--refine" in argv else "reconstruct"],
    )
    parser.add_argument(
        "inputs",
        metavar="[RUN] SIGNALS",
        nargs="*",
        type=Path,
        help="folder of a training run, or none; then files or folders of signals",
    )
    parser.add_argument(
        "--refine", action="store_true", help="search on by physics; needs the noise"
    )
    parser.add_argument(
        "--example", action="store_true", help="reconstruct the table that comes with Opalux"
    )
    parsed = parser.parse_args(argv)
    return command_line.run(lambda: _reconstruct(parsed), parsed)


def _reconstruct(parsed: argparse.Namespace) -> int:
    from opalux.jobs.inversion.which_network import NETWORK, network_and_signals

    parsed.config, signals = network_and_signals(parsed.inputs, example=parsed.example)
    given = command_line.arguments(parsed)
    name = signals[0].stem if given.config == NETWORK else given.config.name.removesuffix(".ckpt")
    out = given.out or Path("runs/reconstruct") / name
    return (_refine if parsed.refine else _by_network)(given, signals, out)


def _by_network(given: Arguments, signals: list[Path], out: Path) -> int:
    from opalux.jobs.inversion.settings import ReconstructSettings

    settings = command_line.overridden(given, ReconstructSettings)

    # Importing torch takes seconds: not before the command line is understood.
    from opalux.jobs.inversion.reconstruct_run import check_inputs, reconstruct_into

    inputs = check_inputs(given.config, signals, settings)
    _tell(inputs)
    if given.dry_run:
        print(inputs)
        return OK
    found = reconstruct_into(out, inputs, settings, resume=given.resume, force=given.force)
    low, high = found.density.min(), found.density.max()
    print(f"density between {low:.3g} and {high:.3g} g/cm³: {out}")
    for line in found.explained:
        print(line)
    if found.warning:
        print(f"warning: {found.warning}", file=sys.stderr)
    return OK


def _refine(given: Arguments, signals: list[Path], out: Path) -> int:
    from opalux.jobs.refinement.settings import RefineSettings

    settings = command_line.overridden(given, RefineSettings)

    from opalux.jobs.inversion.reconstruct_run import check_inputs
    from opalux.jobs.refinement.refine import planned_for
    from opalux.jobs.refinement.run import refine_into

    inputs = check_inputs(given.config, signals, settings)
    _tell(inputs)
    if given.dry_run:
        plan = planned_for(inputs.networks, inputs.measurements, signals, settings)
        print(f"{inputs}, then refine them by {len(plan.search.rows)} values")
        return OK
    return refine_into(out, inputs, signals, settings, resume=given.resume, force=given.force)


def _tell(inputs: "Inputs") -> None:
    """Say which network it is, and what is assumed of the signals."""
    print(inputs.networks[0].trained_on)
    for note in inputs.notes:
        print(note, file=sys.stderr)


if __name__ == "__main__":
    raise SystemExit(main())
