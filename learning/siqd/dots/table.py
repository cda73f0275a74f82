"""The table of dots: a file of the user or the rebuilt set, with every row checked."""

import dataclasses
from collections.abc import Iterable, Mapping
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from opalux.base.errors import InputError
from opalux.learning.siqd.dots.columns import FEATURES, FRACTIONS, find_columns
from opalux.learning.siqd.dots.settings import TableSettings
from opalux.learning.siqd.dots.sheets import Rows, csv_rows, read_file

SHIPPED = files("opalux.learning.siqd.dots") / "data" / "tight_binding_dots.csv"
"""The rebuilt set that comes with the package."""

SHOWN = 10
"""Bad values that an error message lists."""
LARGEST = 20.0
"""A larger diameter is not that of a dot, or is not in nm."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class DotTable:
    """Dots as columns.

    Attributes
    ----------
    origin : file from which the table was read
    rebuilt : whether this is the rebuilt set
    names : of the dots (n,)
    columns : (n,) each: ``FEATURES``, ``wavelength`` [nm] and those of ``OPTIONAL`` that are
        there; the diameter is in nm
    """

    origin: str
    rebuilt: bool
    names: tuple[str, ...]
    columns: dict[str, NDArray[np.float64]]

    def __len__(self) -> int:
        return len(self.names)

    @property
    def features(self) -> NDArray[np.float64]:
        """The columns ``FEATURES`` side by side (n, 6)."""
        return np.column_stack([self.columns[name] for name in FEATURES])

    @property
    def wavelength(self) -> NDArray[np.float64]:
        """Wavelength (n,) [nm]."""
        return self.columns["wavelength"]

    def where(self, mask: NDArray[np.bool_]) -> "DotTable":
        """Return the table of the rows where ``mask`` (n,) is true."""
        return DotTable(
            origin=self.origin,
            rebuilt=self.rebuilt,
            names=tuple(name for name, kept in zip(self.names, mask, strict=True) if kept),
            columns={name: column[mask] for name, column in self.columns.items()},
        )


def read_table(settings: TableSettings) -> DotTable:
    """Return the table that the settings name, checked.

    Raises
    ------
    InputError
        When the file, a column or a row cannot be used. The message names the bad rows.
    """
    if settings.file is None:
        origin, header, rows = SHIPPED.name, *csv_rows(SHIPPED.read_text(encoding="utf-8"))
    else:
        origin = str(settings.file)
        header, rows = read_file(settings.file, settings.sheet)
    if not rows:
        raise InputError(f"{origin}: found no rows; expected one dot a row below the headers")
    places = find_columns(header, settings.columns, origin)
    problems: list[str] = []
    columns = {
        name: _numbers(name, place, rows, problems)
        for name, place in places.items()
        if name != "name"
    }
    _refuse(problems, origin)
    lines = [line for line, _ in rows]
    if "hsi_ratio" not in columns:
        columns["hsi_ratio"] = _hsi_ratio(columns)
    elif {"silicon", "hydrogen"} <= set(columns):
        titles = {name: header[place] for name, place in places.items()}
        _refuse(_contradictions(columns, settings, lines, titles), origin)
    _refuse(_row_problems(columns, settings, lines), origin)
    if "name" in places:
        names = tuple(str(cells[places["name"]]) for _, cells in rows)
    else:
        names = tuple(f"row {line}" for line, _ in rows)
    return DotTable(origin=origin, rebuilt=settings.file is None, names=names, columns=columns)


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


def _contradictions(
    columns: Mapping[str, NDArray[np.float64]],
    settings: TableSettings,
    lines: list[int],
    titles: Mapping[str, str],
) -> list[str]:
    """Return one line of text for each ratio that is not the one of the amounts beside it."""
    given, amounts = columns["hsi_ratio"], _hsi_ratio(columns)
    # Written such that NaN, where there is no silicon, is wrong, too.
    wrong = ~(np.abs(given - amounts) <= settings.hsi_tolerance)
    return [
        f"line {lines[i]}: {titles['hsi_ratio']} is {given[i]:.4g}, but {titles['hydrogen']} / "
        f"{titles['silicon']} is {amounts[i]:.4g}, expected equality within "
        f"{settings.hsi_tolerance}"
        for i in np.flatnonzero(wrong)
    ]


def _row_problems(
    columns: Mapping[str, NDArray[np.float64]], settings: TableSettings, lines: list[int]
) -> list[str]:
    """Return one line of text for each value that is wrong."""
    fractions = np.column_stack([columns[name] for name in FRACTIONS])
    total, hsi, size = fractions.sum(axis=1), columns["hsi_ratio"], columns["diameter"]
    low, high = settings.wavelengths
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
            np.abs(total - 1) > settings.fraction_tolerance,
            total,
            f"the facet fractions sum to {{}}, expected 1 within {settings.fraction_tolerance}",
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
                np.abs(excess) > settings.coordination_tolerance,
                excess,
                "n_coord lies {} from 4 - HSi_ratio, expected equality within "
                f"{settings.coordination_tolerance} (each hydrogen ends one bond)",
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
        more = len(found) - SHOWN
        shown = found[:SHOWN] + ([f"... and {more} more"] if more > 0 else [])
        raise InputError(
            f"{origin}: {len(found)} bad values; correct these rows or leave them out\n  "
            + "\n  ".join(shown)
        )
