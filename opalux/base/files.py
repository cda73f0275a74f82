"""Writing files whole or not at all."""

import contextlib
import json
import os
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from opalux.base.errors import NO_ROOM


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Give a temporary name beside ``path``; rename it to ``path`` when the block succeeds.

    A reader never sees a half-written file. When the writer is killed, the old file stays as it
    was. The content is on the disk before the name changes, so that even a crash of the machine
    leaves no empty file.
    """
    own = f"{platform.node()}.{os.getpid()}"  # processes on several hosts share a folder
    temporary = path.with_name(f".{path.name}.{own}.part{path.suffix}")
    try:
        yield temporary
        replace(temporary, path)
    except OSError as error:
        if error.errno in NO_ROOM:
            error.filename = str(path)  # a failed write does not know it
        raise
    finally:
        temporary.unlink(missing_ok=True)


def replace(temporary: Path, path: Path) -> None:
    """Bring the content of a complete file to the disk, then rename the file to ``path``."""
    sync(temporary)
    os.replace(temporary, path)
    sync(path.parent)  # the name itself


def sync(path: Path) -> None:
    """Bring the content of a file, or the names in a folder, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Write ``text`` in UTF-8, atomically."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Any) -> None:
    """Write ``content`` as JSON, atomically."""
    write_text(path, json.dumps(content, indent=2, allow_nan=False) + "\n")
