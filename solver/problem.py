"""The physical problem: one frozen, checked description, the input of every simulation.

Units: lengths cm, times sh (1e-8 s), masses g, temperatures keV; E and |F| in g/cm/sh².
"""

import math
from typing import Annotated, Any, Literal, Self, get_args

import pydantic

from opalux.base.axes import EDGES, At, along
from opalux.base.errors import InputError
from opalux.base.settings import Settings
from opalux.solver.detectors import Detector
from opalux.solver.edges import Edges
from opalux.solver.formulas.formula import Formula, formula_of
from opalux.solver.grid import Grid
from opalux.solver.media import ArrayDensity, DensitySettings, FormulaDensity, ValuesDensity
from opalux.solver.scheme import Feature, Order, Scheme
from opalux.solver.scheme_catalogue import SCHEMES, SchemeName
from opalux.solver.time_settings import Time

SpaceFormula = Annotated[str, formula_of("x", "y", "t_0")]
MaterialFormula = Annotated[str, formula_of("rho", "T")]

MAX_SIDE = 2**31 - 1  # cells along an axis, so that they can be counted in 32 bits
SMALLEST_CELL = 1e-100  # [cm], so that no product below underflows
SHORTEST_RUN, LONGEST_RUN = 1e-5, 1e12  # implicit runs, in units of what light needs for a cell
MAX_STEPS = 10**8  # more steps are surely a mistake: the times alone would fill the memory

assert get_args(SchemeName) == tuple(SCHEMES)


class GridSettings(Settings):
    """Cells and extent; missing values follow from the density's shape and square cells."""

    nx: int | None = pydantic.Field(None, gt=0, le=MAX_SIDE)
    ny: int | None = pydantic.Field(None, gt=0, le=MAX_SIDE)
    """Cells along x and y; may be left out when the density is an array."""
    x: tuple[float, float] = (0.0, 1.0)
    """Extent along x [cm]."""
    y: tuple[float, float] | None = None
    """Extent along y [cm]; left out: from 0 on, with square cells."""

    @pydantic.model_validator(mode="after")
    def _extents(self) -> Self:
        for name, extent in (("x", self.x), ("y", self.y)):
            if extent is not None and not 0 < extent[1] - extent[0] < math.inf:
                raise ValueError(
                    f"{name}: found {list(extent)}, expected [from, to] with from < to"
                )
        return self


class Constants(Settings):
    """Physical constants."""

    c: float = pydantic.Field(299.0, gt=0)
    """Speed of light [cm/sh]."""
    a: float = pydantic.Field(0.01372, gt=0)
    """Radiation constant [g/cm/sh²/keV⁴]."""
    eddington: float = pydantic.Field(1.0, gt=0, le=1)
    """k in ∂t F + k c ∇E = −c σ_c F: 1 as published, 1/3 for the textbook P1."""


class Material(Settings):
    """The medium."""

    density: DensitySettings = FormulaDensity(formula="1")
    """Density ρ [g/cm³]: a number, a formula of x and y, a file, or an array (ny, nx)."""
    sigma_a: MaterialFormula = "rho*T"
    """Absorption opacity σ_a(rho, T) [1/cm]."""
    sigma_c: MaterialFormula = "rho*T"
    """Total opacity σ_c(rho, T) [1/cm]: absorption and scattering. F relaxes with it."""
    sigma_s: MaterialFormula | None = None
    """Scattering opacity σ_s(rho, T) [1/cm], in the place of σ_c, which is then σ_a + σ_s."""
    heat_capacity: MaterialFormula = "0.14361"
    """Specific heat C_v(rho, T) [Jerk/g/keV]."""

    @pydantic.model_validator(mode="before")
    @classmethod
    def _total_opacity(cls, given: Any) -> Any:
        """Fill in σ_c where σ_s is given."""
        if not isinstance(given, dict) or given.get("sigma_s") is None:
            return given
        total = f"({given.get('sigma_a', 'rho*T')}) + ({given['sigma_s']})"
        if given.get("sigma_c", total) != total:
            raise ValueError(
                f"found sigma_c: {given['sigma_c']} and sigma_s: {given['sigma_s']}, expected one "
                "of them; give the total opacity as sigma_c, or scattering alone as sigma_s"
            )
        return given | {"sigma_c": total}


class Initial(Settings):
    """The state at t = 0, as formulas of x, y [cm] and t_0 [sh]."""

    E: SpaceFormula = "0.01372*5^4"
    """Radiation energy [g/cm/sh²]."""
    Fx: SpaceFormula = "0"
    Fy: SpaceFormula = "0"
    """Flux components [g/cm/sh²]."""
    T: SpaceFormula = "5"
    """Matter temperature [keV]."""


class SignalSettings(Settings):
    """Where the signals are recorded."""

    at: At = "cell"
    """`cell`: in the cells along the edges, as published; `edge`: on the edge itself, to which E, T
    and the tangential flux are extrapolated from two cells."""


class Problem(Settings):
    """A complete problem: grid, time, medium, sources, edges, and the scheme that solves it.

    Raises
    ------
    pydantic.ValidationError, InputError
        When it cannot be solved as described.
    """

    scheme: SchemeName = "consistent"
    """`staggered` is for signals and inversion, `consistent` for fronts and where E must stay
    positive; `published` reproduces the original program."""
    order: Literal[1, 2] = 1
    """Order of `consistent` in space and time; `staggered` is of order 2."""
    positivity: Literal["keep", "off"] = "keep"
    """`keep` bounds the fluxes of order 2 so that E >= 0. P1 itself may be negative behind a pulse
    in two dimensions: there, `off` is of second order and `keep` is not."""
    dtype: Literal["float64", "float32"] = "float64"
    """Numbers that the cells hold; float32, not at order 2 of `consistent`, halves the memory."""
    grid: GridSettings = GridSettings()
    time: Time = Time()
    constants: Constants = Constants()
    material: Material = Material()
    source: Annotated[str, formula_of("x", "y", "t")] = "0"
    """Volume source S(x, y, t) [g/cm/sh³]."""
    initial: Initial = Initial()
    edges: Edges = Edges()
    signals: SignalSettings = SignalSettings()
    detectors: tuple[Detector, ...] = ()
    """Points and small areas that are read before each step, besides the edges."""
    precision: float = pydantic.Field(1e-6, gt=0)
    """Tolerance of the fixed point of `published` [g/cm/sh²]; `consistent` does not use it."""

    @pydantic.model_validator(mode="before")
    @classmethod
    def _own_order(cls, given: Any) -> Any:
        """Fill in the order of a scheme that has one."""
        if isinstance(given, dict) and "order" not in given:
            scheme = SCHEMES.get(str(given.get("scheme")))  # which may be no name at all
            if scheme is not None and len(scheme.orders) == 1:
                return given | {"order": next(iter(scheme.orders))}
        return given

    @property
    def method(self) -> Scheme:
        """The scheme, from the table of schemes."""
        return SCHEMES[self.scheme]

    @property
    def variant(self) -> Order:
        """The scheme at the order that is asked for."""
        return self.method.orders[self.order]

    @property
    def cells(self) -> Grid:
        """The grid, with all missing values filled in."""
        config = self.grid
        ny, nx = config.ny, config.nx
        if isinstance(self.material.density, ArrayDensity | ValuesDensity):
            shape = self.material.density.shape
            for given, found, name in ((ny, shape[0], "ny"), (nx, shape[1], "nx")):
                if given is not None and given != found:
                    raise InputError(
                        f"grid.{name}: found {given}, but the density has shape {shape}; "
                        f"leave {name} out or make them equal"
                    )
            ny, nx = shape
        if nx is None:
            raise InputError("grid.nx: missing; give the number of cells along x")
        width = config.x[1] - config.x[0]
        if ny is None:
            rows = nx if config.y is None else nx * (config.y[1] - config.y[0]) / width
            if rows > MAX_SIDE:
                raise InputError(f"grid.y: square cells would be {rows:.3g} along y; give grid.ny")
            ny = max(1, int(rows))
        y = config.y or (0.0, ny * width / nx)
        return Grid(nx=nx, ny=ny, x=config.x, y=y)

    @property
    def wave_speed(self) -> float:
        """√k: the speed of radiation fronts in units of c."""
        return math.sqrt(self.constants.eddington)

    @property
    def heat_capacity(self) -> float | None:
        """C_v [Jerk/g/keV] where it is constant, else None."""
        return Formula(self.material.heat_capacity, ("rho", "T")).constant

    @pydantic.model_validator(mode="after")
    def _solvable(self) -> Self:
        grid = self.cells
        h = min(grid.dx, grid.dy)
        if h < SMALLEST_CELL:
            raise ValueError(f"grid: found cells of {grid.dx} x {grid.dy} cm; make them larger")
        self._known_to_the_scheme()
        self._steps_possible()
        capacity = self.heat_capacity
        if capacity is not None and not (capacity > 0 and math.isfinite(capacity)):
            raise ValueError(
                f"material.heat_capacity: found {self.material.heat_capacity}, expected > 0"
            )
        for name in EDGES:
            edge = getattr(self.edges, name)
            low, high = getattr(grid, along(name))
            for pulse in getattr(edge, "sources", ()):
                slack = 1e-6 * (high - low)
                start = low if pulse.start is None else pulse.start
                stop = high if pulse.stop is None else pulse.stop
                if start < low - slack or stop > high + slack:
                    raise ValueError(
                        f"edges.{name}: found a source on [{start}, {stop}], expected a part of "
                        f"[{low}, {high}]"
                    )
        for number, detector in enumerate(self.detectors):
            if said := detector.outside(grid):
                raise ValueError(f"detectors.{number}: {said}; move it into the domain")
        return self

    def _steps_possible(self) -> None:
        """Refuse steps that are unstable or too many, and implicit ones of explicit schemes."""
        grid, time = self.cells, self.time
        step = time.cfl * min(grid.dx, grid.dy) / self.constants.c
        if time.method != "explicit":
            if not self.variant.implicit or self.dtype != "float64":
                raise ValueError(
                    f"time.method: found '{time.method}' with scheme {self.scheme} in "
                    f"{self.dtype}, expected 'scheme: staggered' in float64; give these, or "
                    "'method: explicit'"
                )
            light = min(grid.dx, grid.dy) / self.constants.c
            shortest, longest = light * SHORTEST_RUN, light * LONGEST_RUN
            if time.method == "implicit" and not shortest <= time.final <= longest:
                raise ValueError(
                    f"time.final: found {time.final:.3g} sh, expected {shortest:.3g} to "
                    f"{longest:.3g} sh on this grid, {SHORTEST_RUN:g} to {LONGEST_RUN:g} times "
                    "what light needs for a cell; 'method: steady' gives what is left in the end"
                )
            if not time.adaptive and time.final / (time.step or step) > MAX_STEPS:
                raise ValueError(
                    f"time.step: found {time.step or step:.3g} sh, which is more than "
                    f"{MAX_STEPS:.0e} steps; raise it, or leave 'adaptive: false' out"
                )
            return
        limit = self.method.largest_cfl(grid, self.wave_speed)
        if time.cfl > limit * (1 + 1e-12):
            raise ValueError(
                f"time.cfl: found {time.cfl}, expected at most {limit:.6g} on this grid "
                "(stability); lower it"
            )
        if step == 0 or time.final / step > MAX_STEPS:
            raise ValueError(
                f"time.final: found {time.final}, which is more than {MAX_STEPS:.0e} steps of "
                f"cfl·h/c = {step:.3g} sh; take 'scheme: staggered' with 'time: {{method: "
                "implicit}', whose steps have no such limit, or lower it, raise time.cfl or "
                "coarsen the grid"
            )

    @property
    def features(self) -> set[Feature]:
        """What this problem asks of a scheme."""
        kinds = {getattr(self.edges, name).kind for name in EDGES}
        asked = {
            Feature.EDDINGTON: self.constants.eddington != 1,
            Feature.VOLUME_SOURCE: Formula(self.source, ("x", "y", "t")).constant != 0,
            Feature.VARYING_CAPACITY: self.heat_capacity is None,
            Feature.WALLS: "wall" in kinds,
            Feature.PERIODIC: "periodic" in kinds,
            Feature.VACUUM: "vacuum" in kinds,
        }
        return {feature for feature, is_asked in asked.items() if is_asked}

    def _known_to_the_scheme(self) -> None:
        """Refuse what the scheme does not know."""
        wrong = [feature.value for feature in self.method.refuses if feature in self.features]
        if self.order not in self.method.orders:
            known = " or ".join(map(str, self.method.orders))
            raise ValueError(
                f"order: found {self.order} with scheme {self.scheme}, expected {known}; leave it "
                "out, or use 'scheme: consistent'"
            )
        if self.dtype not in self.variant.dtypes:
            raise ValueError(
                f"dtype: found {self.dtype} with scheme {self.scheme}, order {self.order}; "
                f"use {' or '.join(self.variant.dtypes)}"
            )
        if wrong:
            raise ValueError(
                f"scheme: found '{self.scheme}' with {wrong[0]}, which it does not know; "
                "use 'scheme: consistent'"
            )
