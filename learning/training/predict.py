"""Using trained networks: their answers to turned signals, and to the samples of a data set."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from opalux.learning.networks.reconstructor import Reconstructor
from opalux.learning.networks.symmetry import symmetries_of, transform_map, transform_signals
from opalux.learning.training.loader import Samples, batches

Answer = Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor | None]]


@torch.inference_mode()
def members(
    model: Reconstructor, signals_BSEQTN: torch.Tensor, *, symmetries: bool
) -> torch.Tensor:
    """Return several answers (M, B, ...) of one network to the same signals.

    Parameters
    ----------
    model : in evaluation mode
    signals_BSEQTN : in the data set's units
    symmetries : give as many maps as the domain has symmetries, from the turned and reflected
        signals; otherwise one answer
    """
    if not symmetries:
        return model(signals_BSEQTN)[None]
    maps = []
    for symmetry in symmetries_of(model.layout):
        turned = transform_signals(signals_BSEQTN, symmetry, model.layout.shape)
        maps.append(transform_map(model(turned.contiguous()), symmetry.inverse))
    return torch.stack(maps)


def answer_all(
    answer: Answer,
    samples: Samples,
    positions: NDArray[np.int64],
    *,
    batch: int,
    device: torch.device,
    autocast: torch.autocast,
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32] | None]]:
    """Yield target, answer and deviation, (batch, ...) in physical units, in order of positions.

    ``answer`` : gives both for a batch of signals (B, S, E, Q, T, N) on ``device``
    """
    keys = [(0, int(position)) for position in positions]
    order = [keys[start : start + batch] for start in range(0, len(keys), batch)]
    for signals_BSEQTN, target, _ in batches(samples, order, workers=0):
        with autocast:
            mean, deviation = answer(signals_BSEQTN.to(device))
        yield (
            target.numpy(),
            mean.float().cpu().numpy(),
            None if deviation is None else deviation.float().cpu().numpy(),
        )
