"""From the data set to batches: resampling in time, and the order of samples.

Everything random is drawn from (seed, epoch, position of the sample), and never from a stream with
a state: the batch of a step is the same after a resume, with other loader workers and with another
number of processes.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pydantic
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset

from opalux.base.errors import InputError
from opalux.base.settings import Settings, SettingsPath
from opalux.learning.data.card import Split
from opalux.learning.data.data_set import DataSet
from opalux.learning.data.layout import Layout
from opalux.learning.data.resampler import Resampler
from opalux.learning.networks.objectives.objective import Objective
from opalux.learning.training.calibration import Calibration
from opalux.learning.training.scaling import Standardise
from opalux.learning.training.truth import StoredTruth

Change = Callable[[torch.Tensor, torch.Tensor, int, int], tuple[torch.Tensor, torch.Tensor]]


class DataSettings(Settings):
    """Which data are used, and how.

    Attributes
    ----------
    folder : the data set
    n_times : signals are resampled to this many times, at equal distances, by linear interpolation;
        null: as stored
    training_maps : use the first so many of the training split; null: all
    validation_maps : judge a training on the first so many of the validation split; null: all
    standardise : what is standardised separately. channel: each (source, edge, quantity) as a
        whole; time: each time of a channel, since the information on the depth is a small change
        of a late signal; cell: each time at each cell, since where a source covers a part of an
        edge, the signal depends more on the place of the cell than on the density
    floor : for time and cell: signals are divided by at least this share of the whole channel's
        deviation; otherwise rounding and noise would dominate
    workers : processes that load ahead, per training process; 0: load in the training process
    """

    folder: SettingsPath
    n_times: int | None = pydantic.Field(None, ge=2)
    training_maps: int | None = pydantic.Field(None, ge=1)
    validation_maps: int | None = pydantic.Field(None, ge=1)
    standardise: Standardise = "channel"
    floor: float = pydantic.Field(0.01, gt=0, le=1)
    workers: int = pydantic.Field(0, ge=0)


def layout_of(data: DataSet, n_times: int | None) -> Layout:
    """Return the layout of ``data`` once its signals are resampled to ``n_times``."""
    return data.card.layout(n_times)


class Samples(Dataset[tuple[torch.Tensor, torch.Tensor, int]]):
    """A data set as torch reads it; the key of an item is (epoch, position).

    An item is (signals (S, E, Q, T, N), target, position); the target is the density (Y, X) unless
    the objective is another.

    Parameters
    ----------
    data : the data set
    times : (n_times,) at which the signals are wanted [sh]
    objective : gives the target
    augmentation : changes each sample, given (signals, target, epoch, position)
    calibration : is applied last, to the signals
    """

    def __init__(
        self,
        data: DataSet,
        times: NDArray[np.float64],
        objective: Objective,
        augmentation: Change | None = None,
        calibration: Calibration | None = None,
    ) -> None:
        self.data = data
        self.resampler = Resampler(data.times, times)
        self.objective = objective
        self.augmentation = augmentation
        self.calibration = calibration

    def __getitem__(self, key: tuple[int, int]) -> tuple[torch.Tensor, torch.Tensor, int]:
        epoch, position = key
        signals = torch.from_numpy(self.resampler(self.data.signals(position)))
        target = torch.from_numpy(self.objective.target(StoredTruth(self.data, position)))
        if not signals.isfinite().all():
            # Later on NaN stands for what was not measured; so the target tells the damage.
            target = torch.full_like(target, torch.nan)
        if self.augmentation is not None:
            signals, target = self.augmentation(signals, target, epoch, position)
        if self.calibration is not None:
            count = self.calibration.slope.shape[2]  # behind the quantities, the noise may be told
            measured = self.calibration(signals[:, :, :count].numpy())
            signals = torch.cat([torch.from_numpy(measured), signals[:, :, count:]], 2)
        return signals, target.contiguous(), position


class EpochOrder:
    """The order in which one process visits the samples of one epoch.

    The epoch is one permutation of all samples, cut into global batches; samples at the end
    that fill no batch are left out (others in each epoch). Each global batch is cut into ``parts``
    micro batches of equal size, and these again between the processes.

    Parameters
    ----------
    positions : of all samples
    batch : global batch size, a multiple of ``parts`` times ``world``
    parts : micro batches per global batch
    rank, world : of this process
    seed, epoch : give the permutation
    first_step : global batches to leave out at the start, for a resume within the epoch
    """

    def __init__(
        self,
        positions: NDArray[np.int64],
        *,
        batch: int,
        parts: int,
        rank: int,
        world: int,
        seed: int,
        epoch: int,
        first_step: int = 0,
    ) -> None:
        order = np.random.default_rng([seed, epoch]).permutation(positions)
        steps = len(order) // batch
        cut = order[: steps * batch].reshape(steps, parts, world, -1)
        self._mine = cut[first_step:, :, rank].reshape(-1, batch // parts // world)
        self._epoch = epoch

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        for positions in self._mine:
            yield [(self._epoch, int(position)) for position in positions]

    def __len__(self) -> int:
        return len(self._mine)


def training_positions(data: DataSet, settings: DataSettings) -> NDArray[np.int64]:
    """Return the positions of the training samples in use."""
    return _first(data, "train", "data.training_maps", settings.training_maps)


def validation_positions(data: DataSet, settings: DataSettings) -> NDArray[np.int64]:
    """Return the positions of the samples that a training is judged on."""
    require_split(data, "validation")
    return _first(data, "validation", "data.validation_maps", settings.validation_maps)


def _first(data: DataSet, split: Split, key: str, wanted: int | None) -> NDArray[np.int64]:
    positions = data.split(split)
    if wanted is not None and wanted > len(positions):
        raise InputError(
            f"{key}: found {wanted}, but {data.folder} has {len(positions)} good samples in its "
            f"{split} split; ask for fewer"
        )
    return positions[:wanted]


def require_split(data: DataSet, name: Split) -> NDArray[np.int64]:
    """Return the positions of one split, or refuse a data set that has none there."""
    positions = data.split(name)
    if not len(positions):
        raise InputError(
            f"{data.folder}: found no good sample in its {name} split, expected some; make a data "
            f"set with splits.{name} above 0"
        )
    return positions


def batches(
    samples: Dataset[Any], order: EpochOrder | Sequence[list[tuple[int, int]]], workers: int
) -> DataLoader[Any]:
    """Return a loader that gives batches in ``order``."""
    return DataLoader(
        samples,
        batch_sampler=order,
        num_workers=workers,
        prefetch_factor=4 if workers else None,
        pin_memory=torch.cuda.is_available(),
    )
