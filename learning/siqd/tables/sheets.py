"""Find the header and the rows of a CSV or XLSX file.

The header is the line in which most of the wanted columns are recognised. What stands above it is
a title; a line of units below it is joined to it. Text may be UTF-8, UTF-16 or Latin-1.
"""

import codecs
import contextlib
import csv
import dataclasses
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from opalux.base.errors import InputError
from opalux.learning.siqd.tables.cells import is_number
from opalux.learning.siqd.tables.units import is_unit

DELIMITERS = ",;\t|"
TITLE_LINES = 20
"""The header stands in one of the first lines."""

Lines = list[tuple[int, list[Any]]]
"""Line number in the file, and cells, of each line that is not empty."""
Recognise = Callable[[list[str]], int]
"""Tells how many wanted columns a header has."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sheet:
    """A table as it stands in the file.

    Attributes
    ----------
    origin : name of the file
    header : titles, with the units of a line of units in brackets
    lines : line number of each row (n,)
    rows : cells of each row (n,), as many as there are titles
    """

    origin: str
    header: list[str]
    lines: list[int]
    rows: list[list[Any]]


def read_sheet(file: Path, sheet: str | None, recognise: Recognise) -> Sheet:
    """Return the table of a file.

    Parameters
    ----------
    file : the ending of its name tells the format
    sheet : of an XLSX file; None is the first
    recognise : tells how many wanted columns a header has

    Raises
    ------
    InputError
        When there is no such file, or its format is not known or not valid.
    """
    try:
        if file.suffix.lower() == ".xlsx":
            return _split(str(file), _xlsx_lines(file, sheet), recognise)
        if file.suffix.lower() in (".csv", ".txt", ".tsv", ".dat"):
            return parse_text(str(file), _decoded(file.read_bytes()), recognise)
    except FileNotFoundError:
        raise InputError(
            f"{file}: no such file; give the path of the table relative to the configuration, or "
            "leave `file` out to use the rebuilt set"
        ) from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"{file}: cannot be read ({error}); save the table again, as CSV in UTF-8"
        ) from None
    raise InputError(
        f"{file}: found a {file.suffix or 'nameless'} file; expected .csv or .xlsx; save the table "
        "as one of them"
    )


def parse_text(origin: str, text: str, recognise: Recognise) -> Sheet:
    """Return the table of CSV text; the delimiter is the one that gives most wanted columns."""
    best: tuple[int, Lines] = (-1, [])
    for delimiter in DELIMITERS:
        reader = csv.reader(io.StringIO(text), delimiter=delimiter)
        lines = [
            (reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)
        ]
        found = max((recognise(_titles(cells)) for _, cells in lines[:TITLE_LINES]), default=0)
        if found > best[0]:
            best = found, lines
    return _split(origin, best[1], recognise)


def _decoded(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16")
    if b"\0" in content:
        raise UnicodeDecodeError("utf-8", content, content.index(b"\0"), -1, "no text")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _xlsx_lines(file: Path, sheet: str | None) -> Lines:
    try:
        from openpyxl import load_workbook  # type: ignore[import-untyped]
    except ImportError:
        raise InputError(
            f"{file}: reading XLSX needs openpyxl, which is not installed; install it "
            "(pip install openpyxl) or save the table as CSV"
        ) from None
    try:
        with contextlib.closing(load_workbook(file, read_only=True, data_only=True)) as book:
            names = book.sheetnames
            if sheet is not None and sheet not in names:
                raise InputError(f"{file}: no sheet {sheet!r}; choose among {', '.join(names)}")
            rows = enumerate(book[sheet or names[0]].iter_rows(values_only=True), start=1)
            return [(i, list(row)) for i, row in rows if any(cell is not None for cell in row)]
    except (FileNotFoundError, InputError):
        raise
    except Exception as error:  # openpyxl raises whatever its zip and XML readers raise
        raise InputError(f"{file}: not a readable XLSX file ({error}); save it again") from None


def _titles(cells: list[Any]) -> list[str]:
    titles = ["" if cell is None else str(cell).strip() for cell in cells]
    if titles and titles[0].startswith("#"):
        titles[0] = titles[0].lstrip("# ")
    return titles


def _split(origin: str, lines: Lines, recognise: Recognise) -> Sheet:
    if not lines:
        return Sheet(origin=origin, header=[], lines=[], rows=[])
    counts = [recognise(_titles(cells)) for _, cells in lines[:TITLE_LINES]]
    place = counts.index(max(counts))
    header, rest = _titles(lines[place][1]), lines[place + 1 :]
    if rest and _is_line_of_units(rest[0][1]):
        units = _titles(rest[0][1]) + [""] * len(header)
        header = [
            f"{title} [{unit.strip('[]()')}]" if unit else title
            for title, unit in zip(header, units, strict=False)
        ]
        rest = rest[1:]
    kept = [
        (line, cells) for line, cells in rest if not str(cells[0] or "").lstrip().startswith("#")
    ]
    width = len(header)
    return Sheet(
        origin=origin,
        header=header,
        lines=[line for line, _ in kept],
        rows=[(cells + [None] * width)[: max(width, len(cells))] for _, cells in kept],
    )


def _is_line_of_units(cells: list[Any]) -> bool:
    given = [text for text in _titles(cells) if text]
    return any(is_unit(text) for text in given) and not any(is_number(text) for text in given)
