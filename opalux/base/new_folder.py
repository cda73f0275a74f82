"""A folder that is made for results, and removed again when the work fails."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from opalux.base.errors import NO_ROOM, InputError, StorageError


@contextlib.contextmanager
def new_folder(out: Path, argument: str = "--out") -> Iterator[Path]:
    """Make the folder ``out``, which must not hold anything; remove it when the block fails.

    Parameters
    ----------
    out : the folder
    argument : how messages call it

    Raises
    ------
    InputError
        When it holds something already, or cannot be made.
    """
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise InputError(f"{argument} {out}: exists already; choose another name")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise StorageError.of(error, out) from None
        raise InputError(f"{argument} {out}: cannot write there ({error.strerror})") from None
    try:
        yield out
    except BaseException:
        shutil.rmtree(out, ignore_errors=True)
        raise
