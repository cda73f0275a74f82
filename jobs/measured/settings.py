"""What a configuration of ``opalux invert`` says: the physics, the noise and the search."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
import pydantic

from opalux.base.axes import Edge
from opalux.base.settings import Settings
from opalux.solver.edges import FreeOrFormula, Pulse, SourceEdge
from opalux.solver.media import DensitySettings
from opalux.solver.problem import Material, Problem
from opalux.solver.time_settings import IMPLICIT_KEYS, Time


class MeasuredMaterial(Material):
    """The medium, without the density, which is searched."""

    not_keys: ClassVar[frozenset[str]] = frozenset({"density"})


class MeasuredTime(Time):
    """How long and in what steps: explicit ones, of which the gradient is known."""

    not_keys: ClassVar[frozenset[str]] = IMPLICIT_KEYS

    cfl: float = pydantic.Field(0.65, gt=0)
    """Δt = cfl · min(Δx, Δy) / c; near the limit of the scheme on square cells, 0.707."""

    @pydantic.model_validator(mode="after")
    def _explicit(self) -> Self:
        if self.method != "explicit":
            raise ValueError(
                f"method: found {self.method}, expected explicit steps, of which the gradient is "
                "known; leave it out"
            )
        return self


class MeasuredProblem(Problem):
    """The problem without the density: on the grid of the map, with the edges without sources."""

    not_keys: ClassVar[frozenset[str]] = frozenset(
        {"scheme", "order", "positivity", "dtype", "signals", "precision"}
    )
    time: MeasuredTime = MeasuredTime()
    material: MeasuredMaterial = MeasuredMaterial()

    @pydantic.model_validator(mode="before")
    @classmethod
    def _for_inversion(cls, given: Any) -> Any:
        """Fill in the scheme that has the gradient; refuse another, and a density."""
        if not isinstance(given, dict):
            return given
        for key, expected in (("scheme", "staggered"), ("dtype", "float64")):
            if given.get(key, expected) != expected:
                raise ValueError(
                    f"{key}: found {given[key]}, expected {expected}, which has the gradient; "
                    "leave it out"
                )
        material = given.get("material")
        if isinstance(material, dict) and "density" in material:
            raise ValueError(
                "material.density: found one, but it is what is searched; give 'start' instead"
            )
        signals = given.get("signals")
        if isinstance(signals, dict) and signals.get("at", "edge") != "edge":
            raise ValueError(
                f"signals.at: found {signals['at']}, expected edge; leave it out: signals of "
                "cells are known by their files"
            )
        return given | {"scheme": "staggered", "signals": {"at": "edge"}}


class Source(Pulse):
    """What one source of the signals is: a pulse on an edge, held there at ``T``."""

    edge: Edge
    """The edge that it lies on."""
    T: FreeOrFormula = "5"
    """Matter temperature of the edge [keV]."""

    def on_edge(self) -> SourceEdge:
        """Return the edge while the source is on."""
        pulse = Pulse(**{name: getattr(self, name) for name in Pulse.model_fields})
        return SourceEdge(kind="source", sources=(pulse,), T=self.T)


class AbsoluteNoise(Settings):
    """The standard deviation of the noise, in the unit of the values."""

    absolute: Annotated[
        Annotated[pydantic.PositiveFloat, pydantic.Tag("number")]
        | Annotated[
            dict[Literal["E", "F", "Fn", "T"], pydantic.PositiveFloat], pydantic.Tag("quantities")
        ],
        pydantic.Discriminator(
            lambda given: "quantities" if isinstance(given, Mapping) else "number"
        ),
    ]
    """One number, or one for each quantity."""


class SearchPrior(Settings):
    """What is held likely of the map."""

    kind: Literal["tv", "h1", "gaussian", "none"] = "tv"
    """`tv`: few, sharp edges; `h1`: smooth; `gaussian`: near `mean`; `none`: nothing."""
    weight: pydantic.PositiveFloat | None = None
    """Left out: 15 of tv, 4 of h1, 1 of gaussian."""
    mean: DensitySettings | None = None
    """Of gaussian: the likely map; left out: `start`."""
    spread: DensitySettings | None = None
    """Of gaussian: its standard deviation [g/cm³]."""

    @pydantic.model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.kind == "gaussian") != (self.spread is not None):
            found = "none" if self.spread is None else f"one with kind {self.kind}"
            raise ValueError(
                f"spread: found {found}, expected one with kind gaussian and with no other"
            )
        if self.mean is not None and self.kind != "gaussian":
            raise ValueError(f"mean: found one with kind {self.kind}, expected kind gaussian")
        return self


class CouplingSettings(Settings):
    """Gains that nobody measured: what is measured is a gain times what is simulated."""

    by: Literal["source", "detector"]
    """One gain for each source, or for each detector: its edge, quantity, position and width."""
    spread: float = pydantic.Field(0.1, ge=0, le=10)
    """How far gains may be from what is known, as a standard deviation; 0: they are fixed."""
    known: Mapping[str, pydantic.PositiveFloat] = pydantic.Field(default_factory=dict)
    """Likely gains by name, `left` of a source, `up/E/0.25` of a detector; left out: 1."""
    quantities: tuple[Literal["E", "F", "Fn", "T"], ...] = pydantic.Field(
        ("E", "F", "Fn"), min_length=1
    )
    """Of the rows with a gain; others are right as they are."""


Noise = Annotated[
    Annotated[float, pydantic.Field(gt=0, lt=10), pydantic.Tag("share")]
    | Annotated[AbsoluteNoise, pydantic.Tag("absolute")],
    pydantic.Discriminator(
        lambda given: "absolute" if isinstance(given, Mapping | AbsoluteNoise) else "share"
    ),
]
START = Material(density="1.5").density


class InvertSettings(Settings):
    """A search for the density behind measured signals."""

    problem: MeasuredProblem
    sources: dict[str, Source] | None = None
    """By the names that the signals use; left out: as the signal files say."""
    noise: Noise | None = None
    """A share of each channel's standard deviation, a channel being one source, edge and quantity;
    or {absolute: ...}; rows with a sigma of their own keep it."""
    start: DensitySettings = START
    """A density [g/cm³] or a map. Low ones see through; opaque ones hide what is behind."""
    bounds: tuple[float, float] = (0.05, 12.0)
    """Smallest and largest density [g/cm³]."""
    refinement: Literal["auto"] | Annotated[int, pydantic.Field(ge=1, le=16)] = "auto"
    """Simulate on a grid so many times finer than the map; auto: until the measured grid error of
    the signals is below the noise."""
    prior: SearchPrior = SearchPrior()
    steps: int = pydantic.Field(500, ge=3, le=100_000)
    """Gradients at most."""
    coupling: CouplingSettings | None = None
    """Unknown gains of sources or detectors; left out: signals are as they are simulated."""
    modes: int = pydantic.Field(320, ge=0, le=1000)
    """Directions at most along which the data's own information is measured for the spread, one
    product with the Hessian each (0: none)."""
    samples: int = pydantic.Field(0, ge=0, le=1000)
    """Maps to draw that the data and the prior allow; asks for `modes`."""
    accept_chi2: pydantic.PositiveFloat = 2.0
    """A larger χ² ends with exit code 3: the result is written, the data are not explained."""
    most_values: int = pydantic.Field(100_000, ge=1)
    """Of files that hold whole time series (solution.h5, .sds, published CSV), all together. Of
    more, every second, third ... time alone is used, the same of all files; tables stay whole."""
    dt: pydantic.PositiveFloat | None = None
    """Time step [sh] of .sds and published CSV files, which do not keep it."""

    @pydantic.model_validator(mode="after")
    def _bounded(self) -> Self:
        low, high = self.bounds
        if not 0 < low < high:
            raise ValueError(
                f"bounds: found {list(self.bounds)}, expected [low, high] with 0 < low < high"
            )
        if self.samples and not self.modes:
            raise ValueError(
                f"samples: found {self.samples} with 'modes: 0', expected modes >= 1, along which "
                "they are drawn; give modes, or leave samples out"
            )
        return self


def map_of(density: Any, problem: Problem) -> np.ndarray:
    """Return a density on the grid of the map (ny, nx) [g/cm³]."""
    on_grid: np.ndarray = density.on(problem.cells.whole)[1:-1, 1:-1]
    return np.array(on_grid)
