"""``opalux reconstruct``: the density behind one's own edge signals."""

import argparse
import sys
from pathlib import Path

from opalux.base import command_line
from opalux.base.exit_codes import OK
from opalux.jobs.starting.models import MODELS

DESCRIPTION = """\
Reconstruct the density behind your own edge signals with a trained network.

  opalux reconstruct RUN up.h5 down.h5 left.h5 right.h5 --out DIR
  opalux reconstruct RUN table.csv --refine --set noise=0.01 --out DIR

RUN is the folder of a training run.  SIGNALS are tables of measured values (see
docs/measured.md), solution.h5 files, published .sds files or CSV exports, or folders
of them, for each source that the network was trained with.  Writes reconstruction.h5
(density and uncertainty), reconstruction.json, reconstruction.png and fit.png (the
signals beside those of the map).

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
        "folder of a training run",
        "RUN",
        settings=MODELS["reconstruct --refine" if "--refine" in argv else "reconstruct"],
    )
    parser.add_argument("signals", metavar="SIGNALS", nargs="+", type=Path, help="files or folders")
    parser.add_argument(
        "--refine", action="store_true", help="search on by physics; needs the noise"
    )
    parsed = parser.parse_args(argv)
    return command_line.run(lambda: _reconstruct(parsed), parsed)


def _reconstruct(parsed: argparse.Namespace) -> int:
    if parsed.refine:
        return _refine(parsed)
    from opalux.jobs.inversion.settings import ReconstructSettings

    given, settings = command_line.of_run(parsed, ReconstructSettings)

    # Importing torch takes seconds: not before the command line is understood.
    from opalux.jobs.inversion.reconstruct_run import check_inputs, reconstruct_into

    inputs = check_inputs(given.config, parsed.signals, settings)
    for note in inputs.notes:
        print(note, file=sys.stderr)
    if given.dry_run:
        print(inputs)
        return OK
    out = given.out or Path("runs/reconstruct") / given.config.name
    found = reconstruct_into(out, inputs, settings, resume=given.resume, force=given.force)
    low, high = found.density.min(), found.density.max()
    print(f"density between {low:.3g} and {high:.3g} g/cm³: {out}")
    if found.data_misfit is not None:
        usual = (
            "" if found.misfit_normal is None else f"; up to {found.misfit_normal:.2%} is normal"
        )
        print(f"simulated again it gives the signals up to {found.data_misfit:.2%}{usual}")
    if found.warning:
        print(f"warning: {found.warning}", file=sys.stderr)
    return OK


def _refine(parsed: argparse.Namespace) -> int:
    from opalux.jobs.refinement.settings import RefineSettings

    given, settings = command_line.of_run(parsed, RefineSettings)

    from opalux.jobs.inversion.reconstruct_run import check_inputs
    from opalux.jobs.refinement.refine import planned_for
    from opalux.jobs.refinement.run import refine_into

    inputs = check_inputs(given.config, parsed.signals, settings)
    for note in inputs.notes:
        print(note, file=sys.stderr)
    if given.dry_run:
        plan = planned_for(inputs.networks, inputs.measurements, parsed.signals, settings)
        print(f"{inputs}, then refine them by {len(plan.search.rows)} values")
        return OK
    out = given.out or Path("runs/reconstruct") / given.config.name
    return refine_into(
        out, inputs, parsed.signals, settings, resume=given.resume, force=given.force
    )


if __name__ == "__main__":
    raise SystemExit(main())
