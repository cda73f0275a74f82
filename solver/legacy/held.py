"""The simulations that an export file holds already, to which more are added."""

import csv
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from opalux.base.errors import InputError
from opalux.solver.legacy.dataframe import (
    COLUMNS,
    check_row,
    csv_text,
    row_checksum,
    row_key,
    rows_of,
)
from opalux.solver.legacy.origins import checksum
from opalux.solver.legacy.sds import SdsHeader, join_sds, split_sds

INSTEAD = "so nothing can be added; use another file or write: truncate"


@dataclasses.dataclass(frozen=True)
class Held:
    """The simulations in an export file.

    Attributes
    ----------
    content : the whole file
    records : each simulation: its bytes in an sds02 file, its cells in a CSV
    header : of an sds02 file; None: a CSV
    """

    content: bytes
    records: Sequence[Any]
    header: SdsHeader | None

    def key(self, record: Any) -> Any:
        """Return what says which simulation a record is: its source and its density."""
        return record[: self.header.key_length] if self.header else row_key(record)

    def checksum(self, record: Any) -> str:
        """Return the name by which the origin of a simulation is found."""
        return checksum(record) if self.header else row_checksum(record)

    def added(self, record: Any) -> "Held":
        """Return this file with ``record`` in the place of that of its key, or else at the end."""
        own = self.key(record)
        keys = [self.key(one) for one in self.records]
        replaces = own in keys
        place = keys.index(own) if replaces else len(keys)
        rest = [one for one, key in zip(self.records, keys, strict=True) if key != own]
        records = [*rest[:place], record, *rest[place:]]
        if self.header:
            header = self.header._replace(simulations=max(self.header.simulations, len(records)))
            return Held(join_sds(header, records), records, header)
        if replaces:
            return Held(csv_text([COLUMNS, *records]).encode(), records, None)
        before = self.content or csv_text([COLUMNS]).encode()
        return Held(before + csv_text([record]).encode(), records, None)


def read_held(path: Path, empty: SdsHeader | None) -> Held:
    """Return what the file ``path`` holds; nothing where there is no file.

    Parameters
    ----------
    empty : header of an sds02 file that is begun here; None: a CSV

    Raises
    ------
    InputError
        When the file cannot be read, is of another kind or grid, or is cut off.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        content = b""
    except (OSError, ValueError) as error:  # ValueError: a name that holds a null character
        raise InputError(f"export.file: cannot read {path} ({error}); choose another") from None
    if not content:
        return Held(b"", [], empty)
    return _csv(content, path) if empty is None else _sds(content, path, empty)


def _sds(content: bytes, path: Path, expected: SdsHeader) -> Held:
    try:
        header, records = split_sds(content, path)
    except InputError as error:
        raise InputError(f"export.file: {error}; nothing can be added to it") from None
    if header[1:] != expected[1:]:
        found = "{} x {} cells and {} steps"
        raise InputError(
            f"export.file: {path} is no sds02 file of {found.format(*expected[1:])}, but of "
            f"{found.format(*header[1:])}, {INSTEAD}"
        )
    if len(records) > header.simulations:
        raise InputError(
            f"export.file: {path} announces {header.simulations} simulations and holds "
            f"{len(records)}, {INSTEAD}"
        )
    larger = max(header.simulations, expected.simulations)
    return Held(content, records, header._replace(simulations=larger))


def _csv(content: bytes, path: Path) -> Held:
    try:
        header, *rows = rows_of(content.decode("utf-8-sig")) or [[]]
    except (UnicodeDecodeError, csv.Error):
        header, rows = [], []
    if header != COLUMNS:
        raise InputError(f"export.file: {path} holds no dataframe of this kind, {INSTEAD}")
    for number, row in enumerate(rows, 1):
        check_row(row, f"export.file: {path}, simulation {number}")
    if not content.endswith((b"\n", b"\r")):
        raise InputError(f"export.file: {path} does not end with a whole line, {INSTEAD}")
    return Held(content, rows, None)
