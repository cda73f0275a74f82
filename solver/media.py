"""Densities of the medium: by formula, from a file, from an array, or the published niche."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
import pydantic

from opalux.base.errors import InputError
from opalux.base.settings import PYTHON_ONLY, Settings, SettingsPath
from opalux.solver.density_files import is_hdf5, is_map, is_picture, open_map
from opalux.solver.formulas.formula import Formula, formula_of
from opalux.solver.grid import Block, Grid


class FormulaDensity(Settings):
    """Density as a formula of x and y [cm]."""

    kind: Literal["formula"] = "formula"
    formula: Annotated[str, formula_of("x", "y")]
    """[g/cm³]."""

    def on(self, block: Block) -> np.ndarray:
        """Return the density [g/cm³] on the block, ghosts included, (ny + 2, nx + 2)."""
        values = Formula(self.formula, ("x", "y"))(x=block.x[None, :], y=block.y[:, None])
        return np.broadcast_to(values, (block.ny + 2, block.nx + 2)).copy()


class ArrayDensity(Settings):
    """Density from a file, one value a cell: an array saved by numpy, or a solution.h5."""

    kind: Literal["array"]
    file: SettingsPath
    """Map of (ny, nx) cells: .npy, .csv (a row of numbers a line), a grey .png, solution.h5,
    reconstruction.h5 or inversion.h5; relative to the configuration."""
    first_row: Literal["top", "bottom"] = "bottom"
    """Which edge of the domain row 0 of the file is: the bottom, as in all arrays of Opalux, or the
    top, as in files of the original program. Of a picture: the top, left out."""
    range: tuple[float, float] | None = None
    """Densities of black and of white [g/cm³]; for a picture, which needs them."""

    @pydantic.model_validator(mode="before")
    @classmethod
    def _pictures_begin_at_the_top(cls, given: Any) -> Any:
        if isinstance(given, dict) and is_picture(Path(str(given.get("file", "")))):
            return {"first_row": "top"} | given
        return given

    @pydantic.model_validator(mode="after")
    def _known_rows(self) -> Self:
        if self.first_row == "top" and is_hdf5(self.file):
            raise ValueError(
                f"first_row: found top with {self.file.name}, whose row 0 is the bottom; "
                "leave it out"
            )
        return self

    @pydantic.model_validator(mode="after")
    def _range_of_pictures(self) -> Self:
        if is_picture(self.file) != (self.range is not None):
            name = self.file.name
            raise ValueError(
                f"range: found none, but {name} is a picture; give the densities of black and "
                f"white, such as {{kind: array, file: {name}, range: [0.1, 10]}}"
                if self.range is None
                else f"range: found one with {name}, which is no picture; leave it out"
            )
        return self

    @property
    def shape(self) -> tuple[int, int]:
        """Cells (ny, nx) of the file."""
        with open_map(self.file) as array:
            ny, nx = array.shape
            return ny, nx

    def on(self, block: Block) -> np.ndarray:
        """Return the density [g/cm³] on the block, edge values continued into the ghosts."""
        with open_map(self.file) as array:
            rows = array if self.first_row == "bottom" else array[::-1]
            if self.range is not None:
                black, white = self.range
                rows = black + (white - black) * np.asarray(rows)
            return cut_block(rows, block, f"density file {self.file}")


def _numbers(found: Any) -> np.ndarray:
    """Return a copy of a map (ny, nx) that nobody can write to."""
    if not isinstance(found, np.ndarray) or found.ndim != 2 or found.dtype.kind not in "fiu":
        shape = getattr(found, "shape", type(found).__name__)
        raise ValueError(
            f"found {shape}, expected a numpy array (ny, nx) of numbers; in a configuration file "
            "use kind: array with the name of a .npy file"
        )
    values = np.array(found, dtype=np.float64)
    values.setflags(write=False)
    return values


def _no_text(values: np.ndarray) -> Any:
    raise ValueError(
        "a density given as an array in Python has no place in a configuration file; save it with "
        "numpy.save and give the name of the file: {kind: array, file: NAME.npy}"
    )


class ValuesDensity(Settings):
    """Density from an array in Python, one value a cell; it cannot be written as YAML.

    ``Problem(material={"density": array})`` makes one.
    """

    model_config = pydantic.ConfigDict(arbitrary_types_allowed=True, title=PYTHON_ONLY)

    kind: Literal["values"] = "values"
    values: Annotated[
        np.ndarray,
        pydantic.BeforeValidator(_numbers),
        pydantic.PlainSerializer(_no_text, when_used="json"),
    ]
    """(ny, nx) [g/cm³], row 0 = bottom."""

    def __repr__(self) -> str:
        ny, nx = self.shape
        return f"ValuesDensity(<{ny} x {nx} cells>)"

    __str__ = __repr__

    def __repr_args__(self) -> Any:
        """Say the shape alone where a model that holds this one is printed."""
        yield None, f"<{self.shape[0]} x {self.shape[1]} cells>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ValuesDensity) and np.array_equal(self.values, other.values)

    def __hash__(self) -> int:
        return hash((self.shape, self.values.tobytes()))

    @property
    def shape(self) -> tuple[int, int]:
        """Cells (ny, nx)."""
        ny, nx = self.values.shape
        return ny, nx

    def on(self, block: Block) -> np.ndarray:
        """Return the density [g/cm³] on the block, edge values continued into the ghosts."""
        return cut_block(self.values, block, "material.density")


def cut_block(array: np.ndarray, block: Block, name: str) -> np.ndarray:
    """Return a block of a map with its ghosts, (ny + 2, nx + 2), reading no more than that.

    Ghosts outside the grid repeat the cells at its edge.

    Raises
    ------
    InputError
        When the map, called ``name``, does not have the shape of the grid.
    """
    if array.shape != (block.grid.ny, block.grid.nx):
        raise InputError(
            f"{name}: found shape {array.shape}, expected "
            f"{(block.grid.ny, block.grid.nx)} = (ny, nx) of the grid"
        )
    j = np.clip(np.arange(block.j0 - 1, block.j0 + block.ny + 1), 0, block.grid.ny - 1)
    i = np.clip(np.arange(block.i0 - 1, block.i0 + block.nx + 1), 0, block.grid.nx - 1)
    part = array[j[0] : j[-1] + 1, i[0] : i[-1] + 1]  # touches only these pages of a file
    return np.asarray(part[np.ix_(j - j[0], i - i[0])], dtype=np.float64)


class NicheDensity(Settings):
    """The published ``crenau``: a disc of density ``high`` in ``low``, smoothed by averaging.

    The disc's diameter is a tenth of the mean number of cells times the mean spacing; as many
    passes replace each cell by the mean of itself and its existing neighbours.
    """

    kind: Literal["niche"]
    x: float
    y: float
    """Centre [cm]."""
    low: float
    high: float
    """Density outside and inside [g/cm³]."""

    def check_inside(self, grid: Grid) -> None:
        """Refuse a centre outside the domain."""
        if not (grid.x[0] <= self.x <= grid.x[1] and grid.y[0] <= self.y <= grid.y[1]):
            raise InputError(
                f"niche: found centre ({self.x}, {self.y}), expected a point of the domain "
                f"{list(grid.x)} x {list(grid.y)}"
            )

    def on(self, block: Block) -> np.ndarray:
        """Return the density [g/cm³] on the block, ghosts included, (ny + 2, nx + 2)."""
        grid = block.grid
        self.check_inside(grid)
        passes = int(0.1 * (grid.nx + grid.ny) / 2)
        diameter = 0.1 * ((grid.nx + grid.ny) // 2) * ((grid.dx + grid.dy) / 2)
        # Smoothing reaches `passes` cells far: work on that much more of the grid, then cut.
        i0, j0 = max(block.i0 - passes, 0), max(block.j0 - passes, 0)
        i1 = min(block.i0 + block.nx + passes, grid.nx)
        j1 = min(block.j0 + block.ny + passes, grid.ny)
        wide = Block(grid=grid, i0=i0, j0=j0, nx=i1 - i0, ny=j1 - j0)
        distance = np.hypot(wide.x[None, :] - self.x, wide.y[:, None] - self.y)
        density = np.where(distance <= diameter / 2, self.high, self.low)
        for _ in range(passes):
            density = _average(density)
        j, i = block.j0 - j0, block.i0 - i0
        return np.ascontiguousarray(density[j : j + block.ny + 2, i : i + block.nx + 2])


def _average(cells: np.ndarray) -> np.ndarray:
    """One published smoothing pass; a ghost has one inward neighbour, corners look along y."""
    out = np.empty_like(cells)
    out[1:-1, 1:-1] = (
        cells[1:-1, 1:-1] + cells[2:, 1:-1] + cells[:-2, 1:-1] + cells[1:-1, :-2] + cells[1:-1, 2:]
    ) / 5
    out[-1] = (cells[-1] + cells[-2]) / 2
    out[0] = (cells[0] + cells[1]) / 2
    out[1:-1, 0] = (cells[1:-1, 0] + cells[1:-1, 1]) / 2
    out[1:-1, -1] = (cells[1:-1, -1] + cells[1:-1, -2]) / 2
    return out


_AnyDensity = FormulaDensity | ArrayDensity | ValuesDensity | NicheDensity


def _in_full(density: Any) -> Any:
    """Give what stands for a density in short its kind: a number, formula, file name or array."""
    if isinstance(density, np.ndarray):
        return {"kind": "values", "values": density}
    if isinstance(density, str) and is_map(Path(density)):
        return {"kind": "array", "file": density}
    if isinstance(density, int | float | str) and not isinstance(density, bool):
        return {"kind": "formula", "formula": density}
    return density


_InFile = Annotated[
    FormulaDensity | ArrayDensity | NicheDensity, pydantic.Field(discriminator="kind")
]
_InShort = Annotated[
    float | str | _InFile,
    pydantic.Field(description="number, formula of x and y, file of a map, or {kind: ...}"),
]

DensitySettings = Annotated[
    _AnyDensity,
    pydantic.Field(discriminator="kind"),
    pydantic.BeforeValidator(_in_full, json_schema_input_type=_InShort),
]
"""A density: ``1.5``, ``1 + x*y``, ``map.npy``, or a group of keys with its kind."""
