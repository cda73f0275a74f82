"""The table of dots: a file of the user or the rebuilt set, with every row checked."""

import re
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable

import numpy as np
from numpy.typing import NDArray

from opalux.base.errors import InputError
from opalux.learning.siqd.dots.columns import FRACTIONS, find_columns, recognised
from opalux.learning.siqd.dots.settings import TableSettings
from opalux.learning.siqd.tables.cells import numbers
from opalux.learning.siqd.tables.sheets import Sheet, parse_text, read_sheet
from opalux.learning.siqd.tables.subject_table import column_of_numbers, wrong_sums
from opalux.learning.siqd.tables.table import Problem, Table, find_problem, refuse
from opalux.learning.siqd.tables.units import length_in_nm, split_title, wavelength_in_nm

_DATA = files("opalux.learning.siqd.dots") / "data"
SHIPPED = _DATA / "tight_binding_dots.csv"
"""The rebuilt set about the centre of a bond, which comes with the package."""
SHIPPED_BY_CENTRE: dict[str, Traversable] = {
    "bond": SHIPPED,
    "hexagonal": _DATA / "tight_binding_dots_hexagonal.csv",
}

LARGEST = 20.0
"""A larger diameter is not that of a dot, or is not in nm."""
_FORMULA = re.compile(r"(?<![A-Za-z])Si(\d*)H(\d*)(?![A-Za-z0-9])")
RATIO_SOURCES = "silicon and hydrogen, formula or n_coord"


def read_table(settings: TableSettings) -> Table:
    """Return the table that the settings name, checked.

    Raises
    ------
    InputError
        When the file, a column or a row cannot be used. The message names the bad rows.
    """
    mapping = settings.columns

    def recognise(header: list[str]) -> int:
        return recognised(header, mapping)

    if settings.file is None:
        shipped = SHIPPED_BY_CENTRE[settings.shipped]
        sheet = parse_text(shipped.name, shipped.read_text(encoding="utf-8"), recognise)
    else:
        sheet = read_sheet(settings.file, settings.sheet, recognise)
    if not sheet.rows:
        raise InputError(f"{sheet.origin}: found no rows; expected one dot a row below the headers")
    places = find_columns(sheet.header, mapping, sheet.origin)
    columns = _numbers(sheet, places)
    titles = {name: sheet.header[place] for name, place in places.items()}
    _complete_ratio(columns, sheet, places)
    refuse(_contradictions(columns, settings, sheet.lines, titles), sheet.origin)
    refuse(_row_problems(columns, settings, sheet.lines), sheet.origin)
    naming = places.get("name", places.get("formula"))
    if naming is None:
        names = tuple(f"row {line}" for line in sheet.lines)
    else:
        names = tuple(str(cells[naming]) for cells in sheet.rows)
    return Table(
        origin=sheet.origin,
        rebuilt=settings.shipped if settings.file is None else None,
        names=names,
        columns=columns,
    )


def _numbers(sheet: Sheet, places: Mapping[str, int]) -> dict[str, NDArray[np.float64]]:
    columns: dict[str, NDArray[np.float64]] = {}
    problems: list[Problem] = []
    for name, place in places.items():
        if name in ("name", "formula"):
            continue
        cells = [row[place] for row in sheet.rows]
        values, bad = column_of_numbers(name, cells, sheet.lines)
        problems += bad
        unit = split_title(sheet.header[place])[1]
        if name in FRACTIONS:
            percent = numbers(cells)[1]
            if unit == "%":
                values = values / 100.0
            else:
                values[percent] /= 100.0
        elif name == "diameter":
            values = _known(length_in_nm(values, unit))
        elif name == "wavelength":
            values = _known(wavelength_in_nm(values, unit))
        columns[name] = values
    refuse(problems, sheet.origin)
    return columns


def _known(values: NDArray[np.float64] | None) -> NDArray[np.float64]:
    assert values is not None, "find_columns refuses other units"
    return values


def _complete_ratio(
    columns: dict[str, NDArray[np.float64]], sheet: Sheet, places: Mapping[str, int]
) -> None:
    """Compute H/Si from what the table gives instead: amounts, formula, or coordination."""
    if "hsi_ratio" in columns:
        return
    if {"silicon", "hydrogen"} <= set(columns):
        columns["hsi_ratio"] = _ratio_of_amounts(columns)
        return
    for source in ("formula", "name"):
        if source in places:
            texts = [str(row[places[source]]) for row in sheet.rows]
            found = [_FORMULA.search(text) for text in texts]
            if source == "formula" or all(found) or "n_coord" not in columns:
                missing = np.array([match is None for match in found])
                refuse(
                    find_problem(
                        f"{source} is {{}}, expected a formula such as Si29H36: there is no "
                        f"hsi_ratio, which can also be computed from {RATIO_SOURCES}",
                        missing,
                        sheet.lines,
                        texts,
                    ),
                    sheet.origin,
                )
                counts = [(int(m[1] or 1), int(m[2] or 1)) for m in found if m]
                columns["hsi_ratio"] = np.array([h / max(si, 1) for si, h in counts])
                return
    columns["hsi_ratio"] = 4.0 - columns["n_coord"]


def _ratio_of_amounts(columns: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    silicon = columns["silicon"]
    return np.divide(
        columns["hydrogen"], silicon, out=np.full(len(silicon), np.nan), where=silicon > 0
    )


def _contradictions(
    columns: Mapping[str, NDArray[np.float64]],
    settings: TableSettings,
    lines: list[int],
    titles: Mapping[str, str],
) -> list[Problem]:
    """Return the rows whose ratio is not the one of the amounts beside it."""
    if not {"silicon", "hydrogen"} <= set(columns):
        return []
    given, amounts = columns["hsi_ratio"], _ratio_of_amounts(columns)
    # Written such that NaN, where there is no silicon, is wrong, too.
    wrong = ~(np.abs(given - amounts) <= settings.hsi_tolerance)
    ratio, amount = titles.get("hsi_ratio", "H/Si"), f"{titles['hydrogen']} / {titles['silicon']}"
    shown = [f"{a:.4g} and {b:.4g}" for a, b in zip(given, amounts, strict=True)]
    places = np.flatnonzero(wrong)
    if not len(places):
        return []
    return [
        Problem(
            text=f"{ratio} and {amount} are {{}}, expected equality within "
            f"{settings.hsi_tolerance}",
            lines=[lines[i] for i in places],
            values=[shown[i] for i in places],
        )
    ]


def _row_problems(
    columns: Mapping[str, NDArray[np.float64]], settings: TableSettings, lines: list[int]
) -> list[Problem]:
    """Return what is wrong, one entry for each column and reason."""
    hsi, size, wavelength = columns["hsi_ratio"], columns["diameter"], columns["wavelength"]
    low, high = settings.wavelengths
    found = [
        *find_problem(
            f"diameter is {{}}, expected a positive size in nm, below {LARGEST:g}",
            ~((size > 0) & (size < LARGEST)),
            lines,
            size,
        ),
        *find_problem("hsi_ratio is {}, expected 0 to 3", ~((hsi >= 0) & (hsi <= 3)), lines, hsi),
        *wrong_sums(columns, FRACTIONS, settings.fraction_tolerance, lines),
        *find_problem(
            f"wavelength is {{}} nm, expected {low:g} to {high:g}",
            ~((wavelength >= low) & (wavelength <= high)),
            lines,
            wavelength,
        ),
    ]
    if "n_coord" in columns:
        excess = columns["n_coord"] - (4.0 - hsi)
        found += find_problem(
            "n_coord lies {} from 4 - HSi_ratio, expected equality within "
            f"{settings.coordination_tolerance} (each hydrogen ends one bond)",
            np.abs(excess) > settings.coordination_tolerance,
            lines,
            excess,
        )
    return found
