"""What Opalux says while it works: records of the logger ``opalux``, and how commands show them.

A program that uses Opalux as a library decides what becomes of them, as with any logger::

    logging.basicConfig(level=logging.INFO)     # progress lines and remarks, too
    logging.getLogger("opalux").setLevel(logging.ERROR)

Progress comes from the logger ``opalux.progress``. Without any set-up Python shows warnings alone.
"""

import contextlib
import logging
import sys
from collections.abc import Iterator

LOGGER = logging.getLogger("opalux")
PROGRESS = logging.getLogger("opalux.progress")
_PREFIX = {logging.WARNING: "warning: ", logging.ERROR: "error: "}


class _ToStandardError(logging.Handler):
    """Shows records as plain lines on what is standard error at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        """Show one record."""
        prefix = _PREFIX.get(record.levelno, "")
        print(prefix + record.getMessage(), file=sys.stderr, flush=True)


_shown = _ToStandardError()


@contextlib.contextmanager
def on_standard_error() -> Iterator[None]:
    """Show what is said while inside on standard error: what a command does, and no library."""
    before, passed_on = LOGGER.level, LOGGER.propagate
    if _shown in LOGGER.handlers:  # a command within a command
        yield
        return
    LOGGER.addHandler(_shown)
    LOGGER.setLevel(logging.INFO)
    LOGGER.propagate = False  # or a root handler would show each line twice
    try:
        yield
    finally:
        LOGGER.removeHandler(_shown)
        LOGGER.setLevel(before)
        LOGGER.propagate = passed_on


def draws_bars() -> bool:
    """Return whether progress may be a bar on the terminal: no logger of a program takes it."""
    return sys.stderr.isatty() and (
        _shown in LOGGER.handlers or not PROGRESS.isEnabledFor(logging.INFO)
    )
