"""Stopping on the scheduler's signal."""

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

SIGNALS = (signal.SIGUSR1, signal.SIGTERM)


class StopRequest:
    """Whether somebody asked this process to stop."""

    def __init__(self) -> None:
        self.made = False

    def _make(self, number: int, frame: FrameType | None) -> None:
        self.made = True


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
