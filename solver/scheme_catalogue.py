"""The table of schemes. A new scheme is a file with its kernels and an entry here.

An entry names its stepper and does not import it, because the kernels know the problem, and the
problem is checked against this table.
"""

import math
from typing import Literal

import numpy as np

from opalux.solver.grid import Grid
from opalux.solver.scheme import Feature, Order, Scheme

SchemeName = Literal["consistent", "staggered", "published"]


def even_steps(grid: Grid, cfl: float, final: float, c: float) -> tuple[float, np.ndarray, float]:
    """Divide the final time [sh] into equal steps, and end exactly there."""
    longest = cfl * min(grid.dx, grid.dy) / c
    n = max(1, math.ceil(final / longest * (1 - 1e-12)))
    return final / n, np.arange(n) * (final / n), final


def accumulated_steps(
    grid: Grid, cfl: float, final: float, c: float
) -> tuple[float, np.ndarray, float]:
    """Add up Δt = CFL·Δx/c while t <= t_f, as published; the run ends after t_f [sh]."""
    dt = cfl * grid.dx / c
    bound = int(final / dt) + 3
    accumulated = np.concatenate([[0.0], np.cumsum(np.full(bound, dt))])
    n = int(np.searchsorted(accumulated, final, side="right"))
    return dt, accumulated[:n], float(accumulated[n])


def front_cfl(grid: Grid, speed: float) -> float:
    """Return the CFL number at which √k c Δt (1/Δx + 1/Δy) = 1."""
    return 1 / (speed * min(grid.dx, grid.dy) * (1 / grid.dx + 1 / grid.dy))


def leapfrog_cfl(grid: Grid, speed: float) -> float:
    """Return the CFL number at which √k c Δt (1/Δx² + 1/Δy²)^½ = 1."""
    return 1 / (speed * min(grid.dx, grid.dy) * math.hypot(1 / grid.dx, 1 / grid.dy))


CONSISTENT = Scheme(
    name="consistent",
    orders={
        1: Order(
            stepper="opalux.solver.schemes.consistent:Stepper",
            layers=1,
            dtypes=("float64", "float32"),
        ),
        2: Order(
            stepper="opalux.solver.schemes.second_order:Stepper",
            layers=2,
            exchanges=True,
            keeps_edges=True,
        ),
    },
    time_steps=even_steps,
    largest_cfl=front_cfl,
)
STAGGERED = Scheme(
    name="staggered",
    orders={
        2: Order(
            stepper="opalux.solver.schemes.staggered:Stepper",
            layers=1,
            dtypes=("float64", "float32"),
            keeps_edges=True,
            on_faces=True,
            implicit=True,
        )
    },
    time_steps=even_steps,
    largest_cfl=leapfrog_cfl,
)
PUBLISHED = Scheme(
    name="published",
    orders={1: Order(stepper="opalux.solver.schemes.published:Stepper", layers=1)},
    time_steps=accumulated_steps,
    largest_cfl=lambda grid, speed: 1.0,
    refuses=(
        Feature.EDDINGTON,
        Feature.VOLUME_SOURCE,
        Feature.VARYING_CAPACITY,
        Feature.WALLS,
        Feature.PERIODIC,
        Feature.VACUUM,
    ),
    fills_ghost_density=False,
)

SCHEMES: dict[str, Scheme] = {scheme.name: scheme for scheme in (CONSISTENT, STAGGERED, PUBLISHED)}
