"""L-BFGS within bounds, with a metric that the caller knows and steps that are not too long.

Signals feel a cell at the edge a hundred times more than one in the middle, so that plain steepest
steps overshoot there and stall here. A diagonal metric makes all cells alike, and L-BFGS learns the
rest. It begins each step from the metric, scaled, so that a new one keeps what was learnt. Cells
that would leave the bounds are held at them (gradient projection).

Sources: J. Nocedal, Math. Comp. 35 (1980) 773; S. J. Benson, J. J. Moré, A limited memory variable
metric method in subspaces and bound constrained optimization problems, Argonne ANL/MCS-P909-0901
(2001), which PETSc calls BLMVM.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Objective = Callable[[Array], tuple[float, Array]]
Pairs = list[tuple[Array, Array]]
"""Steps with the changes of the gradient along them, the latest last."""

PAIRS = 50  # that are remembered
PAIRS_MEMORY = 2**28  # bytes that they may take; on large maps they are fewer
FEWEST_PAIRS = 5
LONGEST = 1.0  # change of an entry in one step
ENOUGH = 1e-4  # share of the linear decrease that a step has to bring (Armijo)
SHORTER = (0.1, 0.5)  # how much shorter the next trial is
TRIALS = 12  # of one line search
CURVED = 1e-10  # cosine between step and change of gradient below which a pair is no pair


@dataclasses.dataclass
class Point:
    """A point, with the value and the gradient of the objective there."""

    z: Array
    value: float
    gradient: Array


def descend(
    objective: Objective,
    at: Point,
    bounds: tuple[float, float],
    curvature: Array,
    pairs: Pairs,
    steps: int,
) -> Point:
    """Return a point that is lower by some steps; ``at`` itself where there is none.

    Parameters
    ----------
    objective : its value and gradient (n,); it may end the search by an exception
    at : where to begin, within the bounds
    bounds : of every entry
    curvature : (n,) > 0, that of the objective, estimated
    pairs : what was learnt of the objective before; changed
    steps : at most
    """
    low, high = bounds
    room = int(np.clip(PAIRS_MEMORY // (2 * at.z.nbytes), FEWEST_PAIRS, PAIRS))
    for _ in range(steps):
        held = ((at.z <= low) & (at.gradient > 0)) | ((at.z >= high) & (at.gradient < 0))
        slope = np.where(held, 0.0, at.gradient)
        direction = np.where(held, 0.0, -_two_loops(slope, pairs, curvature))
        if not direction @ slope < 0:
            pairs.clear()
            direction = -slope / curvature
        found = _search_line(objective, at, direction, bounds)
        if found is None:
            if not pairs:
                return at
            pairs.clear()
            continue
        step, change = found.z - at.z, found.gradient - at.gradient
        if step @ change > CURVED * np.linalg.norm(step) * np.linalg.norm(change):
            pairs.append((step, change))
            del pairs[:-room]
        at = found
    return at


def _two_loops(slope: Array, pairs: Pairs, curvature: Array) -> Array:
    """Return the inverse Hessian of the pairs times the slope."""
    q, shares = slope.copy(), list[float]()
    for step, change in reversed(pairs):
        share = float(step @ q) / float(step @ change)
        shares.append(share)
        q -= share * change
    q /= curvature
    if pairs:
        step, change = pairs[-1]
        q *= float(step @ change) / float(change @ (change / curvature))
    for (step, change), share in zip(pairs, reversed(shares), strict=True):
        q += (share - float(change @ q) / float(step @ change)) * step
    return q


def _search_line(
    objective: Objective, at: Point, direction: Array, bounds: tuple[float, float]
) -> Point | None:
    """Return a point on the way that is low enough; None where there is none."""
    longest = float(np.abs(direction).max(initial=0.0))
    if longest == 0.0:
        return None
    share = min(1.0, LONGEST / longest)
    for _ in range(TRIALS):
        z = np.clip(at.z + share * direction, *bounds)
        tried = Point(z, *objective(z))
        linear = float(at.gradient @ (z - at.z))
        if tried.value <= at.value + ENOUGH * linear:
            return tried
        # the lowest point of the parabola through both values and the slope
        bend = 2 * (tried.value - at.value - linear)
        share *= float(np.clip(-linear / bend if bend > 0 else 0.0, *SHORTER))
    return None
