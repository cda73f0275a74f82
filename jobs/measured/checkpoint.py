"""The answers of an inversion on the disk, one after the other, as they are computed.

A file of records that only grows: to keep an answer costs what the answer is large, however many
went before, and none need stay in memory. A kill leaves at most the last record unfinished, which
is computed again.
"""

import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from opalux.base.errors import InputError, StorageError
from opalux.solver.inversion.journal import Answer

NAME = "checkpoint.bin"
_HEAD = struct.Struct("<QI")
"""Of each record: the size of its content [bytes], and the checksum of it."""
_MARK = struct.Struct("<I")
"""After the head: its own checksum, so that a wrong size is not taken for the end of the file."""


class Checkpoint:
    """The answers of one inversion.

    Parameters
    ----------
    out : folder of the run; answers of an earlier run in it are kept
    fingerprint : names what is inverted
    name : of the file

    Raises
    ------
    InputError
        When the file is damaged, or is of other signals.
    """

    def __init__(self, out: Path, fingerprint: str, name: str = NAME) -> None:
        self._path = out / name
        self._end = 0
        """Where the last whole record ends."""
        try:
            self._check(fingerprint.encode())
        except OSError as error:
            raise InputError(f"{self._path}: cannot be read ({error.strerror})") from None

    def _check(self, fingerprint: bytes) -> None:
        if self._path.exists():
            with self._path.open("rb") as file:
                first = next(_records(file, self._path), fingerprint)
                if first != fingerprint:
                    raise InputError(
                        f"{self._path}: is of other signals; give the same files, or --force to "
                        "start afresh"
                    )
                file.seek(0)
                for _ in _records(file, self._path):
                    self._end = file.tell()
        if not self._end:
            self._add(fingerprint)

    def known(self) -> Iterator[Answer]:
        """Yield the answers of the earlier run, in their order."""
        if not self._end:
            return
        with self._path.open("rb") as file:
            end, records = self._end, _records(file, self._path)
            next(records)
            while file.tell() < end:
                yield _unpacked(next(records))

    def keep(self, answer: Answer) -> None:
        """Append an answer; it is in the file when this returns.

        Raises
        ------
        StorageError
            When the disk is full.
        """
        content = io.BytesIO()
        for part in answer:
            np.save(content, part, allow_pickle=False)
        self._add(content.getvalue())

    def _add(self, content: bytes) -> None:
        head = _HEAD.pack(len(content), zlib.crc32(content))
        try:
            with self._path.open("r+b" if self._path.exists() else "wb") as file:
                file.seek(self._end)
                file.truncate()
                file.write(head + _MARK.pack(zlib.crc32(head)) + content)
        except OSError as error:
            raise StorageError.of(error, self._path) from None
        self._end += len(head) + _MARK.size + len(content)


def _records(file: BinaryIO, path: Path) -> Iterator[bytes]:
    """Yield the content of each whole record; one that the file's end cuts off is left out."""
    whole = path.stat().st_size
    while file.tell() + _HEAD.size + _MARK.size <= whole:
        head, mark = file.read(_HEAD.size), file.read(_MARK.size)
        size, checksum = _HEAD.unpack(head)
        sound = zlib.crc32(head) == _MARK.unpack(mark)[0]
        if sound and file.tell() + size > whole:
            return
        content = file.read(size) if sound else b""
        if not sound or zlib.crc32(content) != checksum:
            raise InputError(
                f"{path}: is damaged (before byte {file.tell()}); remove it, or give --force, to "
                "start afresh"
            )
        yield content


def _unpacked(content: bytes) -> Answer:
    file, parts = io.BytesIO(content), list[np.ndarray]()
    while file.tell() < len(content):
        parts.append(np.load(file, allow_pickle=False))
    return tuple(parts)
