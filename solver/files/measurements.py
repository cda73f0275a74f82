"""The long table of measured signals: one value a row, as CSV or HDF5.

    # Lines that begin with # are comments.
    source,edge,quantity,position [cm],time [sh],value,sigma
    left,up,E,0.015625,0.000157,8.5751,0.012

Columns stand in any order, and so do rows. `sigma` and `width [cm]` may be left out, and `sigma`
may be empty in some rows. A detector inside the domain has `x [cm]` and `y [cm]`, and no edge and
position. Lengths are in cm, mm or µm, times in sh, ns, ps or s (1 sh = 10 ns).
HDF5 has the same columns as data sets (n,), named in the same way, or with the unit as their
attribute ``units``.
"""

import csv
import dataclasses
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from opalux.base.errors import InputError
from opalux.base.files import atomic
from opalux.base.hdf5 import describe
from opalux.solver.files.table_columns import (
    HEADER,
    TEXTS,
    UNITS,
    column_names,
    numbers,
    places,
    texts,
)
from opalux.solver.inversion.rows import Rows


@dataclasses.dataclass(frozen=True, eq=False)
class Table:
    """One file of measured signals.

    Attributes
    ----------
    path : the file
    rows : its content
    lines : (n,) number of the line, or of the row of an HDF5 file, for messages
    """

    path: Path
    rows: Rows
    lines: NDArray[np.int64]

    def place(self, row: int, column: str) -> str:
        """Return where a value stands, for messages."""
        word = "line" if self.path.suffix.lower() == ".csv" else "row"
        return f"{self.path}: {word} {self.lines[row]}, column {column}"


def is_table(path: Path) -> bool:
    """Return whether a .csv or .h5 file looks like a long table, good or bad."""
    if path.suffix.lower() == ".h5":
        try:
            with h5py.File(path, "r") as file:
                return "signals" not in file
        except (OSError, RuntimeError):  # what h5py says of damage depends on its place
            return False
    return "x_min" not in next(iter(_lines(path)), (0, [""]))[1]


def read_table(path: Path) -> Table:
    """Read a long table.

    Raises
    ------
    InputError
        Names the file, the line and the column, what was found and what is expected.
    """
    columns, lines = (_from_hdf5 if path.suffix.lower() == ".h5" else _from_csv)(path)
    names = column_names(path, list(columns))
    n = len(lines)
    if n == 0:
        raise InputError(f"{path}: found no rows, expected at least one below the header")
    word = "line" if path.suffix.lower() == ".csv" else "row"
    none = np.full(n, np.nan)
    filled: dict[str, Any] = {
        "width": np.zeros(n), "sigma": none, "x": none, "y": none, "position": none,
        "edge": np.full(n, ""),
    }  # fmt: skip
    for title, (name, scale) in names.items():
        where = f"column {name}"

        def place(row: int, where: str = where) -> str:
            return f"{path}: {word} {lines[row]}, {where}"

        given = columns[title]
        if name in TEXTS:
            filled[name] = texts(given, name, place)
        else:
            filled[name] = numbers(given, name, place) * scale
    places(
        filled["edge"], filled["position"], (filled["x"], filled["y"]), filled["quantity"],
        lambda row: f"{path}: {word} {lines[row]}",
    )  # fmt: skip
    for name in ("position", "x", "y"):
        filled[name] = np.nan_to_num(filled[name])
    rows = Rows(**{field.name: filled[field.name] for field in dataclasses.fields(Rows)})
    table = Table(path, rows, lines)
    if twice := rows.first_repeated():
        raise InputError(
            f"{path}: {word} {lines[twice[1]]}: found the source, edge, quantity, place and time "
            f"of {word} {lines[twice[0]]} again, expected each once; average what was measured "
            "twice, and lower its sigma"
        )
    return table


def write_table(path: Path, rows: Rows, comments: tuple[str, ...] = ()) -> None:
    """Write a long table, as CSV or, where the name ends in .h5, as HDF5."""
    titles = ["source", "edge", "quantity", "position [cm]", "time [sh]", "value"]
    names = ["source", "edge", "quantity", "position", "time", "value"]
    if rows.inside.any():
        titles[4:4] = ["x [cm]", "y [cm]"]
        names[4:4] = ["x", "y"]
    if (rows.width > 0).any():
        titles.insert(-2, "width [cm]")
        names.insert(-2, "width")
    if np.isfinite(rows.sigma).any():
        titles.append("sigma")
        names.append("sigma")
    columns = {name: getattr(rows, name) for name in names}
    for name in {"position", "x", "y"}.intersection(names):
        unused = rows.inside if name == "position" else ~rows.inside
        columns[name] = np.where(unused, np.nan, columns[name])
    with atomic(path) as temporary:
        if path.suffix.lower() == ".h5":
            with h5py.File(temporary, "w") as file:
                for name, values in columns.items():
                    if name in TEXTS:
                        file.create_dataset(name, data=values.astype(bytes))
                    else:
                        unit = "sh" if name == "time" else "cm" if name in UNITS else None
                        describe(file.create_dataset(name, data=values), unit)
            return
        with temporary.open("w", newline="", encoding="utf-8") as text:
            text.writelines(f"# {line}\n" for line in comments)
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow(titles)
            shown = [
                [_short(value) for value in column.tolist()] if name not in TEXTS else column
                for name, column in columns.items()
            ]
            writer.writerows(zip(*shown, strict=True))


def _short(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.9g}"


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the fields of each line that is no comment."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            csv.field_size_limit(2**31 - 1)
            numbered = ((n, line) for n, line in enumerate(file, start=1))
            kept = ((n, s) for n, s in numbered if s.strip() and not s.lstrip().startswith("#"))
            ours, theirs = itertools.tee(kept)
            for (number, _), fields in zip(ours, csv.reader(s for _, s in theirs), strict=True):
                yield number, fields
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; give a table of measured signals") from None
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: found a byte {error.object[error.start]:#04x} that is no text in UTF-8, "
            "expected a table as text; save it as CSV in UTF-8"
        ) from None
    except (OSError, csv.Error, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error})") from None


def _from_csv(path: Path) -> tuple[dict[str, Any], NDArray[np.int64]]:
    content = _lines(path)
    first = next(content, None)
    if first is None:
        raise InputError(f"{path}: found no header, expected '{HEADER}'")
    titles = [title.strip() for title in first[1]]
    other = next((mark for mark in ";\t|" if mark in first[1][0]), None)
    if other is not None:
        raise InputError(
            f"{path}: line {first[0]}: found columns divided by {other!r}, expected commas, and "
            "decimal points in numbers; save it so"
        )
    if len(set(titles)) < len(titles):
        double = next(title for title in titles if titles.count(title) > 1)
        raise InputError(f"{path}: line {first[0]}: found column '{double}' twice; keep one")
    lines, rows = [], []
    for number, fields in content:
        if len(fields) != len(titles):
            raise InputError(
                f"{path}: line {number}: found {len(fields)} fields, expected {len(titles)} as in "
                "the header"
            )
        lines.append(number)
        rows.append(fields)
    columns = list(zip(*rows, strict=True)) if rows else [() for _ in titles]
    return dict(zip(titles, columns, strict=True)), np.array(lines, dtype=np.int64)


def _from_hdf5(path: Path) -> tuple[dict[str, Any], NDArray[np.int64]]:
    columns: dict[str, Any] = {}
    try:
        with h5py.File(path, "r") as file:
            for name, found in file.items():
                if not isinstance(found, h5py.Dataset) or found.ndim != 1:
                    raise InputError(
                        f"{path}: {name}: found no array (n,), expected the columns '{HEADER}'"
                    )
                unit = found.attrs.get("units", "")
                unit = unit.decode() if isinstance(unit, bytes) else str(unit)
                title = f"{name} [{unit}]" if unit and name in UNITS else str(name)
                columns[title] = found.asstr()[()] if found.dtype.kind in "SO" else found[()]
    except (OSError, LookupError, RuntimeError, TypeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error})") from None
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise InputError(f"{path}: found columns of lengths {lengths}, expected one length")
    return columns, np.arange(max(lengths.values(), default=0), dtype=np.int64)
