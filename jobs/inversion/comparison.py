"""A network beside other ways to the same maps: what a comparison is, for whoever makes one."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from opalux.jobs.inversion import metrics
from opalux.jobs.inversion.settings import EvaluateSettings, JudgedMaps
from opalux.jobs.inversion.trained import Trained

Array = NDArray[np.float64]

KEPT = "comparison-*.bin"
"""Files of what was found so far; they may go when all is written."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Way:
    """What one way gave for some maps.

    Attributes
    ----------
    maps : (n, ny, nx) [g/cm³]
    chi2 : (n,) mean squared residual of their signals, in standard deviations of the noise
    seconds : (n,) of CPU
    """

    maps: Array
    chi2: Array
    seconds: Array


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Compared:
    """Several ways on the same maps.

    Attributes
    ----------
    truth : (n, ny, nx) [g/cm³]
    families : labels of the maps
    ways : by name; the network is the first
    note : on the signals, in words
    """

    truth: Array
    families: Sequence[str]
    ways: Mapping[str, Way]
    note: str

    def numbers(self) -> dict[str, Any]:
        """Return what metrics.json keeps."""
        _, first = next(iter(self.ways.items()))
        base = metrics.rel_l2_each(self.truth, first.maps)
        rows = {}
        for name, way in self.ways.items():
            each = metrics.rel_l2_each(self.truth, way.maps)
            rows[name] = {
                "r2_pooled": metrics.r2_pooled(self.truth, way.maps),
                "r2_median": float(np.nanmedian(metrics.r2_each(self.truth, way.maps))),
                "rel_l2": float(each.mean()),
                "rel_l2_to_network": float(np.median(each / base)),
                "chi2": float(np.median(way.chi2)),
                "seconds": float(way.seconds.mean()),
                "rel_l2_each": each.tolist(),
                "chi2_each": way.chi2.tolist(),
                "rms_error_by_depth": metrics.error_by_depth(self.truth, way.maps).tolist(),
            }
        return {
            "n_maps": len(self.truth),
            "families": list(self.families),
            "note": self.note,
            "ways": rows,
        }


class Compare(Protocol):
    """Finds maps in other ways than by the network alone."""

    def refuse(self, ensemble: Sequence[Trained], settings: EvaluateSettings) -> None:
        """Raise InputError when that cannot be done; before any work."""

    def compare(
        self,
        ensemble: Sequence[Trained],
        name: str,
        maps: JudgedMaps,
        settings: EvaluateSettings,
        out: Path,
    ) -> Compared | None:
        """Return the comparison on a set of maps; None where it has no noise.

        What is found is kept in ``out``, in `KEPT`, so that it is not found again after a kill.
        """
