"""What a network is judged on."""

from typing import Literal

import pydantic

from opalux.base.settings import Settings, SettingsPath


class TestSet(Settings):
    """Maps to judge a network on.

    Attributes
    ----------
    folder : data set; null: the one that the network was trained on
    split : of the data set
    noise : standard deviation of noise added to the signals, relative to each channel's own
    """

    __test__ = False  # pytest: this is no test
    folder: SettingsPath | None = None
    split: Literal["train", "validation", "test"] = "test"
    noise: float = pydantic.Field(0.0, ge=0)


class EvaluateSettings(TestSet):
    """How a run is judged: the keys of `TestSet` for the main set, and these.

    Attributes
    ----------
    checkpoint : which of the run's
    also : folders of further runs, whose reconstructions are averaged with the run's
    learning_curve : folders of runs that were trained on fewer maps (data.training_maps) or more;
        all are judged on the main set and shown against the number of maps
    symmetries : average over the eight symmetries of the square, too
    linear_baseline : judge ridge regression on the same data, too
    misfit_maps : so many reconstructions are simulated again and compared with the measurements
    calibration_maps : a set that was simulated on another grid than the training data is judged a
        second time after calibration with so many training densities (see
        `opalux.learning.training.calibration`);
        0: it is not
    batch : maps at a time
    seed : of the noise
    apart : further sets by name
    """

    checkpoint: Literal["best", "last"] = "best"
    also: tuple[SettingsPath, ...] = ()
    learning_curve: tuple[SettingsPath, ...] = ()
    symmetries: bool = True
    linear_baseline: bool = False
    misfit_maps: int = pydantic.Field(16, ge=0)
    calibration_maps: int = pydantic.Field(20, ge=0)
    batch: int = pydantic.Field(32, ge=1)
    seed: int = pydantic.Field(0, ge=0)
    apart: dict[str, TestSet] = pydantic.Field({})
