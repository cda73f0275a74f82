"""What a data set must be before it is learned from: as it was written, and without leaks."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from opalux.base.errors import InputError
from opalux.learning.data.card import SPLITS
from opalux.learning.data.data_set import DataSet
from opalux.learning.data.densities import Densities, checksum
from opalux.learning.data.finish import training_stats
from opalux.learning.data.part import GOOD, sample_checksum
from opalux.learning.data.stats import NAME as STATS_NAME

REMEDY = "check the set with `opalux dataset check` and make it again"


def first_damaged(data: DataSet, positions: Iterable[int]) -> int | None:
    """Return the first of the samples that does not fit its checksum; None: all do."""
    kept = data.index("checksum")
    for position in positions:
        arrays = [data.density(int(position)), data.signals(int(position))]
        if data.card.detectors:
            arrays.append(data.detectors(int(position)))
        found = sample_checksum(*arrays)
        if found != int(kept[position]):
            return int(position)
    return None


def refuse_damaged(data: DataSet, position: int | None) -> None:
    """Raise InputError for what `first_damaged` found."""
    if position is not None:
        raise InputError(
            f"{data.folder}: sample {position} does not fit its checksum, so it is damaged; "
            + REMEDY
        )


def refuse_leaks(data: DataSet) -> None:
    """Refuse a data set with a density in two splits: it would be judged on what it has seen.

    Only densities of equal range, which the parts keep, are read and compared.

    Raises
    ------
    InputError
        Names the samples of the first such density.
    """
    good = np.flatnonzero(data.status == GOOD)
    ends = [data.card.splits.bounds(name)[1] for name in SPLITS]
    split = np.searchsorted(ends, good, side="right")
    _, group = np.unique(data.index("density_range")[good], axis=0, return_inverse=True)
    group = group.reshape(-1)
    lowest, highest = np.full(len(good), len(SPLITS)), np.full(len(good), -1)
    np.minimum.at(lowest, group, split)
    np.maximum.at(highest, group, split)
    densities = Densities(data.card)
    for position in good[lowest[group] != highest[group]]:
        densities.note(int(position), data.density(int(position)))
    found = list(densities.problems())
    if found:
        more = f" (and {len(found) - 1} more densities)" if len(found) > 1 else ""
        raise InputError(f"{data.folder}: {found[0]}{more}")


def refuse_other_statistics(data: DataSet) -> None:
    """Refuse statistics that are not those of the training split: signals are standardised by them.

    Raises
    ------
    InputError
        When ``stats.json`` does not fit the moments in the parts.
    """
    kept, found = vars(data.stats), vars(training_stats(data))
    for name, value in found.items():
        # Other processors sum in another order. NaN in the samples is found where it is read.
        scale = np.max(np.abs(value))
        if np.isfinite(scale) and not np.allclose(kept[name], value, rtol=1e-9, atol=1e-9 * scale):
            raise InputError(
                f"{data.folder / STATS_NAME}: {name} does not fit the training split; start the "
                "line that made the data set again"
            )


def seen_before(
    data: DataSet,
    positions: NDArray[np.int64],
    other: DataSet,
    seen: NDArray[np.int64] | Sequence[int],
) -> tuple[int, int] | None:
    """Return the first sample whose density is one of another data set's, and that one.

    Parameters
    ----------
    data, positions : the samples that are looked for
    other, seen : samples of another data set
    """
    if data.card.shape != other.card.shape:
        return None
    sought = {tuple(pair) for pair in data.index("density_range")[positions]}
    ranges = other.index("density_range")
    known = {checksum(other.density(int(p))): int(p) for p in seen if tuple(ranges[p]) in sought}
    if not known:
        return None
    for position in positions:
        found = known.get(checksum(data.density(int(position))))
        if found is not None:
            return int(position), found
    return None
