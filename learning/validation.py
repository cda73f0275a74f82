"""Judging a model during training: sums over the maps of all processes, then R² and errors."""

import numpy as np
import torch
from numpy.typing import NDArray

from learning.distributed import Processes
from learning.loader import Samples, batches
from learning.reconstructor import Reconstructor


@torch.inference_mode()
def validate(
    model: Reconstructor,
    samples: Samples,
    positions: NDArray[np.int64],
    batch: int,
    among: Processes,
    autocast: torch.autocast,
) -> dict[str, float]:
    """Return loss, r2_pooled, r2_mean and mae of ``model`` on the samples at ``positions``.

    Each process judges its share; all get the same numbers.
    """
    mine = [(0, int(p)) for p in positions[among.rank :: among.world]]
    order = [mine[start : start + batch] for start in range(0, len(mine), batch)]
    # Maps, cells, Σρ, Σρ², Σ(ρ̂−ρ)², Σ|ρ̂−ρ|, Σ R² per map.
    sums = torch.zeros(7, dtype=torch.float64)
    model.eval()
    for signals_BSEQTN, density_BYX, _ in batches(samples, order, workers=0):
        with autocast:
            predicted = model(signals_BSEQTN.to(among.device))
        truth = density_BYX.double()
        error = predicted.double().cpu() - truth
        residual = error.square().sum((1, 2))
        spread = (truth - truth.mean((1, 2), keepdim=True)).square().sum((1, 2))
        sums += torch.stack(
            [
                torch.tensor(len(truth), dtype=torch.float64),
                torch.tensor(truth.numel(), dtype=torch.float64),
                truth.sum(),
                truth.square().sum(),
                residual.sum(),
                error.abs().sum(),
                (1 - residual / spread.clamp_min(1e-12)).sum(),
            ]
        )
    model.train()
    maps, cells, total, squares, residuals, absolute, r2s = among.sum(sums).tolist()
    return {
        "loss": residuals / cells / float(model.unit) ** 2,
        "r2_pooled": 1 - residuals / (squares - total**2 / cells),
        "r2_mean": r2s / maps,
        "mae": absolute / cells,
    }
