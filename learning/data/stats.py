"""Statistics of the training split, computed from the moments of each sample."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opalux.base.errors import InputError

NAME = "stats.json"

Array = NDArray[np.float64]


def moments(values: NDArray[Any], axes: int) -> Array:
    """Return mean and sum of squared deviations over the last ``axes`` axes, stacked last."""
    kept = values.shape[: values.ndim - axes]
    flat = values.reshape(*kept, -1).astype(np.float64)
    mean = flat.mean(axis=-1)
    flat -= mean[..., None]
    return np.stack([mean, np.einsum("...i,...i->...", flat, flat)], axis=-1)


def combine(groups: Array, count: int | NDArray[np.int64]) -> tuple[Array, Array]:
    """Combine moments of groups of equal size (Chan, Golub and LeVeque, 1983).

    Parameters
    ----------
    groups : (n, ..., 2) moments as `moments` returns them, one row for each group
    count : how many numbers each group has; an array that broadcasts to (...)

    Returns
    -------
    Mean and standard deviation over all groups, each of shape (...).
    """
    means, squares = groups[..., 0], groups[..., 1]
    mean = means.mean(axis=0)
    squares_total = squares.sum(axis=0) + count * ((means - mean) ** 2).sum(axis=0)
    return mean, np.sqrt(squares_total / (count * len(groups)))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Stats:
    """Statistics over the training split.

    Attributes
    ----------
    signal_mean, signal_std : (sources, edges, quantities) [unit of the quantity]
    density_min, density_max, density_mean, density_std : [g/cm³]
    n_samples : number of samples that they were computed from
    """

    signal_mean: Array
    signal_std: Array
    density_min: float
    density_max: float
    density_mean: float
    density_std: float
    n_samples: int

    def to_json(self) -> str:
        """Return the text of ``stats.json``."""
        content = {
            "split": "train",
            "n_samples": self.n_samples,
            "axes": "signal statistics are [source][edge][quantity]",
            "density": {
                "min": self.density_min,
                "max": self.density_max,
                "mean": self.density_mean,
                "std": self.density_std,
            },
            "signals": {"mean": self.signal_mean.tolist(), "std": self.signal_std.tolist()},
        }
        return json.dumps(content, indent=1, allow_nan=False) + "\n"


def read_stats(folder: Path) -> Stats:
    """Read ``stats.json`` in ``folder``.

    Raises
    ------
    InputError
        When it is missing (the campaign has not finished) or unreadable.
    """
    path = folder / NAME
    try:
        content = json.loads(path.read_text())
        density, signals = content["density"], content["signals"]
        stats = Stats(
            signal_mean=np.array(signals["mean"], dtype=np.float64),
            signal_std=np.array(signals["std"], dtype=np.float64),
            density_min=float(density["min"]),
            density_max=float(density["max"]),
            density_mean=float(density["mean"]),
            density_std=float(density["std"]),
            n_samples=int(content["n_samples"]),
        )
        for field, value in vars(stats).items():
            if not np.isfinite(value).all():
                raise ValueError(f"{field} is not finite")
        return stats
    except FileNotFoundError:
        raise InputError(
            f"{folder}: found no {NAME}; the data set is unfinished: start the line that "
            "made it again"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise InputError(f"{path}: not the statistics of a data set ({error!r})") from None
