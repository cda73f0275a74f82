"""Stopping on the scheduler's signal."""

import contextlib
import os
import signal
from collections.abc import Iterator
from types import FrameType

SIGNALS = (signal.SIGUSR1, signal.SIGTERM)


class StopRequest:
    """Whether this process was asked to stop, or has lost the launcher that watches over it."""

    def __init__(self) -> None:
        self._asked = False
        self._launcher = os.getppid() if "TORCHELASTIC_RUN_ID" in os.environ else None

    @property
    def made(self) -> bool:
        """Whether to stop."""
        # torchrun dies of a signal that it does not handle and leaves its processes behind.
        orphaned = self._launcher is not None and os.getppid() != self._launcher
        return self._asked or orphaned

    def _make(self, number: int, frame: FrameType | None) -> None:
        self._asked = True


@contextlib.contextmanager
def stop_on_signals() -> Iterator[StopRequest]:
    """Turn SIGUSR1 and SIGTERM, while inside, into a request that the work looks at by itself."""
    request = StopRequest()
    before = {number: signal.signal(number, request._make) for number in SIGNALS}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
