"""Why a score is below that of the mean map, in words beside the number."""

from collections.abc import Iterator, Mapping
from typing import Any


def low_scores(sets: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield a sentence for each set of maps whose pooled R² is negative.

    Parameters
    ----------
    sets : measures by name of the set; "NAME, calibrated" are those of NAME after calibration
    """
    for name, measures in sets.items():
        score = measures.get("r2_pooled")
        if score is None or score >= 0:
            continue
        told = f"R² {score:.3f} of “{name}” is below 0: the mean of all maps would be nearer. "
        better = sets.get(f"{name}, calibrated", {}).get("r2_pooled")
        if better is None:
            yield told + (
                "These maps, their noise or their grid are unlike what the network was trained on."
            )
        else:
            yield told + (
                "Its signals come from another grid than the network's, and the error of the "
                "coarser grid is larger than what the density does to them. Calibrated, as "
                f"`opalux reconstruct` does, they give {better:.3f}."
            )
