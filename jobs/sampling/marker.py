"""Progress marker of a part; read by `status` and by the worker that takes the part over."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pydantic

from opalux.base.locks import try_lock
from opalux.learning.data.card import part_name

RUNNING = ".running"
"""Folder of the markers, one for each part in work."""

SIZE = 1024
"""All markers are padded to this length, so that a new one covers the old one [bytes]."""


@contextlib.contextmanager
def claimed(folder: Path, part: int) -> Iterator[bool]:
    """Give whether this process may make a part: no other living process is at it.

    The system gives the claim up when the process dies. On a file system without locks everybody
    may; a part that is made twice has the same bits.
    """
    path = folder / RUNNING / f"{part_name(part)}.lock"
    path.parent.mkdir(exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        yield try_lock(handle)
    finally:
        os.close(handle)


class Marker(pydantic.BaseModel):
    """Who works on a part, and how far the work is.

    Attributes
    ----------
    session, host, pid : who works on it
    started, updated : start of the work, and last sign of life [s since 1970]
    sample : the sample in work
    done : number of samples of the part that are done
    deaths : sample to the number of workers that died on it
    """

    session: str
    host: str
    pid: int
    started: float
    updated: float
    sample: int
    done: int = 0
    deaths: dict[int, int] = {}

    @staticmethod
    def path(folder: Path, part: int) -> Path:
        """Return the path of the marker of a part."""
        return folder / RUNNING / f"{part_name(part)}.json"

    @classmethod
    def read(cls, path: Path) -> "Marker | None":
        """Return the marker at ``path``, or None when there is none that can be read."""
        try:
            return cls.model_validate_json(path.read_text())
        except (OSError, ValueError):
            return None

    def write(self, path: Path) -> None:
        """Write the marker over the one at ``path``, in place and with one write.

        It is written before every sample, and renaming a file would make the file system flush
        each time. A marker that is torn because its writer died counts as none.
        """
        with path.open("r+b" if path.exists() else "wb") as file:
            file.write(self.model_dump_json().encode().ljust(SIZE))
