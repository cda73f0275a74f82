"""From the data set to batches: resampling in time, augmentation, and the order of samples.

Everything random is drawn from (seed, epoch, position of the sample), never from a stream that
remembers: the batch of a given step is the same after a resume, with other loader workers and with
another number of processes.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pydantic
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset

from learning.calibration import Calibration
from learning.dataset import DataSet
from learning.dataset_card import Split
from learning.errors import InputError
from learning.models.layout import EDGES, Layout
from learning.objectives import Objective
from learning.resampler import Resampler
from learning.symmetry import SQUARE, transform_map, transform_signals


def _beside_the_file(folder: Path, info: pydantic.ValidationInfo) -> Path:
    return Path((info.context or {}).get("folder", "")) / folder


DataFolder = Annotated[Path, pydantic.AfterValidator(_beside_the_file)]
"""Folder of a data set; relative to the configuration file."""


class DataSettings(pydantic.BaseModel):
    """Which data are used, and how.

    Attributes
    ----------
    folder : the data set
    n_times : signals are resampled to this many times, at equal distances, by linear interpolation;
        null: as stored
    training_maps : use the first so many of the training split; null: all
    standardise : what is standardised by itself. channel: each (source, edge, quantity) as a
        whole; time: each time of it, since what tells of the depth is a small change of a late
        signal; cell: each time at each cell, since where a source covers a part of an edge, a
        cell's place tells more of the signal than the density does
    floor : for time and cell: signals are divided by no less than this share of the whole
        channel's deviation, or rounding and noise would be all that is seen
    workers : processes that load ahead, per training process; 0: load in the training process
    """

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    folder: DataFolder
    n_times: int | None = pydantic.Field(None, ge=2)
    training_maps: int | None = pydantic.Field(None, ge=1)
    standardise: Literal["channel", "time", "cell"] = "channel"
    floor: float = pydantic.Field(0.01, gt=0, le=1)
    workers: int = pydantic.Field(0, ge=0)


class AugmentationSettings(pydantic.BaseModel):
    """What is changed at random in each training sample, anew in each epoch.

    Attributes
    ----------
    symmetries : turn and reflect map, edges and sources together
    noise : standard deviation of the noise added to the signals, relative to each channel's own
    other_grid : data set with some of the training densities, simulated on another grid; what its
        calibrated signals differ by is added to the signals, see `learning.grid_error`
    drop_sources, drop_edges : leave out up to so many sources and edges (their signals are set to
        the channel's mean), so that one model serves fewer measurements
    """

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    symmetries: bool = True
    noise: float = pydantic.Field(0.0, ge=0.0)
    other_grid: DataFolder | None = None
    drop_sources: int = pydantic.Field(0, ge=0, le=3)
    drop_edges: int = pydantic.Field(0, ge=0, le=3)


def layout_of(data: DataSet, n_times: int | None) -> Layout:
    """Return the layout of ``data`` once its signals are resampled to ``n_times``."""
    card = data.card
    return Layout(
        sources=card.sources,
        edges=card.edges,
        quantities=card.quantities,
        n_times=n_times or card.n_times,
        n_cells=card.n_cells,
        shape=card.shape,
    )


class Augmentation:
    """Draws and applies the changes of `AugmentationSettings`.

    Parameters
    ----------
    settings : what is changed
    layout : of the data
    mean, std : (sources, edges, quantities) of each channel, over the training split
    seed : with epoch and position it gives the change
    errors : (n, S, E, Q, T, N) of another grid, as `learning.grid_error.grid_errors` gives them
    """

    def __init__(
        self,
        settings: AugmentationSettings,
        layout: Layout,
        mean: NDArray[np.floating],
        std: NDArray[np.floating],
        seed: int,
        errors: NDArray[np.float32] | None = None,
    ) -> None:
        self.settings = settings
        self.seed = seed
        self.errors = None if errors is None else torch.from_numpy(errors)
        if settings.symmetries and not layout.is_symmetric:
            raise InputError(
                f"augmentation.symmetries: found sources {layout.sources}, edges {layout.edges} "
                f"and maps of {layout.shape} cells, expected {EDGES} for both and square maps; set "
                "augmentation.symmetries=false"
            )
        self._mean = torch.tensor(mean, dtype=torch.float32)[..., None, None]
        self._std = torch.tensor(std, dtype=torch.float32)[..., None, None]

    def __call__(
        self, signals: torch.Tensor, target: torch.Tensor, epoch: int, position: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the changed signals (S, E, Q, T, N) and target, which symmetries move as a map."""
        draw = np.random.default_rng([self.seed, epoch, position])
        if self.settings.symmetries:
            symmetry = SQUARE[draw.integers(len(SQUARE))]
            signals = transform_signals(signals, symmetry)
            target = transform_map(target, symmetry)
        if self.settings.noise:
            noise = draw.standard_normal(signals.shape, dtype=np.float32)
            signals = signals + self.settings.noise * self._std * torch.from_numpy(noise)
        if self.errors is not None:
            error = self.errors[draw.integers(len(self.errors))]
            if self.settings.symmetries:  # the error of a turned density is the turned error
                error = transform_signals(error, SQUARE[draw.integers(len(SQUARE))])
            signals = signals + draw.standard_normal(dtype=np.float32) * error
        for axis, most in enumerate((self.settings.drop_sources, self.settings.drop_edges)):
            length = signals.shape[axis]
            dropped = draw.permutation(length)[: draw.integers(min(most, length - 1) + 1)]
            if len(dropped):
                kept = torch.ones([length if a == axis else 1 for a in range(5)])
                kept.index_fill_(axis, torch.from_numpy(dropped), 0.0)
                signals = torch.where(kept.bool(), signals, self._mean)
        return signals, target


class Samples(Dataset[tuple[torch.Tensor, torch.Tensor, int]]):
    """The torch face of a data set; items are asked for by (epoch, position).

    An item is (signals (S, E, Q, T, N), target, position); the target is the density (Y, X) unless
    the objective is another.

    Parameters
    ----------
    data : the data set
    times : (n_times,) at which the signals are wanted [sh]
    objective : gives the target
    augmentation : changes each sample
    calibration : is applied last, to the signals
    """

    def __init__(
        self,
        data: DataSet,
        times: NDArray[np.float64],
        objective: Objective,
        augmentation: Augmentation | None = None,
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
        target = torch.from_numpy(self.objective.target(self.data, position))
        if self.augmentation is not None:
            signals, target = self.augmentation(signals, target, epoch, position)
        if self.calibration is not None:
            signals = torch.from_numpy(self.calibration(signals.numpy()))
        return signals, target.contiguous(), position


class EpochOrder:
    """The order in which one process visits the samples of one epoch.

    The epoch is one permutation of all samples, cut into global batches; the tail that fills no
    batch is left out (another one in each epoch). Each global batch is cut into ``parts`` micro
    batches of equal size, and these again between the processes.

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
    positions = data.split("train")
    wanted = settings.training_maps or len(positions)
    if wanted > len(positions):
        raise InputError(
            f"data.training_maps: found {wanted}, but {data.folder} has {len(positions)} good "
            "training samples; ask for fewer"
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
    samples: Samples, order: EpochOrder | Sequence[list[tuple[int, int]]], workers: int
) -> DataLoader[tuple[torch.Tensor, torch.Tensor, int]]:
    """Return a loader that gives batches in ``order``."""
    return DataLoader(
        samples,
        batch_sampler=order,
        num_workers=workers,
        prefetch_factor=4 if workers else None,
        pin_memory=torch.cuda.is_available(),
    )
