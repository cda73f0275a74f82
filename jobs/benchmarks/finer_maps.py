"""A network of fine maps beside one of coarse maps, whose answers are interpolated.

    python -m opalux.jobs.benchmarks.finer_maps FINE COARSE DATA [--seed 0]

FINE and COARSE are training runs or checkpoints (``augmentation.subsets: true``), DATA a data set
of FINE's maps. Both are given the same noisy signals of the test split, one answer each: COARSE the
means of the cells that lie in each of its own. Prints the pooled R² of all maps for every part of
the signals that ``opalux evaluate --set subset=table`` judges, and that of the true maps averaged
to COARSE's cells and interpolated back, which no coarse network passes.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import zoom

from opalux.base.errors import InputError
from opalux.base.progress import Progress
from opalux.jobs.inversion.mean_answer import MeanAnswer
from opalux.jobs.inversion.metrics import r2_pooled
from opalux.jobs.inversion.restricted import Restricted
from opalux.jobs.inversion.trained import Trained, load_trained
from opalux.learning.data.data_set import DataSet
from opalux.learning.networks.told import tell_noise
from opalux.learning.training.loader import Samples, require_split
from opalux.learning.training.subsets import STANDARD

Array = NDArray[np.float32]


def interpolated(maps: Array, times: int) -> Array:
    """Return maps (n, ny, nx) on cells so many times finer, linearly between the cells' centres."""
    return np.asarray(zoom(maps, (1, times, times), order=1, mode="nearest", grid_mode=True))


def averaged(values: torch.Tensor, times: int) -> torch.Tensor:
    """Return signals (..., n) as means over so many neighbouring cells; NaN where none is known."""
    return values.unflatten(-1, (-1, times)).nanmean(-1)


def _required(fine: Trained, coarse: Trained) -> int:
    """Return how many times finer the maps of one network are.

    Raises
    ------
    InputError
        When the networks cannot be compared.
    """
    times, rest = divmod(fine.layout.shape[1], coarse.layout.shape[1])
    one, other = (network.layout._replace(shape=(0, 0), n_cells=0) for network in (fine, coarse))
    if rest or times < 2 or one != other or not (fine.model.told and coarse.model.told):
        raise InputError(
            f"found networks of {fine.layout} and {coarse.layout}, expected the same signals, maps "
            "a whole number of times finer, and both trained with augmentation.subsets=true"
        )
    return times


def main(argv: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("fine", "coarse", "data"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--seed", type=int, default=0, help="of the noise")
    given = parser.parse_args(argv)
    fine, coarse = load_trained(given.fine), load_trained(given.coarse)
    times, data = _required(fine, coarse), DataSet(given.data)
    positions = require_split(data, "test")
    truth = np.stack([data.density(int(position)) for position in positions])
    means = truth.reshape(len(truth), *(n for side in coarse.layout.shape for n in (side, times)))
    print(f"true maps, averaged and interpolated: "
          f"{r2_pooled(truth, interpolated(means.mean((2, 4)), times)):.4f}")  # fmt: skip
    for name, subset in STANDARD.items():
        known = subset.known(fine.layout, fine.times)
        restricted = Restricted(fine, subset.noise, known, given.seed)
        samples = Samples(data, fine.times, fine.model.objective, restricted)
        answers: tuple[list[Array], list[Array]] = ([], [])
        with Progress(name, len(positions)) as progress:
            for position in positions:
                signals, _, _ = samples[0, int(position)]
                less = subset.noise / times**0.5
                mean = tell_noise(averaged(signals[:, :, :-1], times), less)
                for found, network, own, noise in (
                    (answers[0], fine, signals, subset.noise),
                    (answers[1], coarse, mean, less),
                ):
                    answer = MeanAnswer([network], symmetries=False, noise=noise)
                    found.append(answer(own[None])[0][0].float().cpu().numpy())
                progress.advance()
        scores = np.stack(answers[0]), interpolated(np.stack(answers[1]), times)
        print(f"{name}: fine {r2_pooled(truth, scores[0]):.4f}, "
              f"coarse {r2_pooled(truth, scores[1]):.4f}", flush=True)  # fmt: skip
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
