"""What the rest of the solver knows of a scheme: a description, and a stepper for each order."""

import dataclasses
import enum
import importlib
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from opalux.solver.grid import Grid


class Stepper(Protocol):
    """What the kernels of a scheme offer to the time loop: steps on one block."""

    def advance(
        self,
        state: np.ndarray,
        times: np.ndarray,
        rules: np.ndarray,
        given: tuple[np.ndarray, ...],
        wraps: tuple[bool, bool],
        signals: tuple[np.ndarray, ...],
    ) -> None:
        """Take one step for each of ``times`` in place, recording the signals before each.

        Parameters
        ----------
        state : (4, ny + 2, nx + 2) E, Fx, Fy, T
        times : (n,) the time before each step [sh]
        rules : (4 edges, 4 fields) how the ghost cells are filled
        given : per edge (n, 4, cells), the prescribed values
        wraps : whether the kernels continue x and y periodically
        signals : per edge (n, 4, cells); of size 0 where the block does not lie on the edge
        """

    def fields(self, state: np.ndarray, t: float, rules: np.ndarray) -> np.ndarray:
        """Return E, Fx, Fy, T (4, ny, nx) in the centres of the cells at the state's time ``t``.

        All processes call it at once. The array may be a view of ``state``.
        """


class Feature(enum.Enum):
    """What a problem may ask for and a scheme may not know; the value says it in messages."""

    EDDINGTON = "constants.eddington other than 1"
    VOLUME_SOURCE = "a volume source"
    VARYING_CAPACITY = "a heat capacity that varies"
    WALLS = "wall edges"
    PERIODIC = "periodic edges"
    VACUUM = "vacuum edges"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Order:
    """One order of a scheme.

    Attributes
    ----------
    stepper : ``module:Class``, imported when the first run starts; the class is called with the
        problem, its domain, ρ with one layer of ghosts (ny + 2, nx + 2) [g/cm³], Δt [sh] and the
        rules of the edges (4 edges, 4 fields)
    layers : layers of ghost cells that it needs
    dtypes : kinds of numbers that it can work with
    exchanges : it exchanges ghost cells by itself; otherwise the time loop does so before each step
    keeps_edges : its stepper holds the edges, and is made again when they change
    on_faces : it keeps Fx on the right and Fy on the upper side of each cell
    implicit : there are implicit steps with the same operators in space
    """

    stepper: str
    layers: int
    dtypes: tuple[str, ...] = ("float64",)
    exchanges: bool = False
    keeps_edges: bool = False
    on_faces: bool = False
    implicit: bool = False

    def make(self, *arguments: Any) -> Stepper:
        """Import the stepper and make one; see ``stepper`` for the arguments."""
        module, _, name = self.stepper.partition(":")
        made: Stepper = getattr(importlib.import_module(module), name)(*arguments)
        return made


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scheme:
    """A scheme: what it can solve, with which steps, and how.

    Attributes
    ----------
    name : as in ``scheme: NAME``
    orders : its orders of accuracy
    time_steps : gives Δt, the time before each step (n,) and the final time [sh], from the grid,
        the CFL number, the final time [sh] and c [cm/sh]
    largest_cfl : gives the stability limit of the CFL number, from the grid and √k
    refuses : what it does not know; the first one found is named
    fills_ghost_density : ghosts continue ρ from inside the domain; otherwise a formula is evaluated
        there, too, and an array is 0 there
    """

    name: str
    orders: Mapping[int, Order]
    time_steps: Callable[[Grid, float, float, float], tuple[float, np.ndarray, float]]
    largest_cfl: Callable[[Grid, float], float]
    refuses: tuple[Feature, ...] = ()
    fills_ghost_density: bool = True
