"""The four edges of the domain: the settings of the user, and the tables that the kernels read."""

import dataclasses
import functools
import math
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pydantic

from opalux.base.axes import EDGES, FIELDS, along
from opalux.base.errors import InputError
from opalux.base.settings import Settings, SettingsPath
from opalux.solver.formulas.formula import Formula, formula_of
from opalux.solver.grid import Block

# Rules that fill one field of one edge's ghost cells (the kernels' vocabulary).
FREE, GIVEN, MIRRORED, EQUILIBRIUM, EXCHANGED, MARK, MARSHAK, WARMER = range(8)

# ``free``, or a formula of t [sh] and the place along the edge (x for up and down, else y).
FreeOrFormula = Annotated[str, formula_of("t", "x", "y", also=("free",))]


class Free(Settings):
    """Neumann edge: the ghost cells copy the cells next to them."""

    kind: Literal["free"] = "free"

    def rules(self) -> dict[str, str]:
        """Formula, or the name of a rule, per field."""
        return dict.fromkeys(FIELDS, "free")


class Wall(Settings):
    """Reflecting edge: as free, with the normal flux reversed, so that no energy passes."""

    kind: Literal["wall"] = "wall"

    def rules(self) -> dict[str, str]:
        """Formula, or the name of a rule, per field."""
        return {"E": "free", "Fx": "wall", "Fy": "wall", "T": "free"}


class Periodic(Settings):
    """The domain continues at the opposite edge (which must be periodic too)."""

    kind: Literal["periodic"] = "periodic"

    def rules(self) -> dict[str, str]:
        """Formula, or the name of a rule, per field."""
        return dict.fromkeys(FIELDS, "exchanged")


class Prescribed(Settings):
    """Dirichlet edge: each field is a formula of t and the place, or ``free``."""

    kind: Literal["prescribed"]
    E: FreeOrFormula = "free"
    """Radiation energy [g/cm/sh²]."""
    Fx: FreeOrFormula = "free"
    Fy: FreeOrFormula = "free"
    """Flux components [g/cm/sh²]."""
    T: FreeOrFormula = "free"
    """Matter temperature [keV]."""

    def rules(self) -> dict[str, str]:
        """Formula, or the name of a rule, per field."""
        return {name: getattr(self, name) for name in FIELDS}


class Pulse(Settings):
    """One portion of an edge that radiates: E = a T⁴ + signal(t) for start <= place <= stop."""

    start: float | None = None
    stop: float | None = None
    """Ends of the portion [cm]; left out: the ends of the edge."""
    ends: Literal["centre", "share"] = "centre"
    """A cell that an end cuts radiates if its centre is covered, as in the original, or by the
    share of it that is covered: signals then change continuously with the ends."""
    amplitude: float = 5.0
    """Height of the sine [g/cm/sh²]."""
    frequency: float = 500.0
    """Frequency of the sine [1/sh]."""
    signal: Annotated[str, formula_of("t")] | None = None
    """Formula of t that replaces amplitude·sin(2π·frequency·t)."""
    table: SettingsPath | None = None
    """File of two columns, t [sh] and value; linear in between; replaces the sine."""

    @pydantic.model_validator(mode="after")
    def _one_signal(self) -> "Pulse":
        if self.start is not None and self.stop is not None and self.start > self.stop:
            raise ValueError(f"found start {self.start} > stop {self.stop}; swap them")
        if self.ends == "share" and self.start is not None and self.start == self.stop:
            raise ValueError(
                f"found start = stop = {self.start} with 'ends: share', expected a portion with a "
                "width; set them apart"
            )
        if self.signal is not None and self.table is not None:
            raise ValueError("found both 'signal' and 'table'; give one of them")
        if self.table is not None:
            self.values(np.zeros(1))
        if self.signal is not None:
            constant = Formula(self.signal, ("t",)).constant
            if constant is not None and not math.isfinite(constant):
                raise ValueError(f"signal: {not_finite(self.signal, constant)}")
        return self

    def covers(self, places: np.ndarray, width: float) -> np.ndarray:
        """Return how much of each cell along the edge radiates, from 0 to 1.

        Parameters
        ----------
        places : (n,) centres of the cells [cm]
        width : of a cell [cm]
        """
        low = -np.inf if self.start is None else self.start
        high = np.inf if self.stop is None else self.stop
        if self.ends == "centre":
            return (low <= places) & (places <= high)
        first, last = places - width / 2, places + width / 2
        return np.clip((np.minimum(high, last) - np.maximum(low, first)) / width, 0, 1)

    def values(self, t: np.ndarray) -> np.ndarray:
        """Return the signal at the times ``t`` (n,) [sh]."""
        if self.table is not None:
            return np.interp(t, *read_table(self.table))
        text = self.signal or f"{self.amplitude!r} * sin(2*pi*{self.frequency!r}*t)"
        return np.broadcast_to(Formula(text, ("t",))(t=t), t.shape)


def read_table(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the times [sh], increasing, and the values of a source table, both (n,)."""
    try:
        columns = np.loadtxt(
            path, ndmin=2, delimiter="," if path.suffix.lower() == ".csv" else None
        )
    except OSError:
        raise InputError(f"source table {path}: no such file, or not readable") from None
    except ValueError as error:
        raise InputError(
            f"source table {path}: expected two columns of numbers ({error})"
        ) from None
    good = columns.ndim == 2 and columns.shape[1] == 2 and np.isfinite(columns).all()
    if not good or np.any(np.diff(columns[:, 0]) <= 0):
        raise InputError(
            f"source table {path}: found shape {columns.shape}, expected two columns of finite "
            "numbers, t increasing"
        )
    return columns[:, 0], columns[:, 1]


class SourceEdge(Settings):
    """Source edge: E = a T⁴ plus the signal of each portion that covers the place."""

    kind: Literal["source"]
    sources: tuple[Pulse, ...] = pydantic.Field((Pulse(),), min_length=1)
    """The radiating portions; the rest of the edge is held at E = a T⁴."""
    Fx: FreeOrFormula = "0"
    Fy: FreeOrFormula = "0"
    """Flux components [g/cm/sh²]."""
    T: FreeOrFormula = "5"
    """Matter temperature [keV]."""

    def rules(self) -> dict[str, str]:
        """Formula, or the name of a rule, per field."""
        return {"E": "source"} | {name: getattr(self, name) for name in FIELDS[1:]}


class Vacuum(Settings):
    """Open edge: outside is nothing, or surroundings at ``T`` that radiate in.

    Nothing comes back of what leaves. In P1 this is one condition at the edge itself, with F into
    the domain, E + β F = a T⁴: Mark's (the incoming characteristic is given, β = 1/√k) or
    Marshak's (the incoming half of the flux is given, β = 2).
    """

    kind: Literal["vacuum"]
    condition: Literal["mark", "marshak"] = "mark"
    """Mark's or Marshak's, see above: they differ in β."""
    T: Annotated[str, formula_of("t", "x", "y")] = "0"
    """Temperature of the surroundings [keV]."""

    def rules(self) -> dict[str, str]:
        """Formula, or the name of a rule, per field."""
        return {"E": self.condition, "Fx": "free", "Fy": "free", "T": "warmer"}


EdgeSettings = Annotated[
    Free | Wall | Periodic | Prescribed | SourceEdge | Vacuum, pydantic.Field(discriminator="kind")
]


class Edges(Settings):
    """The four edges of the domain."""

    up: EdgeSettings = Free()
    down: EdgeSettings = Free()
    left: EdgeSettings = Free()
    right: EdgeSettings = Free()

    @pydantic.model_validator(mode="after")
    def _consistent(self) -> "Edges":
        for one, other in (("left", "right"), ("up", "down")):
            kinds = getattr(self, one).kind, getattr(self, other).kind
            if kinds.count("periodic") == 1:
                raise ValueError(
                    f"found {one}: {kinds[0]} with {other}: {kinds[1]}; they come in pairs"
                )
        for name in EDGES:
            place = along(name)
            for field, text in edge_formulas(getattr(self, name)).items():
                formula = Formula(text, ("t", "x", "y"))
                if formula.uses - {"t", place}:
                    raise ValueError(
                        f"{name}.{field}: found '{text}', but only t and {place} vary here"
                    )
                if formula.constant is not None and not math.isfinite(formula.constant):
                    raise ValueError(f"{name}.{field}: {not_finite(text, formula.constant)}")
        return self

    @property
    def periodic(self) -> tuple[bool, bool]:
        """Whether the grid is periodic along x, along y."""
        return self.left.kind == "periodic", self.up.kind == "periodic"


_RULES = {
    "free": FREE, "wall": MIRRORED, "source": EQUILIBRIUM, "exchanged": EXCHANGED, "mark": MARK,
    "marshak": MARSHAK, "warmer": WARMER,
}  # fmt: skip


def edge_formulas(edge: EdgeSettings) -> dict[str, str]:
    """Return the formula of t and the place of each field of an edge that has one."""
    own = {"T": edge.T} if edge.kind == "vacuum" else {}
    return {name: text for name, text in (edge.rules() | own).items() if text not in _RULES}


def not_finite(text: str, value: float) -> str:
    """Return what is wrong with a formula that has such a value."""
    return f"found '{text}', which is {value:g}, expected a finite number; give another formula"


@dataclasses.dataclass(frozen=True)
class EdgeTables:
    """The edges of one block for some consecutive steps, as the kernels read them.

    Attributes
    ----------
    rules : (4 edges, 4 fields) int64, how the ghost cells are filled
    up, down : (steps, 4, nx) float64, the prescribed values (for EQUILIBRIUM what is added to
        a T⁴; for MARK, MARSHAK and WARMER the temperature of the surroundings)
    left, right : (steps, 4, ny) float64
    """

    rules: np.ndarray
    up: np.ndarray
    down: np.ndarray
    left: np.ndarray
    right: np.ndarray


def edge_rules(edges: Edges, block: Block) -> np.ndarray:
    """Return the rules (4 edges, 4 fields) of a block; inner sides are EXCHANGED."""
    rules = np.full((4, 4), EXCHANGED, dtype=np.int64)
    for n, name in enumerate(EDGES):
        if not block.touches[name]:
            continue
        normal = "Fy" if along(name) == "x" else "Fx"
        for m, (field, text) in enumerate(getattr(edges, name).rules().items()):
            rule = _RULES.get(text, GIVEN)
            rules[n, m] = FREE if rule == MIRRORED and field != normal else rule
    return rules


@functools.lru_cache(maxsize=4)
def _nothing(steps: int, cells: int) -> np.ndarray:
    """Return the table of an edge that prescribes nothing; kernels only read it."""
    return np.zeros((steps, 4, cells))


def edge_tables(edges: Edges, block: Block, rules: np.ndarray, t: np.ndarray) -> EdgeTables:
    """Tabulate what the edges prescribe at the times ``t`` (steps,) [sh]."""
    tables = {}
    for n, name in enumerate(EDGES):
        edge = getattr(edges, name)
        place = along(name)
        places = getattr(block, place)[1:-1]
        width = block.grid.dx if place == "x" else block.grid.dy
        if not {GIVEN, EQUILIBRIUM, WARMER} & set(rules[n].tolist()):
            tables[name] = _nothing(len(t), len(places))
            continue
        table = np.zeros((len(t), 4, len(places)))
        for m, (_, text) in enumerate(edge.rules().items()):
            if rules[n, m] in (GIVEN, MARK, MARSHAK, WARMER):
                formula = Formula(text if rules[n, m] == GIVEN else edge.T, ("t", place))
                if formula.constant is None:
                    table[:, m] = formula(**{"t": t[:, None], place: places[None, :]})
                elif formula.constant:
                    table[:, m] = formula.constant
            elif rules[n, m] == EQUILIBRIUM:
                for pulse in edge.sources:
                    table[:, m] += np.outer(pulse.values(t), pulse.covers(places, width))
        tables[name] = table
    return EdgeTables(rules, **tables)
