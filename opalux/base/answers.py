"""What a command says to a script: ``--quiet`` for faults alone, ``--json`` for one object."""

import contextlib
import io
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from opalux.base.run_folder import last_folder, read_marker

_FAULTS = ("error:", "warning:")
_RANKS = ("OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "RANK")
"""Where launchers tell a process its number."""


class Faults(io.TextIOBase):
    """Standard error that lets only errors and warnings pass, whole, with their further lines."""

    def __init__(self, target: TextIO) -> None:
        self._target = target
        self._started = ""
        self._passing = False

    def write(self, text: str) -> int:
        """Take text; lines are judged once they are complete."""
        *lines, self._started = (self._started + text).split("\n")
        for line in lines:
            if not line.startswith(" "):
                self._passing = line.startswith(_FAULTS)
            if self._passing:
                self._target.write(line + "\n")
        return len(text)

    def flush(self) -> None:
        """Show what has passed."""
        self._target.flush()

    def fileno(self) -> int:
        """Return the descriptor below, for processes that inherit it."""
        return self._target.fileno()


@contextlib.contextmanager
def quiet(asked: bool) -> Iterator[None]:
    """Show nothing but errors and warnings while inside, if that is asked for."""
    if not asked:
        yield
        return
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(Faults(sys.stderr)),
    ):
        yield


class _Overheard(io.TextIOBase):
    """Standard error that keeps a copy of the faults."""

    def __init__(self, target: TextIO, faults: Faults) -> None:
        self._target, self._faults = target, faults

    def write(self, text: str) -> int:
        """Show text."""
        self._faults.write(text)
        return self._target.write(text)

    def flush(self) -> None:
        """Show what is not yet shown."""
        self._target.flush()

    def fileno(self) -> int:
        """Return the descriptor below, for processes that inherit it."""
        return self._target.fileno()


class Answer:
    """What ``--json`` prints at the end of a command, on the first of its processes."""

    def __init__(self, job: str) -> None:
        self._job = job
        self._printed, self._faults = io.StringIO(), io.StringIO()

    @contextlib.contextmanager
    def instead(self) -> Iterator[None]:
        """Keep what is printed while inside, for the object."""
        heard = _Overheard(sys.stderr, Faults(self._faults))
        with contextlib.redirect_stdout(self._printed), contextlib.redirect_stderr(heard):
            yield

    def show(self, code: int) -> None:
        """Print the object: job, exit code, errors and warnings, folder, text, JSON files."""
        if any(os.environ.get(name, "0") != "0" for name in _RANKS):
            return
        folder = last_folder()
        found = {
            "job": self._job,
            "exit_code": code,
            "faults": self._faults.getvalue().rstrip("\n") or None,
            "folder": None if folder is None else str(folder),
            "printed": self._printed.getvalue().rstrip("\n"),
            "files": {} if folder is None else _json_files(folder),
        }
        print(json.dumps(found, ensure_ascii=False, indent=1))


def _json_files(folder: Path) -> dict[str, object]:
    """Return the content of the JSON files that the run in ``folder`` made, by name."""
    made = (read_marker(folder) or {}).get("makes", [])
    names = sorted(name for name in made if name.endswith(".json") and "*" not in name)
    found: dict[str, object] = {}
    for name in names:
        with contextlib.suppress(OSError, ValueError):
            found[name] = json.loads((folder / name).read_text(encoding="utf-8"))
    return found
