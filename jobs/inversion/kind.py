"""What differs between judging maps and judging other answers: one object for each kind.

A network that gives no map is judged by the scores of its objective, so that a new objective needs
nothing here.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from opalux.base.page import Page
from opalux.jobs.inversion.settings import EvaluateSettings
from opalux.jobs.inversion.trained import Trained
from opalux.learning.data.data_set import DataSet

Array = NDArray[np.float32]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Judged:
    """A network's answers on one set of maps.

    Attributes
    ----------
    numbers : the content of metrics.json
    scores : of the objective, by name
    headline : the measures that reports compare
    truth, predicted : targets and answers (n, ...), in physical units
    families : (n,) labels
    """

    numbers: dict[str, Any]
    scores: dict[str, float]
    headline: dict[str, float | None]
    truth: Array
    predicted: Array
    families: NDArray[np.str_]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Answers:
    """What networks gave for the samples of a data set.

    Attributes
    ----------
    data, positions : the samples
    truth, predicted : targets and mean answers (n, ...), in physical units
    deviation : standard deviation of the answers; None when there was one for each sample
    """

    data: DataSet
    positions: NDArray[np.int64]
    truth: Array
    predicted: Array
    deviation: Array | None

    @property
    def families(self) -> NDArray[np.str_]:
        """Labels (n,) of the samples."""
        return np.array([self.data.family(int(position)) for position in self.positions])


class Kind(Protocol):
    """How a kind of answer is judged and shown.

    Attributes
    ----------
    meaning : what the measures of `Judged.headline` are
    shown : scores that the curve of the training shows, and their names
    """

    @property
    def meaning(self) -> Mapping[str, str]: ...  # noqa: D102

    @property
    def shown(self) -> Mapping[str, str]: ...  # noqa: D102

    def refuse(self, settings: EvaluateSettings) -> None:
        """Raise InputError when a setting asks for what this kind does not have."""

    def measure(self, trained: Trained, answers: Answers, settings: EvaluateSettings) -> Judged:
        """Take all measures."""

    def baselines(self, trained: Trained, settings: EvaluateSettings) -> dict[str, Judged]:
        """Judge what the network is compared with, by name."""

    def figures(self, judged: Mapping[str, Judged]) -> dict[str, Figure]:
        """Return pictures by name; the first set is the main one."""

    def learning_curve(self, points: Sequence[Mapping[str, Any]]) -> Figure:
        """Return the scores against the number of training maps."""

    def add_sections(self, page: Page, main: Judged, images: Mapping[str, bytes]) -> None:
        """Add what the report shows between the measures and the training."""

    def limits(self, main: Mapping[str, Any]) -> str:
        """Return what the model card says of the limits."""
