"""``opalux export``: a trained network as an ONNX file, or as a small checkpoint."""

import argparse
from pathlib import Path

from opalux.base import command_line
from opalux.base.exit_codes import OK
from opalux.jobs.starting.models import MODELS

DESCRIPTION = """\
Write a trained network as ONNX, for programs without torch, and check it against torch.

  opalux export RUN --out DIR
  opalux export RUN --set form=checkpoint --out DIR

RUN is the folder of a training run.  Writes model.onnx, which takes signals and gives
densities in physical units, and export.json; or network.ckpt, a checkpoint of half
the size, to hand on: `opalux reconstruct network.ckpt SIGNALS...`."""


def main(argv: list[str] | None = None) -> int:
    """Run the command line; see DESCRIPTION."""
    parser = command_line.parser(
        "export", DESCRIPTION, "folder of a training run", "RUN", settings=MODELS["export"]
    )
    parsed = parser.parse_args(argv)
    return command_line.run(lambda: _export(parsed), parsed)


def _export(parsed: argparse.Namespace) -> int:
    from opalux.jobs.inversion.settings import ExportSettings

    given, settings = command_line.of_run(parsed, ExportSettings)

    # Importing torch takes seconds: not before the command line is understood.
    from opalux.jobs.inversion.export_run import export_into

    out = given.out or Path("runs/export") / given.config.name
    print(
        export_into(
            out,
            given.config,
            settings,
            resume=given.resume,
            force=given.force,
            dry_run=given.dry_run,
        )
    )
    return OK


if __name__ == "__main__":
    raise SystemExit(main())
