"""Read the table of any subject: its columns by their titles, and nothing assumed about them."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opalux.base.errors import InputError
from opalux.learning.siqd.tables.cells import numbers
from opalux.learning.siqd.tables.sheets import Sheet
from opalux.learning.siqd.tables.table import Problem, Table, find_problem, refuse
from opalux.learning.siqd.tables.units import split_title


@dataclasses.dataclass(frozen=True, kw_only=True)
class Wanted:
    """The columns that a study needs.

    Attributes
    ----------
    columns : titles of the columns of numbers
    name : title of the column of names; None: there is none
    parts : groups of columns that sum to 1 in each row
    tolerance : largest difference of such a sum from 1
    titles : title in the file, of columns that are called otherwise there
    """

    columns: tuple[str, ...]
    name: str | None = None
    parts: tuple[tuple[str, ...], ...] = ()
    tolerance: float = 0.02
    titles: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def recognise(self, header: list[str]) -> int:
        """Return how many of the columns a header has."""
        plain = {plain_title(title) for title in header}
        exact = set(header)
        return sum(
            self.titles[name] in exact if name in self.titles else plain_title(name) in plain
            for name in self.columns
        )


def plain_title(title: str) -> str:
    """Return a title without unit, case and punctuation."""
    return re.sub(r"\W|_", "", split_title(title)[0].lower())


def table_of(sheet: Sheet, wanted: Wanted) -> Table:
    """Return the wanted columns of a sheet, checked.

    Raises
    ------
    InputError
        When there are no rows, a column is missing or not unique, a value is no finite number, or
        parts do not sum to 1.
    """
    if not sheet.rows:
        raise InputError(
            f"{sheet.origin}: found no rows; expected one a line below the titles of the columns"
        )
    places = {name: _place(sheet, name, wanted) for name in wanted.columns}
    columns, problems = {}, []
    fractions = {name for group in wanted.parts for name in group}
    for name, place in places.items():
        cells = [row[place] for row in sheet.rows]
        values, bad = column_of_numbers(name, cells, sheet.lines)
        in_percent = split_title(sheet.header[place])[1] == "%" or any("%" in str(c) for c in cells)
        columns[name] = values / 100.0 if name in fractions and in_percent else values
        problems += bad
    refuse(problems, sheet.origin)
    refuse(
        [
            problem
            for group in wanted.parts
            for problem in wrong_sums(columns, group, wanted.tolerance, sheet.lines)
        ],
        sheet.origin,
    )
    if wanted.name is None:
        names = tuple(f"row {line}" for line in sheet.lines)
    else:
        place = _place(sheet, wanted.name, wanted)
        names = tuple(str(row[place]) for row in sheet.rows)
    return Table(origin=sheet.origin, names=names, columns=columns)


def _place(sheet: Sheet, name: str, wanted: Wanted) -> int:
    title = wanted.titles.get(name)
    if title is not None:
        found = [i for i, own in enumerate(sheet.header) if own == title]
    else:
        found = [i for i, own in enumerate(sheet.header) if plain_title(own) == plain_title(name)]
    if len(found) > 1:
        raise InputError(
            f"{sheet.origin}: columns {', '.join(str(i + 1) for i in found)} are all called "
            f"{title or name!r}; give each a title of its own"
        )
    if not found:
        raise InputError(
            f"{sheet.origin}: no column {title or name!r}; found {', '.join(sheet.header)}; name "
            f"it in the configuration, such as data.columns: {{{name!r}: 'its title'}}"
        )
    return found[0]


def column_of_numbers(
    name: str, cells: Sequence[Any], lines: Sequence[int]
) -> tuple[NDArray[np.float64], list[Problem]]:
    """Return the numbers of a column (n,), and the cells that are none."""
    values, _ = numbers(list(cells))
    return values, find_problem(
        f"{name} is {{}}, expected a finite number", ~np.isfinite(values), lines, cells
    )


def wrong_sums(
    columns: Mapping[str, NDArray[np.float64]],
    group: Sequence[str],
    tolerance: float,
    lines: Sequence[int],
) -> list[Problem]:
    """Return the rows in which parts of a whole are negative or do not sum to 1."""
    parts = np.column_stack([columns[name] for name in group])
    total, smallest = parts.sum(axis=1), parts.min(axis=1)
    hint = "; are they in percent? Write % into their titles" if np.median(total) > 50.0 else ""
    names = ", ".join(group)
    return [
        *find_problem(
            f"the smallest of {names} is {{}}, expected 0 to 1", smallest < 0, lines, smallest
        ),
        *find_problem(
            f"{names} sum to {{}}, expected 1 within {tolerance:g}{hint}",
            ~(np.abs(total - 1.0) <= tolerance),
            lines,
            total,
        ),
    ]
