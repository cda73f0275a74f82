"""A seal on an HDF5 file: whether its bytes are those that were written, told before HDF5 reads it.

A flipped bit in the structure of an HDF5 file can make HDF5 loop for ever or crash. So the file
begins with a block of text, where HDF5 leaves room for its user, that gives the file's size and a
SHA-256 of everything except the large arrays, which may still change. The block is a part of the
file, so that no kill can come between the two.
"""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from opalux.base.errors import InputError

_FORM = re.compile(
    rb"opalux seal 1\nblock (\d{1,9})\nsize (\d{1,18})\narrays((?: \d{1,18}\+\d{1,18})*)\n"
)
_LEAST = 512  # bytes, the least user block that HDF5 knows; others are 1024, 2048, ...
_ARRAY = 40  # bytes that an array's place takes at most
_REST = 200  # bytes that all else takes at most

Spans = list[tuple[int, int]]


def block_size(n_arrays: int) -> int:
    """Return the size of the user block for a file of so many arrays [bytes]."""
    needed = max(_LEAST, _REST + _ARRAY * n_arrays)
    return int(2 ** (needed - 1).bit_length())


def seal(path: Path, arrays: Sequence[tuple[int, int]]) -> None:
    """Write the seal into the user block of a file whose structure is complete.

    Parameters
    ----------
    path : an HDF5 file made with a user block of `block_size` bytes
    arrays : first byte and number of bytes of each array that is left out
    """
    spans = sorted(arrays)
    told = " ".join(["arrays", *(f"{first}+{count}" for first, count in spans)])
    size = block_size(len(spans))
    head = f"opalux seal 1\nblock {size}\nsize {path.stat().st_size}\n{told}\n".encode()
    block = _sealed(path, head, size, spans)
    with path.open("r+b") as file:
        file.write(block)


def check_seal(path: Path) -> None:
    """Check the seal of a file.

    Raises
    ------
    InputError
        When the file has none, or is not as it was when it was sealed.
    """
    try:
        with path.open("rb") as file:
            start = file.read(_LEAST)
            size = _size(start)
            block = start + file.read(max(0, size - len(start)))
        if start.startswith(b"\x89HDF"):
            raise InputError(f"{path}: has no seal, as files of earlier versions")
        found = _FORM.match(block)
        if found is None or len(block) != size or int(found[2]) != path.stat().st_size:
            raise InputError(f"{path}: is damaged (it is cut off, or its first bytes are changed)")
        pairs = (span.split(b"+") for span in found[3].split())
        spans = [(int(first), int(count)) for first, count in pairs]
        if block != _sealed(path, found[0], size, spans):
            raise InputError(f"{path}: is damaged (other bytes than were written)")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None


def _size(start: bytes) -> int:
    """Return the size of the user block that its first bytes tell; 0 where they do not."""
    found = re.match(rb"opalux seal 1\nblock (\d{1,9})\n", start)
    return int(found[1]) if found else 0


def _sealed(path: Path, head: bytes, size: int, spans: Spans) -> bytes:
    """Return the user block: ``head``, and the hash of it and of all bytes outside ``spans``."""
    whole = hashlib.sha256(head)
    with path.open("rb") as file:
        place = size
        for first, count in [*spans, (path.stat().st_size, 0)]:
            file.seek(place)
            left = first - place
            while left > 0 and (part := file.read(min(left, 2**20))):
                whole.update(part)
                left -= len(part)
            place = max(place, first + count)
    return (head + f"sha256 {whole.hexdigest()}\n".encode()).ljust(size, b"\0")
