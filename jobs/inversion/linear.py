"""The linear baseline: ridge regression from standardised signals to the density.

A network is useful only where it is better than this. The penalty is chosen by leave-one-out errors
on the training split.

Signals have far more numbers (200,000 on 64×64 cells) than there are maps. The regression is
therefore done in the span of the training maps, and only their scalar products are kept.
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import RidgeCV

from opalux.learning.data.data_set import DataSet
from opalux.learning.data.resampler import Resampler
from opalux.learning.networks.reconstructor import Reconstructor

PENALTIES = np.logspace(-1, 6, 15)
"""In units of the squared standardised signals."""

MOST_MAPS = 4000
"""Training maps that are used at most; with more, the eigenvectors take too long."""

BLOCK_BYTES = 2**27
"""Size of the signals in one block; two blocks are in memory at a time."""


@dataclasses.dataclass(frozen=True)
class _Scaled:
    """The standardised signals of some samples, as rows."""

    data: DataSet
    positions: NDArray[np.int64]
    resampler: Resampler
    mean: NDArray[np.float32]
    std: NDArray[np.float32]

    def blocks(self) -> list[slice]:
        size = int(np.prod(self.data.card.signals_shape[:3])) * len(self.resampler.times)
        at_once = max(1, BLOCK_BYTES // (4 * size * self.data.card.n_cells))
        count = len(self.positions)
        return [slice(start, min(start + at_once, count)) for start in range(0, count, at_once)]

    def rows(self, block: slice) -> NDArray[np.float32]:
        chosen = (self.resampler(self.data.signals(int(p))) for p in self.positions[block])
        return np.stack([((signals - self.mean) / self.std).ravel() for signals in chosen])

    def products(self, other: "_Scaled") -> NDArray[np.float64]:
        """Return the scalar products of all rows with all of ``other``."""
        out = np.empty((len(self.positions), len(other.positions)))
        for block in self.blocks():
            rows = self.rows(block)
            for across in other.blocks():
                if other is self and across.start < block.start:  # symmetric
                    out[block, across] = out[across, block].T
                else:
                    out[block, across] = rows @ other.rows(across).T
        return out


@dataclasses.dataclass(frozen=True)
class Linear:
    """A fitted baseline.

    Attributes
    ----------
    regression : of flattened maps on the signals' coordinates in the span of the training maps'
    seen : the training maps' signals
    span : (n, k) takes products with them to those coordinates
    """

    regression: RidgeCV
    seen: _Scaled
    span: NDArray[np.float64]

    def reconstruct(self, data: DataSet, positions: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return reconstructions (n, ny, nx) [g/cm³]."""
        resampler = Resampler(data.times, self.seen.resampler.times)
        new = dataclasses.replace(self.seen, data=data, positions=positions, resampler=resampler)
        maps = self.regression.predict(new.products(self.seen) @ self.span)
        return maps.astype(np.float32).reshape(len(positions), *data.card.shape)


def fit(
    model: Reconstructor, data: DataSet, positions: NDArray[np.int64], times: NDArray[np.float64]
) -> Linear:
    """Fit the baseline to the samples at ``positions``, standardised as for ``model``.

    Of more than `MOST_MAPS` samples the first ones are taken.
    """
    seen = _Scaled(
        data,
        positions[:MOST_MAPS],
        Resampler(data.times, times),
        model.centre.cpu().numpy(),
        model.spread.cpu().numpy(),
    )
    products = seen.products(seen)
    squares, vectors = np.linalg.eigh(products)
    kept = squares > 1e-9 * squares[-1]
    lengths = np.sqrt(squares[kept])
    maps = np.stack([data.density(int(position)).ravel() for position in seen.positions])
    regression = RidgeCV(PENALTIES).fit(vectors[:, kept] * lengths, maps)
    return Linear(regression, seen, vectors[:, kept] / lengths)
