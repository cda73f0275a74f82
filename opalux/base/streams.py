"""Standard output and error that never end a run: what cannot be shown is dropped.

Results are in files. A log on a full disk, a closed pipe or a terminal that went away is no reason
to lose hours of work.
"""

import contextlib
import errno
import io
import os
import sys
from typing import Any


class _Dropping(io.FileIO):
    """A file descriptor whose failed writes are counted as done.

    Attributes
    ----------
    lost : error number of the first write that failed; 0: none did
    """

    lost = 0

    def write(self, data: Any) -> int:
        """Write ``data``, or drop it."""
        try:
            return super().write(data) or 0
        except OSError as error:
            self.lost = self.lost or error.errno or errno.EIO
            return len(memoryview(data).cast("B"))


_outputs: list[_Dropping] = []


def protect() -> None:
    """Let standard output and error of this process drop what they cannot write.

    Descriptors that are closed are opened on nothing, so that no file of results gets their number
    and is written over by a library's messages. Streams that somebody has replaced (a test, a
    notebook) are left alone. To do this twice does nothing.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: this one
    for name, number in (("stdout", 1), ("stderr", 2)):
        stream = getattr(sys, name)
        if stream is not getattr(sys, f"__{name}__"):
            continue
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.flush()
        raw = _Dropping(number, "w", closefd=False)
        text = io.TextIOWrapper(
            io.BufferedWriter(raw),
            encoding="utf-8",
            errors="backslashreplace",
            line_buffering=True,
        )
        setattr(sys, name, text)
        _outputs.append(raw)


def output_was_lost() -> str:
    """Return why standard output could not be written, or nothing when it was.

    A reader that went away (``| head``) has what it wanted.
    """
    for raw in _outputs:
        if raw.fileno() == 1 and raw.lost not in (0, errno.EPIPE):
            return os.strerror(raw.lost)
    return ""
