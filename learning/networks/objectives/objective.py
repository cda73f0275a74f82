"""What a network is trained to give: its target, its loss, and how good its answers are.

Each objective has a file of its own (`whole_map`, `niche`) and says here all that the rest of the
program needs: training, judging, reports and `opalux status` know no objective by name.

Scores are made of sums over samples, so that several processes add theirs up and get the same.
"""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from opalux.learning.data.layout import Layout
from opalux.learning.data.stats import Stats

Array = NDArray[np.float32]


class Truth(Protocol):
    """What is known of one sample besides its signals.

    Whoever reads the data fills it in; an objective takes what it needs.

    Attributes
    ----------
    origin : where the sample comes from, for messages
    density : (ny, nx) [g/cm³], row 0 = bottom
    sources : (sources, 2) where each source starts and stops along its edge [cm]
    family : label of the family that the density was drawn from
    drawn : numbers that were drawn for it
    """

    @property
    def origin(self) -> str: ...  # noqa: D102

    @property
    def density(self) -> Array: ...  # noqa: D102

    @property
    def sources(self) -> NDArray[np.float64]: ...  # noqa: D102

    @property
    def family(self) -> str: ...  # noqa: D102

    @property
    def drawn(self) -> Mapping[str, Any]: ...  # noqa: D102


class Objective(Protocol):
    """What a network is trained to give.

    Attributes
    ----------
    answer : what that is, in words and with units
    is_map : whether it is a map on the grid, which turns and is reflected with the square
    leading : name of the score by which the best network is chosen; larger is better
    meaning : what each score is, by its name, in the order of reports
    published : published figures to compare with: by the name of a score, here or of a related
        objective, what was measured and its value
    """

    answer: ClassVar[str]
    is_map: ClassVar[bool]
    leading: ClassVar[str]
    meaning: ClassVar[Mapping[str, str]]
    published: ClassVar[Mapping[str, tuple[str, str]]]

    def scale_shape(self, layout: Layout) -> tuple[int, ...]:
        """Return the shape of offset and unit."""

    def target(self, truth: Truth) -> Array:
        """Return what the network is to give for one sample, in physical units."""

    def scale(self, truths: Iterable[Truth], stats: Stats, layout: Layout) -> tuple[Array, Array]:
        """Return offset and unit such that the network gives (target − offset) / unit.

        Parameters
        ----------
        truths : the training samples
        stats : statistics of the training split
        layout : of the data
        """

    def loss(self, given: torch.Tensor, scaled_target: torch.Tensor) -> torch.Tensor:
        """Return the loss of a batch of network outputs."""

    def sums(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return sums (k,) float64 over a batch, in physical units."""

    def scores(self, sums: NDArray[np.float64]) -> dict[str, float]:
        """Return the scores out of the sums over all samples, by the names in ``meaning``."""
