"""Read the header and the rows of a CSV or XLSX file, without changing them."""

import contextlib
import csv
import io
from pathlib import Path
from typing import Any

from opalux.base.errors import InputError

Rows = list[tuple[int, list[Any]]]
"""Line number in the file, and cells, of each row."""


def read_file(file: Path, sheet: str | None) -> tuple[list[str], Rows]:
    """Return header and rows of a file, without empty rows.

    Parameters
    ----------
    file : the ending of its name tells the format
    sheet : of an XLSX file; None is the first

    Raises
    ------
    InputError
        When there is no such file, or its format is not known or not valid.
    """
    try:
        if file.suffix.lower() == ".xlsx":
            return _xlsx_rows(file, sheet)
        if file.suffix.lower() in (".csv", ".txt", ".tsv"):
            return csv_rows(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise InputError(
            f"{file}: no such file; give the path of the table relative to the configuration, or "
            "leave `file` out to use the rebuilt set"
        ) from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{file}: cannot be read ({error})") from None
    raise InputError(f"{file}: found a {file.suffix or 'nameless'} file; expected .csv or .xlsx")


def csv_rows(text: str) -> tuple[list[str], Rows]:
    """Return header and rows of CSV text; the header shows whether , ; or tab separates cells."""
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    return _split([(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)])


def _xlsx_rows(file: Path, sheet: str | None) -> tuple[list[str], Rows]:
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
            lines = [(i, list(row)) for i, row in rows if any(cell is not None for cell in row)]
    except (FileNotFoundError, InputError):
        raise
    except Exception as error:  # openpyxl raises whatever its zip and XML readers raise
        raise InputError(f"{file}: not a readable XLSX file ({error}); save it again") from None
    return _split(lines)


def _split(lines: Rows) -> tuple[list[str], Rows]:
    if not lines:
        return [], []
    header = ["" if cell is None else str(cell).strip() for cell in lines[0][1]]
    padded = [(line, cells + [None] * (len(header) - len(cells))) for line, cells in lines[1:]]
    return header, padded
