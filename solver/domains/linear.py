"""What the back ends that solve linear systems of five points have in common.

A back end owns the arrays that kernels fill, and solves the system that they hold.
"""

import dataclasses
from typing import Protocol

import numpy as np

SOUTH, WEST, CENTRE, EAST, NORTH = range(5)
"""The columns of a row of the matrix, in the order of their cells."""


@dataclasses.dataclass(frozen=True)
class Solved:
    """How a linear solve went: its iterations, and why it failed, in words; none: it did not."""

    iterations: int
    failure: str = ""


class LinearSolver(Protocol):
    """A back end on one process's share of the grid.

    Attributes
    ----------
    matrix : (ny, nx, 5) rows of the matrix: what multiplies the cell south, west, itself, east and
        north; what would multiply a cell outside the domain is 0
    right, found : (ny, nx) the right-hand side, and the solution
    name : method and preconditioner, for reports
    """

    matrix: np.ndarray
    right: np.ndarray
    found: np.ndarray
    name: str

    def solve(self, tolerance: float) -> Solved:
        """Fill ``found`` until the residual is ``tolerance`` of the right-hand side or less.

        ``matrix`` may be overwritten: each system fills it anew.
        """
