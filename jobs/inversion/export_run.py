"""Exporting the network of a training run as an ONNX file into a folder."""

from pathlib import Path
from typing import Any

from opalux.base.config import dump
from opalux.base.files import write_json
from opalux.base.provenance import provenance
from opalux.base.run_folder import run_folder
from opalux.jobs.inversion.settings import ExportSettings
from opalux.jobs.inversion.trained import load_trained
from opalux.learning.training.onnx_export import export_onnx

MAKES = ("model.onnx", "model.onnx.data", "export.json", "run.json")


def export_into(
    out: Path,
    run: Path,
    settings: ExportSettings,
    *,
    resume: bool = False,
    force: bool = False,
    dry_run: bool = False,
) -> str:
    """Write model.onnx and export.json.

    Parameters
    ----------
    out : folder for the results
    run : folder of the training run
    settings : which checkpoint is taken
    resume, force : see `run_folder`
    dry_run : check everything and write nothing

    Returns
    -------
    What was done, or would be.

    Raises
    ------
    InputError
        When the checkpoint cannot be read or packages are missing.
    ExportError
        When the file does not give what the network gives.
    """
    trained = load_trained(run / f"{settings.checkpoint}.ckpt")
    if dry_run:
        return f"would export a model of {trained.layout.signals_shape} signals"
    path = out / "model.onnx"
    with run_folder(out, dump(settings), job="export", makes=MAKES, resume=resume, force=force):
        off = export_onnx(trained.model, path, trained.times, trained.card.name)
        size = path.stat().st_size
        numbers: dict[str, Any] = {"run": str(run), "bytes": size, "largest_difference": off}
        write_json(out / "run.json", provenance())
        write_json(out / "export.json", numbers)
    return f"{path}: {size / 1e6:.1f} MB, {off:.1e} deviations off torch at most"
