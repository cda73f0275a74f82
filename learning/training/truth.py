"""What a data set knows of one sample, read when an objective asks for it."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opalux.learning.data.data_set import DataSet


@dataclasses.dataclass(frozen=True)
class StoredTruth:
    """A `opalux.learning.networks.objectives.objective.Truth` in a data set.

    Most objectives need only a part of it, and reading the rest would slow training down.

    Attributes
    ----------
    data : the data set
    position : of the sample
    """

    data: DataSet
    position: int

    @property
    def origin(self) -> str:
        """See `Truth`."""
        return f"{self.data.folder}: sample {self.position}"

    @property
    def density(self) -> NDArray[np.float32]:
        """See `Truth`."""
        return self.data.density(self.position)

    @property
    def sources(self) -> NDArray[np.float64]:
        """See `Truth`."""
        return self.data.sources(self.position)

    @property
    def family(self) -> str:
        """See `Truth`."""
        return self.data.family(self.position)

    @property
    def drawn(self) -> Mapping[str, Any]:
        """See `Truth`."""
        return self.data.drawn(self.position)
