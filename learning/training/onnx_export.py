"""A trained model as an ONNX file, for programs that know neither torch nor Opalux.

The file takes signals in physical units and gives densities [g/cm³]: the standardisation is in it.
"""

import json
import logging
import warnings
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from opalux.base.errors import InputError, OpaluxError
from opalux.base.files import atomic
from opalux.learning.networks.reconstructor import Reconstructor

TOLERANCE = 1e-3
"""Largest difference between the file's and torch's answers [standard deviations]."""

CHECKED = 3
"""Samples that they are compared on; not the number that the model was traced with."""


class ExportError(OpaluxError, RuntimeError):
    """The file does not give what the model gives."""


def export_onnx(
    model: Reconstructor, path: Path, times: NDArray[np.float64], data_set: str
) -> float:
    """Write the model to ``path`` and compare its answers, by ONNX Runtime, with torch's.

    The input ``signals`` (batch, sources, edges, quantities, n_times, n_cells) is float32 in the
    data set's units, the output ``density`` (batch, ny, nx) [g/cm³] (``answer`` (batch, n) for the
    niche networks). Names, times [sh] and units are in the file's metadata.

    Parameters
    ----------
    model : in evaluation mode
    path : where to
    times : (n_times,) that the model takes [sh]
    data_set : name of the data set that it was trained on

    Returns
    -------
    The largest difference, in standard deviations of the training targets.

    Raises
    ------
    InputError
        When the packages of the extra ``onnx`` are missing.
    ExportError
        When the difference is above `TOLERANCE`; then no file is left.
    """
    try:
        import onnxruntime
        import onnxscript  # noqa: F401  (torch.onnx needs it)
    except ImportError as error:
        raise InputError(
            f"ONNX export needs the package {error.name}; run pip install 'opalux[onnx]'"
        ) from None
    layout = model.layout
    draw = torch.Generator().manual_seed(0)
    noise = torch.randn(CHECKED, *layout.signals_shape, generator=draw)
    signals = model.signal_mean + model.signal_std * noise
    name = "density" if model.objective.is_map else "answer"
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it warns that torchvision is missing
    with warnings.catch_warnings(action="ignore", category=FutureWarning):
        program = torch.onnx.export(
            model,
            (signals[:2],),
            input_names=["signals"],
            output_names=[name],
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    program.model.metadata_props.update(
        {
            key: json.dumps(value)
            for key, value in _description(model, name, times, data_set).items()
        }
    )
    with atomic(path) as temporary:
        program.save(temporary)
        session = onnxruntime.InferenceSession(temporary, providers=["CPUExecutionProvider"])
        (found,) = session.run(None, {"signals": signals.numpy()})
        with torch.inference_mode():
            expected = model(signals)
        off = float(((torch.from_numpy(found) - expected) / model.unit).abs().max())
        if not off <= TOLERANCE:
            raise ExportError(
                f"{path}: the exported model is {off:.2e} standard deviations off the one in torch "
                f"(at most {TOLERANCE:g} expected); not written"
            )
    return off


def _description(
    model: Reconstructor, output: str, times: NDArray[np.float64], data_set: str
) -> dict[str, object]:
    layout = model.layout
    return {
        "signals": "batch, source, edge, quantity, time, cell; edges' cells with x or y ascending",
        "units": {"E": "g/cm/sh^2", "F": "g/cm/sh^2", "T": "keV", "times": "sh"},
        output: "batch, y, x; row 0 = bottom; g/cm^3" if output == "density" else "batch, number",
        "sources": layout.sources,
        "edges": layout.edges,
        "quantities": layout.quantities,
        "times": times.tolist(),
        "data_set": data_set,
    }
