"""A journal of results: what is in it is not computed again after a kill."""

import json
import zlib
from pathlib import Path
from typing import Any

from opalux.base.errors import InputError, StorageError
from opalux.base.files import write_text


class Journal:
    """Results by number, one line each; the file is valid after a kill at any time.

    A line is [number, result, checksum of the two], so that a damaged one is not taken for a
    result.

    Parameters
    ----------
    path : of the file; an incomplete last line is dropped

    Raises
    ------
    InputError
        When it cannot be read, or a line is none that was written; the message names it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            text = path.read_text(encoding="utf-8") if path.exists() else ""
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"{path}: cannot be read ({error}); remove the file, and its results are computed "
                "again"
            ) from None
        whole, newline, rest = text.rpartition("\n")
        self.entries: dict[int, Any] = {}
        for place, line in enumerate(whole.split("\n") if newline else [], start=1):
            try:
                number, result, mark = json.loads(line)
                if type(number) is not int or mark != _checksum(number, result):
                    raise ValueError
            except (ValueError, TypeError, RecursionError):
                raise InputError(
                    f"{path}, line {place}: found {line[:40]!r}, expected a line that `opalux "
                    "siqd` wrote; remove the line, and its result is computed again"
                ) from None
            self.entries[number] = result
        if rest:
            write_text(path, whole + newline)

    def add(self, number: int, result: Any) -> None:
        """Append one result; it is in the file when this returns.

        Raises
        ------
        StorageError
            When the disk is full.
        """
        line = json.dumps([number, result, _checksum(number, result)]) + "\n"
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(line)
        except OSError as error:
            raise StorageError.of(error, self._path) from None
        self.entries[number] = result


def _checksum(number: int, result: Any) -> int:
    return zlib.crc32(json.dumps([number, result]).encode())
