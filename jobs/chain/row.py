"""A line of the table of ``opalux status``, and reading the files that it is made of."""

import dataclasses
import json
from pathlib import Path
from typing import Any

from opalux.base.errors import InputError
from opalux.base.run_folder import CONFIG_NAME
from opalux.base.yaml_text import parse_yaml


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """A line of the table.

    Attributes
    ----------
    name : of the stage
    state : done, running, waiting, stopped, not started, out of date or unreadable
    progress : how much is done
    note : what is worth knowing
    """

    name: str
    state: str
    progress: str = ""
    note: str = ""


def newer(path: Path, *others: Path) -> bool:
    """Return whether ``path`` exists and is not older than any of ``others``, which must exist."""
    try:
        written = path.stat().st_mtime
        return all(other.stat().st_mtime <= written for other in others)
    except FileNotFoundError:
        return False


def started(folder: Path) -> bool:
    """Return whether a run began in ``folder``: its configuration is written first."""
    return (folder / CONFIG_NAME).is_file()


def read_json(path: Path) -> dict[str, Any]:
    """Return the JSON object in ``path``; an empty one when there is no such file.

    Raises
    ------
    InputError
        When the file holds something else.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: cannot be read ({error})") from None
    if not isinstance(found, dict):
        raise InputError(
            f"{path}: found {type(found).__name__}, expected an object in JSON; the file was "
            "not written by Opalux or was changed"
        )
    return found


def read_json_lines(path: Path) -> tuple[list[dict[str, Any]], list[int]]:
    """Return the JSON objects of ``path``, one a line, and the numbers of the broken lines.

    The last line does not count as broken: it may be half written.
    """
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return [], []
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error})") from None
    found, broken = [], []
    for number, line in enumerate(lines, 1):
        try:
            one = json.loads(line)
        except (ValueError, RecursionError):
            one = None
        if isinstance(one, dict):
            found.append(one)
        elif number < len(lines):
            broken.append(number)
    return found, broken


def read_settings(folder: Path) -> dict[str, Any]:
    """Return what the configuration of the run in ``folder`` says; {} when it cannot be read."""
    try:
        return parse_yaml((folder / CONFIG_NAME).read_text(encoding="utf-8"), CONFIG_NAME)
    except (OSError, ValueError):
        return {}


def is_number(value: Any) -> bool:
    """Return whether a value read from JSON is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)
