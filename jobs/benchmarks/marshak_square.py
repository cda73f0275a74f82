"""The Marshak wave on a square, which the benchmarks of implicit steps run."""

from opalux.solver.problem import Problem
from opalux.solver.verification.marshak import LENGTH, MarshakWave

TOLERANCE = 1e-2  # with it mean T and front are right to 0.1 %


def marshak(n: int, **settings: object) -> Problem:
    """Return the Marshak wave on ``n`` x ``n`` cells."""
    square = {"nx": n, "ny": n, "x": (0, LENGTH), "y": (0, LENGTH)}
    return MarshakWave().problem(n, scheme="staggered", grid=square, **settings)
