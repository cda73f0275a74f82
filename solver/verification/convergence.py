"""How far a computed field is from the exact one, and how fast that falls with the mesh."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from opalux.base.axes import EDGES

PERIODIC = {name: {"kind": "periodic"} for name in EDGES}
WALLS = {name: {"kind": "wall"} for name in EDGES}


def fitted_order(cells: Sequence[int], errors: Sequence[float]) -> float:
    """Return the order p of errors ~ h^p by least squares, for ``cells`` per length."""
    slope = np.polyfit(np.log(1 / np.array(cells, dtype=float)), np.log(errors), 1)[0]
    return float(slope)


def relative_l2(found: np.ndarray, exact: np.ndarray) -> float:
    """Return ‖found − exact‖₂ / ‖exact‖₂."""
    return float(np.sqrt(((found - exact) ** 2).mean() / (exact**2).mean()))


def centres(n: int, extent: float = 1.0) -> np.ndarray:
    """Return the centres of ``n`` cells on [0, extent]."""
    return (np.arange(n) + 0.5) * extent / n


def row(n: int, start: float = 0.0, stop: float = 1.0) -> dict[str, Any]:
    """Return ``grid`` of one row of cells, so tall that its height does not limit the time step."""
    return {"nx": n, "ny": 1, "x": (start, stop), "y": (0.0, 1000.0)}
