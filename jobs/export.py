"""``opalux export``: a trained network as an ONNX file."""

import argparse
from pathlib import Path
from typing import Literal

from opalux.base import command_line
from opalux.base.config import dump
from opalux.base.exit_codes import OK
from opalux.base.files import write_json
from opalux.base.provenance import provenance
from opalux.base.run_folder import open_run
from opalux.base.settings import Settings

DESCRIPTION = """\
Write a trained network as ONNX, for programs without torch, and check it against torch.

  opalux export RUN --out DIR

RUN is the folder of a training run.  Writes model.onnx, which takes signals and gives
densities in physical units, and export.json."""


class ExportSettings(Settings):
    """What is exported.

    Attributes
    ----------
    checkpoint : which of the run's
    """

    checkpoint: Literal["best", "last"] = "best"


def main(argv: list[str] | None = None) -> int:
    """Run the command line; see DESCRIPTION."""
    parser = command_line.parser("export", DESCRIPTION, "folder of a training run", "RUN")
    parsed = parser.parse_args(argv)
    return command_line.run(lambda: _export(parsed))


def _export(parsed: argparse.Namespace) -> int:
    given, settings = command_line.of_run(parsed, ExportSettings)

    # Importing torch takes seconds: not before the command line is understood.
    from opalux.learning.training.onnx_export import export_onnx
    from opalux.learning.training.predict import load_trained

    trained = load_trained(given.config / f"{settings.checkpoint}.ckpt")
    if given.dry_run:
        print(f"would export a model of {trained.model.layout.signals_shape} signals")
        return OK
    out = given.out or Path("runs/export") / given.config.name
    open_run(out, dump(settings), resume=given.resume, force=given.force)
    off = export_onnx(trained, out / "model.onnx")
    size = (out / "model.onnx").stat().st_size
    numbers = {"run": str(given.config), "bytes": size, "largest_difference": off}
    write_json(out / "export.json", numbers)
    write_json(out / "run.json", provenance())
    print(f"{out / 'model.onnx'}: {size / 1e6:.1f} MB, {off:.1e} deviations off torch at most")
    return OK


if __name__ == "__main__":
    raise SystemExit(main())
