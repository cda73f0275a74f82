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


_NAMES = {
    errno.EACCES,
    errno.EEXIST,
    errno.EISDIR,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EPERM,
    errno.EROFS,
}
"""What the system says when the name of a file is wrong, rather than the device behind it."""


def in_words(error: OpaluxError | OSError) -> OpaluxError:
    """Return an error of the operating system as one that the user can act on.

    Raises
    ------
    OSError
        When it does not come from the system, so that only a traceback can explain it.
    """
    if isinstance(error, OpaluxError):
        return error
    if error.errno is None:
        raise error
    if error.errno in NO_ROOM:
        return StorageError.of(error)
    if error.filename is None and error.errno == errno.ENOENT:
        return InputError("the current folder: found none (deleted?); change to one that exists")
    where = f"{error.filename}: " if error.filename is not None else ""
    if error.errno in _NAMES:
        return InputError(f"{where}{error.strerror}; give another name, or the right to use it")
    return OpaluxError(f"{where}{error.strerror}, says the system; give the same line again")
