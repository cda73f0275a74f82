"""A sampling campaign: its configuration, and what follows from it for all samples."""

import functools
from typing import Literal

import numpy as np
import pydantic
from numpy.typing import NDArray

from opalux.base.axes import EDGES, QUANTITIES, Edge, Quantity, along
from opalux.base.settings import Settings
from opalux.jobs.sampling.recorder import Recorder
from opalux.learning.data.card import Splits
from opalux.solver.densities.catalogue import AnyFamily
from opalux.solver.densities.family import Interval
from opalux.solver.edges import Pulse, SourceEdge
from opalux.solver.problem import Material, Problem
from opalux.solver.start import time_steps


class Place(Settings):
    """Where one source sits; the rest of its edge is held at equilibrium."""

    edge: Edge
    start: Interval = (0.0, 0.0)
    """Lower end along the edge [cm]; [low, high]: drawn anew for each density."""
    width: Interval | None = None
    """Length along the edge [cm]; left out: to the end of the edge."""


class Emission(Settings):
    """What the sources radiate: E = a T⁴ + amplitude·sin(2π·frequency·t)."""

    amplitude: float = pydantic.Field(5.0, allow_inf_nan=False)
    """[g/cm/sh²]."""
    frequency: float = pydantic.Field(500.0, allow_inf_nan=False)
    """[1/sh]."""
    T: str = "5"
    """Temperature of the source edge, a formula of t and the place [keV]."""


class Campaign(Settings):
    """Everything that a sample depends on, besides its number."""

    name: str = pydantic.Field("densities", pattern=r"^[A-Za-z0-9._-]+$")
    """Of the data set."""
    seed: int = pydantic.Field(0, ge=0, lt=2**63)
    splits: Splits
    """Numbers of samples for training, validation and test."""
    shard_size: int = pydantic.Field(32, ge=1)
    """Samples in each part, ``part-*.h5``; a killed worker loses at most this many. The key
    keeps the name that it has in existing files."""
    problem: Problem
    """What is solved; densities come from the families and sources from ``sources``."""
    refinement: int = pydantic.Field(1, ge=1, le=16)
    """Solve on a grid so many times finer than the densities, and average the signals back."""
    families: tuple[AnyFamily, ...] = pydantic.Field(min_length=1)
    sources: tuple[Place, ...] = pydantic.Field(
        tuple(Place(edge=edge) for edge in EDGES), min_length=1
    )
    """One simulation of each density for each of them."""
    emission: Emission = Emission()
    quantities: tuple[Quantity, ...] = pydantic.Field(QUANTITIES, min_length=1)
    """What is recorded; F stands for |F|."""
    n_times: int | None = pydantic.Field(64, ge=2)
    """Recorded times, evenly spaced over the run; null: every step."""
    compression: Literal["none", "lzf", "gzip"] = "none"
    """Lossless filter of the signals; it saves a tenth to a half and makes reading much slower."""

    @pydantic.model_validator(mode="after")
    def _consistent(self) -> "Campaign":
        grid = self.problem.cells
        if grid.nx != grid.ny:
            raise ValueError(
                f"problem.grid: found {grid.nx} x {grid.ny} cells, expected nx = ny, since the "
                "signals of all four edges go into one array"
            )
        labels = [family.label for family in self.families]
        twice = {label for label in labels if labels.count(label) > 1}
        if twice:
            raise ValueError(
                f"families: found '{twice.pop()}' more than once; give each a 'name' of its own"
            )
        if len(set(self.quantities)) < len(self.quantities):
            raise ValueError(f"quantities: found {list(self.quantities)}, expected each one once")
        if self.problem.material.density != Material().density:
            raise ValueError(
                "problem.material.density: the families give the density; leave it out"
            )
        for place in self.sources:
            if getattr(self.problem.edges, place.edge).kind == "periodic":
                raise ValueError(
                    f"sources: found one on '{place.edge}', which is periodic; put sources on "
                    "other edges, or leave problem.edges out"
                )
            low, high = getattr(grid, along(place.edge))
            stop = place.start[1] + (place.width[1] if place.width else 0.0)
            if place.start[0] < low or stop > high + 1e-12:
                raise ValueError(
                    f"sources: found [{place.start[0]}, {stop}] on '{place.edge}', expected a part "
                    f"of [{low}, {high}]"
                )
        self.problem_for(self.sources[0].edge, *grid.x)
        return self

    @property
    def shape(self) -> tuple[int, int]:
        """(ny, nx) of the densities."""
        grid = self.problem.cells
        return grid.ny, grid.nx

    @functools.cached_property
    def steps(self) -> NDArray[np.float64]:
        """Times before each step of a simulation (n,) [sh]."""
        low, high = self.problem.cells.x
        return time_steps(self.problem_for(self.sources[0].edge, low, high))[1]

    @functools.cached_property
    def times(self) -> NDArray[np.float64]:
        """Times of the recorded signals (n_times,) [sh]."""
        if self.n_times is None:
            return self.steps
        return np.linspace(self.steps[0], self.steps[-1], self.n_times)

    @functools.cached_property
    def recorder(self) -> Recorder:
        """What turns the signals of a simulation into what the data set keeps."""
        return Recorder(self.steps, self.times, self.quantities, self.refinement)

    @property
    def source_names(self) -> tuple[str, ...]:
        """A name for each source: its edge, numbered where an edge has several."""
        edges = [place.edge for place in self.sources]
        names = []
        for k, edge in enumerate(edges):
            names.append(f"{edge}-{edges[:k].count(edge)}" if edges.count(edge) > 1 else edge)
        return tuple(names)

    def problem_for(self, edge: str, start: float, stop: float) -> Problem:
        """Return the problem with the source on [start, stop] of ``edge``, on the fine grid."""
        pulse = Pulse(
            start=start,
            stop=stop,
            amplitude=self.emission.amplitude,
            frequency=self.emission.frequency,
        )
        source = SourceEdge(kind="source", sources=(pulse,), T=self.emission.T)
        grid = self.problem.grid
        if self.refinement > 1:
            ny, nx = self.shape
            fine = {"nx": nx * self.refinement, "ny": ny * self.refinement}
            grid = grid.model_copy(update=fine)
        edges = self.problem.edges.model_copy(update={edge: source})
        return self.problem.model_copy(update={"edges": edges, "grid": grid})

    def problems(self, sources: NDArray[np.float64]) -> list[Problem]:
        """Return the problem of each source that starts and stops at ``sources`` (n, 2) [cm]."""
        return [
            self.problem_for(place.edge, float(start), float(stop))
            for place, (start, stop) in zip(self.sources, sources, strict=True)
        ]
