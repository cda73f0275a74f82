"""What is known of kernels being compiled: whether to say so, and the time that it took.

Numba compiles a kernel when it is first called, and keeps it for later runs. `kernels` reports here
what it could not take from there. This module is light: it does not import numba.
"""

import time

from opalux.base.messages import LOGGER

_told = False
_started: float | None = None
_depth = 0
_seconds = 0.0


def announce(wanted: bool = True) -> None:
    """Say, or not, when kernels begin to be compiled: once from now on."""
    global _told
    _told = not wanted


def seconds() -> float:
    """Return the time that this process has spent on compiling kernels [s]."""
    return _seconds


def begin() -> None:
    """Take note that a kernel is being compiled; kernels that it calls come within."""
    global _depth, _started, _told
    if _depth == 0:
        _started = time.perf_counter()
    _depth += 1
    if not _told:
        _told = True
        LOGGER.info("compiling kernels (once) ...")


def end() -> None:
    """Take note that a kernel has been compiled."""
    global _depth, _seconds
    _depth -= 1
    if _depth == 0 and _started is not None:
        _seconds += time.perf_counter() - _started
