"""The errors that end a job with one message and an exit code, instead of a traceback."""

import contextlib
import errno
import shutil
from pathlib import Path

from opalux.base.exit_codes import BAD_INPUT, FAILURE

NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
"""Error numbers of a disk that takes no more: full, over a quota or a limit, or broken."""


class OpaluxError(Exception):
    """An error that the user can understand and act on.

    The message says what was found, what was expected and what to do. Jobs print only the message
    (no traceback) and end with ``exit_code``.
    """

    exit_code = FAILURE


class InputError(OpaluxError, ValueError):
    """Wrong input: a configuration, a file, an argument."""

    exit_code = BAD_INPUT


class StorageError(OpaluxError, RuntimeError):
    """Results that cannot be written: the disk is full, a quota is used up, a device fails."""

    @classmethod
    def of(cls, error: OSError, path: Path | str | None = None) -> "StorageError":
        """Return the message for a write to ``path`` that failed; None: the file of ``error``."""
        name = path or error.filename
        room = ""
        if name is not None:
            file = Path(name)
            with contextlib.suppress(OSError):
                free = shutil.disk_usage(file if file.is_dir() else file.parent).free
                room = f"; {free / 1e9:.3g} GB free there"
        return cls(
            f"{name or 'a file'}: cannot be written ({error.strerror or error}{room}); make room "
            "on that disk or choose another folder, and give the same line again"
        )
