"""A journal of results: what is in it is not computed again after a kill."""

import json
from pathlib import Path
from typing import Any

from opalux.base.files import write_text


class Journal:
    """Results by number, one line each; the file is valid after a kill at any time.

    Parameters
    ----------
    path : of the file; an incomplete last line is dropped
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        whole, newline, rest = text.rpartition("\n")
        self.entries: dict[int, Any] = {}
        for line in whole.splitlines() if newline else []:
            number, result = json.loads(line)
            self.entries[number] = result
        if rest:
            write_text(path, whole + newline)

    def add(self, number: int, result: Any) -> None:
        """Append one result; it is in the file when this returns."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps([number, result]) + "\n")
        self.entries[number] = result
