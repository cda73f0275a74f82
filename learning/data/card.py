"""The data card: what a data set holds, where it comes from and how it is split."""

import math
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pydantic
from numpy.typing import NDArray

from opalux.base.axes import AT_WORDS, EDGES, QUANTITIES, At
from opalux.base.config import check
from opalux.base.errors import InputError
from opalux.base.settings import Settings
from opalux.base.yaml_text import parse_yaml, to_yaml
from opalux.learning.data.layout import Layout

NAME = "dataset.yaml"
FORMAT = "opalux-dataset"
FORMAT_VERSION = 1

BACKEND = "backend"
"""The entry of ``made_with`` that says what made the samples, where that was not the kernels."""

MOST_SAMPLES = 10**7
MOST_PARTS = 10**5
"""Files in one folder; with more, looking at each of them takes minutes."""
LONGEST = 10**8
"""Longest axis of a density or of the signals."""

Side = Annotated[int, pydantic.Field(ge=1, le=LONGEST)]
Names = Annotated[tuple[str, ...], pydantic.Field(min_length=1)]

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")

EQUATION = """\
∂t E + c div F = c σ_a (a T⁴ − E)
∂t F + k c ∇E = −c σ_c F
ρ C_v ∂t T = c σ_a (E − a T⁴)
"""

UNITS = {
    "density": "g/cm^3",
    "E": "g/cm/sh^2",
    "F": "g/cm/sh^2",
    "T": "keV",
    "times": "sh (1e-8 s)",
    "sources": "cm",
}


class Splits(Settings):
    """How many samples each split has: the first ones train, then validation, then test."""

    train: int = pydantic.Field(ge=1, le=MOST_SAMPLES)
    """Samples that networks learn from."""
    validation: int = pydantic.Field(0, ge=0, le=MOST_SAMPLES)
    """Samples on which a training is watched and its best state chosen."""
    test: int = pydantic.Field(0, ge=0, le=MOST_SAMPLES)
    """Samples on which the result is judged."""

    @property
    def total(self) -> int:
        """Number of samples in all splits."""
        return self.train + self.validation + self.test

    def bounds(self, name: Split) -> tuple[int, int]:
        """Return the first sample of split ``name`` and the one after its last."""
        start = 0
        for split in SPLITS:
            size = int(getattr(self, split))
            if split == name:
                return start, start + size
            start += size
        raise InputError(f"found split '{name}', expected one of {', '.join(SPLITS)}")


class Card(Settings):
    """What ``dataset.yaml`` says.

    Attributes
    ----------
    name : of the data set
    origin : ``simulated``, or a note on the files that it was imported from
    equation, units : the physics, in words
    seed : of the campaign; a sample follows from the seed and its number
    splits : see `Splits`
    shape : (ny, nx) of a density
    sources : a name for each simulation of a density, in the order of the source axis
    edges, quantities : in the order of their axes; F stands for |F|
    detectors : x, y and width of each detector [cm], in the order of their axis
    signals_at : where the signals are; not said: as the campaign says, else ``cell``
    n_times, n_cells : lengths of the last two axes of the signals; where edges have other numbers
        of cells, n_cells is the larger one, and the signals of the others end in zeros
    shard_size : samples in each part, ``part-*.h5`` (the last may have fewer); the key keeps the
        name that files of earlier versions have
    families : labels of the families of densities
    made_with : versions of the program and its libraries
    campaign : the whole configuration, from which every sample can be made again
    """

    format: Literal["opalux-dataset"] = "opalux-dataset"
    format_version: int = FORMAT_VERSION
    name: str
    origin: str = "simulated"
    equation: str = EQUATION
    units: dict[str, str] = UNITS
    seed: int = pydantic.Field(0, ge=0)
    splits: Splits
    shape: tuple[Side, Side]
    sources: Names
    edges: Names = EDGES
    quantities: Names = QUANTITIES
    detectors: tuple[tuple[float, float, float], ...] = ()
    signals_at: At = "cell"
    n_times: Side
    n_cells: Side
    shard_size: int = pydantic.Field(ge=1, le=MOST_SAMPLES)
    families: tuple[str, ...]
    made_with: dict[str, str] = pydantic.Field({})
    campaign: dict[str, Any] = pydantic.Field({})

    @pydantic.model_validator(mode="before")
    @classmethod
    def _signals_at(cls, given: Any) -> Any:
        """Fill in where the signals are, and refuse a card that says it in two ways."""
        try:
            at = given["campaign"]["problem"]["signals"]["at"]
        except (LookupError, TypeError):
            return given
        given = {"signals_at": at, **given}
        if given["signals_at"] != at:
            raise ValueError(
                f"signals_at: found '{given['signals_at']}', but '{at}' in "
                "campaign.problem.signals.at; the card was changed: start the line that made the "
                "data set again"
            )
        return given

    @pydantic.model_validator(mode="after")
    def _bounded(self) -> "Card":
        if self.n_parts > MOST_PARTS:
            raise ValueError(
                f"shard_size: found {self.shard_size} for {self.n_samples} samples, which gives "
                f"{self.n_parts} parts, expected at most {MOST_PARTS}; choose a larger shard_size"
            )
        try:
            lengths = [float(high) - float(low) for low, high in self.extents]
        except (AttributeError, TypeError, ValueError, LookupError):
            raise ValueError(
                "campaign.problem.grid: expected x and y as [low, high], as `opalux sample` writes "
                "them"
            ) from None
        if not min(lengths) > 0:
            raise ValueError(f"campaign.problem.grid: found sides of {lengths} cm, expected > 0")
        return self

    @property
    def n_samples(self) -> int:
        """Number of samples."""
        return self.splits.total

    @property
    def n_parts(self) -> int:
        """Number of ``part-*.h5`` files."""
        return -(-self.n_samples // self.shard_size)

    @property
    def signals_shape(self) -> tuple[int, ...]:
        """Shape of the signals of one sample: (source, edge, quantity, time, cell)."""
        channels = len(self.sources), len(self.edges), len(self.quantities)
        return (*channels, self.n_times, self.n_cells)

    @property
    def detectors_shape(self) -> tuple[int, ...]:
        """Shape of what the detectors read in one sample: (source, quantity, time, detector)."""
        channels = len(self.sources), len(self.quantities)
        return (*channels, self.n_times, len(self.detectors))

    def require_signals_at(self, at: At, origin: str) -> None:
        """Refuse signals, of the file or folder ``origin``, that are elsewhere than this set's.

        Raises
        ------
        InputError
            Says both places, and what to do.
        """
        if at != self.signals_at:
            raise InputError(
                f"{origin}: found signals {AT_WORDS[at]} (at: {at}), but the network was trained "
                f"on signals {AT_WORDS[self.signals_at]} (at: {self.signals_at}); give signals "
                f"with 'signals: {{at: {self.signals_at}}}', or train on such as these"
            )

    @property
    def labels(self) -> dict[str, tuple[str, ...]]:
        """Names along the axes source, edge and quantity."""
        return {"source": self.sources, "edge": self.edges, "quantity": self.quantities}

    @property
    def x(self) -> NDArray[np.float64]:
        """Centres of the cells along x (nx,) [cm]."""
        return _centres(self.extents[0], self.shape[1])

    @property
    def y(self) -> NDArray[np.float64]:
        """Centres of the cells along y (ny,), ascending [cm]."""
        return _centres(self.extents[1], self.shape[0])

    @property
    def extents(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Extent of the domain along x and y [cm]; imported maps lie on the published domain."""
        grid = self.campaign.get("problem", {}).get("grid", {})
        x = grid.get("x") or (0.0, 1.0)
        square = (0.0, (x[1] - x[0]) * self.shape[0] / self.shape[1])
        return tuple(x), tuple(grid.get("y") or square)

    @property
    def square_cells(self) -> bool:
        """Whether cells are as long along x as along y, to rounding."""
        (left, right), (low, high) = self.extents
        dx, dy = (right - left) / self.shape[1], (high - low) / self.shape[0]
        return abs(dx - dy) <= 1e-9 * dx

    def layout(self, n_times: int | None = None) -> Layout:
        """Return the axes of the signals once they are resampled to ``n_times``; None: as kept."""
        return Layout(
            sources=self.sources,
            edges=self.edges,
            quantities=self.quantities,
            n_times=n_times or self.n_times,
            n_cells=self.n_cells,
            shape=self.shape,
            square_cells=self.square_cells,
        )

    def cells_on(self, edge: str) -> int:
        """Return the number of cells along an edge."""
        return self.layout().cells_on(edge)

    @property
    def sample_bytes(self) -> int:
        """Size of one sample, uncompressed [bytes]."""
        numbers = self.shape[0] * self.shape[1]
        return 4 * (numbers + math.prod(self.signals_shape) + math.prod(self.detectors_shape))

    def samples_of(self, part: int) -> range:
        """Return the numbers of the samples in ``part-{part}.h5``."""
        start = part * self.shard_size
        return range(start, min(start + self.shard_size, self.n_samples))

    def to_yaml(self) -> str:
        """Return the text of ``dataset.yaml``."""
        return to_yaml(self.model_dump(mode="json"), width=100)


def _centres(extent: tuple[float, float], cells: int) -> NDArray[np.float64]:
    low, high = extent
    centres: NDArray[np.float64] = low + (high - low) * (np.arange(cells) + 0.5) / cells
    return centres


def part_name(part: int) -> str:
    """Return the file name of part number ``part``."""
    return f"part-{part:05d}.h5"


def read_card(folder: Path) -> Card:
    """Read ``dataset.yaml`` in ``folder``.

    Raises
    ------
    InputError
        When it is missing, unreadable or of another version.
    """
    path = folder / NAME
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError(
            f"{folder}: found no {NAME}, expected the folder of a data set; "
            "make one with `opalux sample`"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error})") from None
    try:
        content = parse_yaml(text, str(path))
    except InputError as error:
        raise InputError(
            f"{error}; the card is damaged: start the line that made the data set again"
        ) from None
    if content.get("format") != FORMAT:
        raise InputError(f"{path}: expected 'format: {FORMAT}'; this is no data card")
    if content.get("format_version") != FORMAT_VERSION:
        raise InputError(
            f"{path}: found format_version {content.get('format_version')}, this program reads "
            f"{FORMAT_VERSION}; make the data set again or use the version that wrote it"
        )
    return check(Card, content, source=str(path), folder=folder)
