"""Exporting the network of a training run into a folder: as ONNX, or as a small checkpoint."""

from pathlib import Path
from typing import Any

import torch

from opalux.base.config import dump
from opalux.base.errors import InputError
from opalux.base.files import write_json
from opalux.base.provenance import provenance
from opalux.base.run_folder import run_folder
from opalux.jobs.inversion.settings import ExportSettings
from opalux.jobs.inversion.trained import Trained, load_trained
from opalux.learning.networks.corrector import MAPS, Corrector
from opalux.learning.networks.reconstructor import Reconstructor
from opalux.learning.networks.told import tell_noise
from opalux.learning.training import checkpoint
from opalux.learning.training.compact import compacted
from opalux.learning.training.onnx_export import export_onnx

MAKES = ("model.onnx", "model.onnx.data", "network.ckpt", "export.json", "run.json")

CHECKED = 8
"""Made-up samples that the small checkpoint is compared with the run's on."""


def export_into(
    out: Path,
    run: Path,
    settings: ExportSettings,
    *,
    resume: bool = False,
    force: bool = False,
    dry_run: bool = False,
) -> str:
    """Write model.onnx or network.ckpt, and export.json.

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
    onnx = settings.form == "onnx"
    if onnx and trained.corrections:
        raise InputError(
            f"form: found onnx, but {trained.path} corrects its maps by simulating them, which no "
            "ONNX file can; give form=checkpoint, or export the network that it corrects"
        )
    if dry_run:
        return f"would export a model of {trained.layout.signals_shape} signals"
    path = out / ("model.onnx" if onnx else "network.ckpt")
    with run_folder(out, dump(settings), job="export", makes=MAKES, resume=resume, force=force):
        if onnx:
            off = export_onnx(trained.model, path, trained.times, trained.card.name)
        else:
            off = _export_checkpoint(trained, path)
        size = path.stat().st_size
        numbers: dict[str, Any] = {"run": str(run), "bytes": size, "largest_difference": off}
        write_json(out / "run.json", provenance())
        write_json(out / "export.json", numbers)
    what = "torch" if onnx else "the run's checkpoint"
    return f"{path}: {size / 1e6:.1f} MB, {off:.1e} deviations off {what} at most"


def _export_checkpoint(trained: Trained, path: Path) -> float:
    """Write a small checkpoint; the largest difference of its answers [standard deviations]."""
    checkpoint.save(path, compacted(checkpoint.load(trained.path)))
    small, model = load_trained(path), trained.model
    draw = torch.Generator().manual_seed(0)
    noise = torch.randn(CHECKED, *model.layout.signals_shape, generator=draw)
    signals = model.signal_mean + model.signal_std * noise
    count = len(MAPS) if trained.corrections else 0
    maps = torch.randn(CHECKED, count, *model.layout.shape, generator=draw)
    far = [_difference(small.model, model, signals)]
    for one, other in zip(small.corrections, trained.corrections, strict=True):
        far.append(_difference(one, other, tell_noise(noise, 0.01), maps))
    return max(far)


def _difference(
    one: Reconstructor | Corrector, other: Reconstructor | Corrector, *given: torch.Tensor
) -> float:
    """Return the largest difference of two models' answers [standard deviations]."""
    with torch.inference_mode():
        return float(((one(*given) - other(*given)) / other.unit).abs().max())
