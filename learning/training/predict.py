"""Using a trained model: loading it and reconstructing densities."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from opalux.learning.data.card import Card
from opalux.learning.data.layout import Layout
from opalux.learning.networks.reconstructor import Reconstructor, build
from opalux.learning.networks.symmetry import SQUARE, transform_map, transform_signals
from opalux.learning.training import checkpoint
from opalux.learning.training.loader import Samples, batches
from opalux.learning.training.plan import TrainSettings


class Trained(NamedTuple):
    """A model out of a checkpoint and what it was trained with.

    Attributes
    ----------
    model : ready for use, in evaluation mode
    settings : of its training
    card : of the data set that it was trained on
    times : (n_times,) of the signals that it takes [sh]
    step : global batches that it has seen
    validation_r2 : best pooled R² on the validation split
    """

    model: Reconstructor
    settings: TrainSettings
    card: Card
    times: NDArray[np.float64]
    step: int
    validation_r2: float


def load_trained(path: Path, device: torch.device | str = "cpu") -> Trained:
    """Return the model of the checkpoint ``path``: averaged weights where there are any.

    Raises
    ------
    InputError
        When there is no such checkpoint or it cannot be read.
    """
    content = checkpoint.load(path, device)
    settings = TrainSettings.model_validate(content["settings"])
    layout = Layout(**content["layout"])
    model = build(settings.model, layout, settings.seed).to(device)
    checkpoint.load_weights(model, content.get("average", content["model"]), path)
    model.requires_grad_(False).eval()
    state = content["state"]
    card = Card.model_validate(content["card"])
    return Trained(model, settings, card, np.array(content["times"]), state["step"], state["best"])


@torch.inference_mode()
def members(
    model: Reconstructor, signals_BSEQTN: torch.Tensor, *, symmetries: bool
) -> torch.Tensor:
    """Return reconstructions (M, B, Y, X) [g/cm³] of the same densities.

    Parameters
    ----------
    model : in evaluation mode
    signals_BSEQTN : in the data set's units
    symmetries : give eight, from the turned and reflected signals; otherwise one
    """
    if not symmetries:
        return model(signals_BSEQTN)[None]
    maps = [
        transform_map(model(transform_signals(signals_BSEQTN, s).contiguous()), s.inverse)
        for s in SQUARE
    ]
    return torch.stack(maps)


def reconstruct(
    model: Reconstructor, signals_BSEQTN: torch.Tensor, *, symmetries: bool
) -> torch.Tensor:
    """Return densities (B, Y, X) [g/cm³], the mean of `members`."""
    return members(model, signals_BSEQTN, symmetries=symmetries).mean(0)


def reconstruct_all(
    models: Sequence[Reconstructor],
    samples: Samples,
    positions: NDArray[np.int64],
    *,
    batch: int,
    symmetries: bool,
    autocast: torch.autocast,
) -> Iterator[tuple[NDArray[np.float32], ...]]:
    """Yield density, reconstruction and spread, (batch, ny, nx) [g/cm³], in the order of positions.

    The reconstruction is the mean, and the spread the standard deviation, over all models and, if
    ``symmetries``, the eight symmetries of each; with a single reconstruction the spread is 0.
    """
    device = models[0].signal_mean.device
    keys = [(0, int(position)) for position in positions]
    order = [keys[start : start + batch] for start in range(0, len(keys), batch)]
    for signals_BSEQTN, density_BYX, _ in batches(samples, order, workers=0):
        with autocast:
            signals = signals_BSEQTN.to(device)
            all_MBYX = torch.cat([members(m, signals, symmetries=symmetries) for m in models])
        several = len(all_MBYX) > 1
        spread = all_MBYX.std(0) if several else torch.zeros_like(all_MBYX[0])
        found = all_MBYX.mean(0)
        yield density_BYX.numpy(), found.float().cpu().numpy(), spread.float().cpu().numpy()
