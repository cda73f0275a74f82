"""Judging a model during training: sums over the samples of all processes, then scores."""

import numpy as np
import torch
from numpy.typing import NDArray

from opalux.learning.networks.corrector import Corrector
from opalux.learning.networks.reconstructor import Reconstructor
from opalux.learning.training.distributed import Processes
from opalux.learning.training.examples import Examples
from opalux.learning.training.loader import Samples, batches


@torch.inference_mode()
def validate(
    model: Reconstructor | Corrector,
    samples: Samples | Examples,
    positions: NDArray[np.int64],
    batch: int,
    among: Processes,
    autocast: torch.autocast,
) -> dict[str, float]:
    """Return the loss and the objective's scores of ``model`` on the samples at ``positions``.

    Each process judges its share; all get the same numbers.
    """
    mine = [(0, int(p)) for p in positions[among.rank :: among.world]]
    order = [mine[start : start + batch] for start in range(0, len(mine), batch)]
    model.eval()
    losses = torch.zeros(2, dtype=torch.float64)
    parts = []
    for *given, target, _ in batches(samples, order, workers=0):
        with autocast:
            output = model(*(one.to(among.device) for one in given))
        scaled = [(x.to(among.device) - model.offset) / model.unit for x in (output, target)]
        loss = float(model.objective.loss(scaled[0], scaled[1]))
        losses += torch.tensor([loss * len(target), len(target)], dtype=torch.float64)
        parts.append(model.objective.sums(output.double().cpu(), target.double()))
    model.train()
    # A process may have no share: it adds nothing, in the shape that the others have.
    length = among.largest(len(parts[0]) if parts else 0)
    sums = torch.stack(parts).sum(0) if parts else torch.zeros(length, dtype=torch.float64)
    total, count = among.sum(losses).tolist()
    scores = model.objective.scores(among.sum(sums).cpu().numpy())
    return {"loss": total / count, **scores}
