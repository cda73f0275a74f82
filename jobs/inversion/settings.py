"""What a network is judged on, how signals are reconstructed, and which network is exported."""

from typing import Literal

import pydantic

from opalux.base.settings import Settings, SettingsPath
from opalux.learning.training.subsets import Subset

Checkpoint = Literal["best", "last"]


class JudgedMaps(Settings):
    """Maps to judge a network on.

    Attributes
    ----------
    folder : data set; null: the one that the network was trained on
    split : of the data set
    noise : standard deviation of noise added to the signals, relative to each channel's own
    """

    folder: SettingsPath | None = None
    split: Literal["train", "validation", "test"] = "test"
    noise: float = pydantic.Field(0.0, ge=0, le=1000)


class EvaluateSettings(JudgedMaps):
    """How a run is judged: the keys of `JudgedMaps` for the main set, and these.

    Attributes
    ----------
    checkpoint : which of the run's
    also : folders of further runs, whose answers are averaged with the run's
    repeated : further runs of the same configuration with other seeds: each is judged on the same
        maps, and all measures are also given as mean and standard deviation over the trainings
    learning_curve : folders of runs that were trained on fewer maps (data.training_maps) or more;
        all are judged on the main set and shown against the number of maps and of steps
    symmetries : average over the symmetries of the domain, too: eight of a square, four of a
        rectangle (networks that give a map)
    linear_baseline : judge ridge regression on the same data, too (networks that give a map)
    misfit_maps : so many reconstructions are simulated again and compared with the signals
        (networks that give a map)
    spread_maps : so many maps that were held out from training calibrate the spread, as in
        `opalux reconstruct` with misfit_maps; the share of cells within it is then given by depth,
        for every set and part of the signals (networks that give a map)
    calibration_maps : a set that was simulated on another grid than the training data is judged a
        second time after calibration with so many training densities (see
        `opalux.learning.training.calibration`); null: with 20, but not signals on the edge itself
    batch : maps at a time
    seed : of the noise
    apart : further sets by name
    subset : the network is also judged on parts of the main set's signals: table, for a standard
        one; or parts by name, see `opalux.learning.training.subsets.Subset`
    invert : so many maps of each set that has noise are also found by physics, with the network's
        map as start and prior and without it (networks that give a map)
    invert_steps : gradients at most of each such search
    """

    checkpoint: Checkpoint = "best"
    also: tuple[SettingsPath, ...] = ()
    repeated: tuple[SettingsPath, ...] = ()
    learning_curve: tuple[SettingsPath, ...] = ()
    symmetries: bool = True
    linear_baseline: bool = False
    misfit_maps: int = pydantic.Field(16, ge=0)
    spread_maps: int = pydantic.Field(0, ge=0)
    calibration_maps: int | None = pydantic.Field(None, ge=0)
    batch: int = pydantic.Field(32, ge=1)
    seed: int = pydantic.Field(0, ge=0)
    apart: dict[str, JudgedMaps] = pydantic.Field({})
    subset: Literal["table"] | dict[str, Subset] | None = None
    invert: int = pydantic.Field(0, ge=0)
    invert_steps: int = pydantic.Field(500, ge=3, le=100_000)


class ReconstructSettings(Settings):
    """How signals are turned into a density.

    Attributes
    ----------
    checkpoint : which of the run's
    also : folders of further runs; the mean of all their reconstructions is given
    symmetries : average over the symmetries of the domain, too: eight of a square, four of a
        rectangle
    simulate : simulate the reconstruction and compare it with the signals
    calibration_maps : signals on a finer grid than the network's are calibrated with so many
        densities simulated on both grids (see `opalux.learning.training.calibration`); null: with
        20, but not signals on the edge itself
    misfit_maps : so many maps that were held out from training are simulated, to know which data
        misfit is normal and how wide the spread is; 0: both are not known
    dt : step [sh] of .sds and .csv files; null: as the file beside them says, or as published,
        CFL·Δx/c
    noise : of the signals, as a share of each channel's standard deviation, for networks that are
        told it; null: from the column sigma of a table
    physics : same: signals whose files name other physics than the training data are refused; any:
        that is a warning
    """

    checkpoint: Checkpoint = "best"
    also: tuple[SettingsPath, ...] = ()
    symmetries: bool = True
    simulate: bool = True
    calibration_maps: int | None = pydantic.Field(None, ge=0)
    misfit_maps: int = pydantic.Field(32, ge=0)
    dt: float | None = pydantic.Field(None, gt=0)
    noise: float | None = pydantic.Field(None, ge=0, lt=10)
    physics: Literal["same", "any"] = "same"


class ExportSettings(Settings):
    """What is exported.

    Attributes
    ----------
    checkpoint : which of the run's
    form : onnx: model.onnx, for programs without torch; checkpoint: network.ckpt, a checkpoint of
        half the size, which `opalux reconstruct` takes in the place of a run
    """

    checkpoint: Checkpoint = "best"
    form: Literal["onnx", "checkpoint"] = "onnx"
