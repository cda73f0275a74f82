"""The settings of a training run, and the order in which it sees the samples."""

import pydantic

from opalux.base.errors import InputError
from opalux.base.settings import Settings
from opalux.learning.data.data_set import DataSet
from opalux.learning.data.resampler import evenly
from opalux.learning.networks.catalogue import ModelSettings
from opalux.learning.training import loader
from opalux.learning.training.augmentation import Augmentation, AugmentationSettings
from opalux.learning.training.distributed import Processes
from opalux.learning.training.examples import Examples
from opalux.learning.training.grid_error import grid_errors
from opalux.learning.training.mlflow_run import MlflowSettings
from opalux.learning.training.optimise import OptimiserSettings
from opalux.learning.training.precision import Precision


class TrainSettings(Settings):
    """A training run.

    Attributes
    ----------
    epochs : passes over the training split
    batch : samples per step, over all processes
    accumulate : micro batches that a step is cut into, to save memory
    precision : bfloat16: mixed precision by autocast; auto: where the device has units for it
    compile : translate the network by torch.compile (needs a C++ compiler on a CPU)
    seed : of the weights, the order of samples and the augmentation
    patience : stop after so many validations without a better score; null: never
    log_every : steps between lines of metrics.jsonl
    validate_every : epochs between validations, each followed by a checkpoint
    checkpoint_every : steps between further checkpoints; null: none
    mlflow : where MLflow keeps the run, too; null: nowhere
    """

    data: loader.DataSettings
    model: ModelSettings
    augmentation: AugmentationSettings = AugmentationSettings()
    optimiser: OptimiserSettings = OptimiserSettings()
    epochs: int = pydantic.Field(40, ge=1)
    batch: int = pydantic.Field(32, ge=1)
    accumulate: int = pydantic.Field(1, ge=1)
    precision: Precision = "auto"
    compile: bool = False
    seed: int = pydantic.Field(0, ge=0)
    patience: int | None = pydantic.Field(None, ge=1)
    log_every: int = pydantic.Field(10, ge=1)
    validate_every: int = pydantic.Field(1, ge=1)
    checkpoint_every: int | None = pydantic.Field(None, ge=1)
    mlflow: MlflowSettings | None = None


class TrainingPlan:
    """Which samples are used, in which order, and how they are changed.

    Raises
    ------
    InputError
        When there are no such samples, or the batch cannot be shared out.
    """

    def __init__(self, settings: TrainSettings, data: DataSet, world: int) -> None:
        self.settings = settings
        n_times = settings.data.n_times
        self.times = times = evenly(data.times, n_times)
        objective = settings.model.objective
        if settings.augmentation.symmetries and not objective.is_map:
            raise InputError(
                f"augmentation.symmetries: found true, but model {settings.model.kind} gives no "
                "map that could be turned; set augmentation.symmetries=false"
            )
        self.seen = loader.training_positions(data, settings.data)
        other = settings.augmentation.other_grid
        augmentation = Augmentation(
            settings.augmentation,
            loader.layout_of(data, n_times),
            data.stats.signal_mean,
            data.stats.signal_std,
            settings.seed,
            grid_errors(data, other, times, self.seen) if other else None,
        )
        self.training: loader.Samples | Examples = loader.Samples(
            data, times, objective, augmentation
        )
        self.judging: loader.Samples | Examples = loader.Samples(
            data, times, objective, self._judged_with(data, n_times)
        )
        self.held_out = loader.validation_positions(data, settings.data)
        self.steps_per_epoch = len(self.seen) // settings.batch
        self.steps = self.steps_per_epoch * settings.epochs
        if settings.batch % (settings.accumulate * world):
            raise InputError(
                f"batch: found {settings.batch}, expected a multiple of accumulate × processes = "
                f"{settings.accumulate} × {world}"
            )
        if not self.steps_per_epoch:
            raise InputError(
                f"batch: found {settings.batch}, but there are {len(self.seen)} training "
                "samples; choose a smaller batch or more samples"
            )

    def _judged_with(self, data: DataSet, n_times: int | None) -> Augmentation | None:
        """Return how samples are judged: as they are, or in parts, for who is trained on these."""
        settings = self.settings.augmentation
        if not settings.subsets:
            return None
        return Augmentation(
            settings.model_copy(update={"symmetries": False, "other_grid": None}),
            loader.layout_of(data, n_times),
            data.stats.signal_mean,
            data.stats.signal_std,
            self.settings.seed,
        )

    def order(self, epoch: int, first_step: int, among: Processes) -> loader.EpochOrder:
        """Return the batches of this process in ``epoch``, from global batch ``first_step`` on."""
        return loader.EpochOrder(
            self.seen,
            batch=self.settings.batch,
            parts=self.settings.accumulate,
            rank=among.rank,
            world=among.world,
            seed=self.settings.seed,
            epoch=epoch,
            first_step=first_step,
        )

    def validates_after(self, step: int) -> bool:
        """Return whether the model is judged after ``step`` steps."""
        every = self.steps_per_epoch * self.settings.validate_every
        return step % every == 0 or step == self.steps
