"""The table of dots: the user's file or the rebuilt set, its columns found, its rows checked."""

import dataclasses
import re
from collections.abc import Iterable, Mapping

import numpy as np
import pydantic
from numpy.typing import NDArray

from opalux.base.errors import InputError
from opalux.base.settings import Settings, SettingsPath
from opalux.learning.siqd.dots.rebuild import SHIPPED
from opalux.learning.siqd.dots.sheets import Rows, csv_rows, read_file

FRACTIONS = ("f111", "f110", "f100", "f113")
FEATURES = ("diameter", "hsi_ratio", *FRACTIONS)
"""What the analysis describes a dot by, in the order of every feature array."""
OPTIONAL = ("n_coord", "silicon", "hydrogen")
"""Columns that the published study dropped: mean coordination, amounts of silicon and hydrogen."""

# Other names of the columns, as `_plain` writes them.
ALIASES = {
    "diameter": "d davg averagediameter avgdiameter meandiameter averaged size",
    "hsi_ratio": "hsi htosi htosiratio hydrogentosiliconratio ratiohsi",
    "wavelength": "lambda emissionwavelength emission wavelengthofemission peakwavelength",
    "n_coord": "coordination coordinationnumber averagecoordination ncoordination avgcoordination",
    "silicon": "si nsi numbersi siconcentration siliconconcentration concentrationsi sic",
    "hydrogen": "h nh numberh hconcentration hydrogenconcentration concentrationh hc",
    "name": "formula label id filename file structure",
    **{
        family: f"{family[1:]} fraction{family[1:]} facet{family[1:]} area{family[1:]} "
        f"facetfraction{family[1:]} surface{family[1:]}"
        for family in FRACTIONS
    },
}
WORST_SHOWN = 10
LARGEST = 20.0  # beyond this a diameter is no longer that of a dot, or it is not in nm


class Source(Settings):
    """Where the dots come from, and what is demanded of each row."""

    file: SettingsPath | None = None
    """CSV or XLSX file; left out: the rebuilt set that comes with the package."""
    sheet: str | None = None
    """Sheet of an XLSX file; left out: the first."""
    columns: dict[str, str] = pydantic.Field(default_factory=dict)
    """Header of the file for each of our columns whose name is not recognised."""
    fraction_tolerance: float = pydantic.Field(0.02, ge=0)
    """How far the four facet fractions may sum from 1."""
    coordination_tolerance: float = pydantic.Field(0.1, ge=0)
    """How far n_coord may lie from 4 - HSi_ratio."""
    wavelengths: tuple[float, float] = (100.0, 3000.0)
    """Range of wavelengths to believe [nm]."""

    @pydantic.field_validator("columns")
    @classmethod
    def _known(cls, columns: dict[str, str]) -> dict[str, str]:
        unknown = sorted(set(columns) - set(ALIASES))
        if unknown:
            raise ValueError(f"unknown column {unknown[0]}; choose among {', '.join(ALIASES)}")
        return columns


@dataclasses.dataclass(frozen=True, kw_only=True)
class DotTable:
    """Dots as columns.

    Attributes
    ----------
    origin : str
        File the table was read from.
    rebuilt : bool
        Whether this is the rebuilt set.
    names : tuple of str (n,)
    columns : dict of (n,) float
        ``FEATURES``, ``wavelength`` [nm] and those of ``OPTIONAL`` that are there; the diameter
        is in nm.
    """

    origin: str
    rebuilt: bool
    names: tuple[str, ...]
    columns: dict[str, NDArray[np.float64]]

    def __len__(self) -> int:
        return len(self.names)

    @property
    def features(self) -> NDArray[np.float64]:
        """``FEATURES`` side by side, (n, 6)."""
        return np.column_stack([self.columns[name] for name in FEATURES])

    @property
    def wavelength(self) -> NDArray[np.float64]:
        """Wavelength [nm], (n,)."""
        return self.columns["wavelength"]

    def where(self, mask: NDArray[np.bool_]) -> "DotTable":
        """The rows of the mask (n,)."""
        return DotTable(
            origin=self.origin,
            rebuilt=self.rebuilt,
            names=tuple(name for name, kept in zip(self.names, mask, strict=True) if kept),
            columns={name: column[mask] for name, column in self.columns.items()},
        )


def read_table(source: Source) -> DotTable:
    """Read and check the table.

    Raises
    ------
    InputError
        When the file, a column or a row cannot be used; every bad row is named.
    """
    if source.file is None:
        origin, header, rows = SHIPPED.name, *csv_rows(SHIPPED.read_text(encoding="utf-8"))
    else:
        origin = str(source.file)
        header, rows = read_file(source.file, source.sheet)
    if not rows:
        raise InputError(f"{origin}: found no rows; expected one dot a row below the headers")
    places = find_columns(header, source.columns, origin)
    problems: list[str] = []
    columns = {
        name: _numbers(name, place, rows, problems)
        for name, place in places.items()
        if name != "name"
    }
    _refuse(problems, origin)
    if "hsi_ratio" not in columns:
        columns["hsi_ratio"] = _hsi_ratio(columns)
    _refuse(_row_problems(columns, source, [line for line, _ in rows]), origin)
    if "name" in places:
        names = tuple(str(cells[places["name"]]) for _, cells in rows)
    else:
        names = tuple(f"row {line}" for line, _ in rows)
    return DotTable(origin=origin, rebuilt=source.file is None, names=names, columns=columns)


def find_columns(header: list[str], mapping: Mapping[str, str], origin: str) -> dict[str, int]:
    """Place in the header of each of our columns, by the mapping or by a known name."""
    plain = [_plain(title) for title in header]
    places: dict[str, int] = {}
    for name, aliases in ALIASES.items():
        if name in mapping:
            if mapping[name] not in header:
                raise InputError(
                    f"{origin}: no column {mapping[name]!r}, which the configuration gives for "
                    f"{name}; found {', '.join(header)}"
                )
            places[name] = header.index(mapping[name])
            continue
        for alias in (_plain(name), *aliases.split()):
            if alias in plain:
                places[name] = plain.index(alias)
                break
    needed = {"diameter", "wavelength", *FRACTIONS}
    missing = [name for name in ALIASES if name in needed and name not in places]
    if "hsi_ratio" not in places and not ({"silicon", "hydrogen"} <= set(places)):
        missing.append("hsi_ratio (or silicon and hydrogen)")
    if missing:
        raise InputError(
            f"{origin}: no column for {', '.join(missing)}; found {', '.join(header)}; "
            "name it in the configuration, such as data.columns: {diameter: 'D avg'}"
        )
    return places


def _plain(title: str) -> str:
    """A title without case, punctuation and unit: 'Diameter (nm)' and 'diameter_nm' agree."""
    letters = re.sub(r"[^a-z0-9]", "", title.lower().replace("λ", "lambda"))
    return letters.removesuffix("nm")


def _numbers(name: str, place: int, rows: Rows, problems: list[str]) -> NDArray[np.float64]:
    values = np.full(len(rows), np.nan)
    for i, (line, cells) in enumerate(rows):
        try:
            values[i] = float(cells[place])
        except (TypeError, ValueError):
            problems.append(f"line {line}: {name} is {cells[place]!r}, expected a number")
            continue
        if not np.isfinite(values[i]):
            problems.append(f"line {line}: {name} is {cells[place]!r}, expected a finite number")
    return values


def _hsi_ratio(columns: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    silicon = columns["silicon"]
    return np.divide(
        columns["hydrogen"], silicon, out=np.full(len(silicon), np.nan), where=silicon > 0
    )


def _row_problems(
    columns: Mapping[str, NDArray[np.float64]], source: Source, lines: list[int]
) -> list[str]:
    """What is wrong with the rows, one line of text a finding."""
    fractions = np.column_stack([columns[name] for name in FRACTIONS])
    total, hsi, size = fractions.sum(axis=1), columns["hsi_ratio"], columns["diameter"]
    low, high = source.wavelengths
    wavelength = columns["wavelength"]
    checks: list[tuple[NDArray, NDArray, str]] = [
        (
            ~((size > 0) & (size < LARGEST)),
            size,
            f"diameter is {{}}, expected a positive size in nm, below {LARGEST:g}",
        ),
        (~((hsi >= 0) & (hsi <= 3)), hsi, "hsi_ratio is {}, expected 0 to 3"),
        (
            (fractions.min(axis=1) < 0) | (fractions.max(axis=1) > 1),
            fractions.min(axis=1),
            "a facet fraction lies outside 0 to 1 (the smallest is {})",
        ),
        (
            np.abs(total - 1) > source.fraction_tolerance,
            total,
            f"the facet fractions sum to {{}}, expected 1 within {source.fraction_tolerance}",
        ),
        (
            ~((wavelength >= low) & (wavelength <= high)),
            wavelength,
            f"wavelength is {{}} nm, expected {low:g} to {high:g}",
        ),
    ]
    if "n_coord" in columns:
        excess = columns["n_coord"] - (4.0 - hsi)
        checks.append(
            (
                np.abs(excess) > source.coordination_tolerance,
                excess,
                "n_coord lies {} from 4 - HSi_ratio, expected equality within "
                f"{source.coordination_tolerance} (each hydrogen ends one bond)",
            )
        )
    return [
        f"line {lines[i]}: " + text.format(f"{values[i]:.4g}")
        for wrong, values, text in checks
        for i in np.flatnonzero(wrong)
    ]


def _refuse(problems: Iterable[str], origin: str) -> None:
    found = list(problems)
    if found:
        more = len(found) - WORST_SHOWN
        shown = found[:WORST_SHOWN] + ([f"... and {more} more"] if more > 0 else [])
        raise InputError(
            f"{origin}: {len(found)} bad values; correct these rows or leave them out\n  "
            + "\n  ".join(shown)
        )
