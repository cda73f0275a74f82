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

PAIRS = 50  # of steps and gradients that are remembered
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
    start: Array,
    bounds: tuple[float, float],
    metric: Callable[[Array], Array],
    *,
    renew: int,
    flat: float,
) -> Array:
    """Return where the objective is low; it may end the search by an exception.

    Parameters
    ----------
    objective : its value and gradient (n,)
    start : (n,) within the bounds
    bounds : of every entry
    metric : returns the estimated curvature (n,) > 0 of the objective at a point
    renew : steps after which the metric is asked for anew
    flat : relative decrease in each of two steps on end that ends the search
    """
    low, high = bounds
    at = Point(start, *objective(start))
    pairs: list[tuple[Array, Array]] = []
    curvature, steps, idle = metric(at.z), 0, 0
    while idle < 2:
        if steps and steps % renew == 0:
            curvature = metric(at.z)
        held = ((at.z <= low) & (at.gradient > 0)) | ((at.z >= high) & (at.gradient < 0))
        slope = np.where(held, 0.0, at.gradient)
        direction = np.where(held, 0.0, -_two_loops(slope, pairs, curvature))
        if not direction @ slope < 0:
            pairs.clear()
            direction = -slope / curvature
        found = _search_line(objective, at, direction, bounds)
        steps += 1
        if found is None:
            if not pairs:
                return at.z
            pairs.clear()
            curvature = metric(at.z)
            continue
        idle = idle + 1 if at.value - found.value <= flat * abs(at.value) else 0
        step, change = found.z - at.z, found.gradient - at.gradient
        if step @ change > CURVED * np.linalg.norm(step) * np.linalg.norm(change):
            pairs.append((step, change))
            del pairs[:-PAIRS]
        at = found
    return at.z


def _two_loops(slope: Array, pairs: list[tuple[Array, Array]], curvature: Array) -> Array:
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
