"""Progress of long work, with an estimate of the time left."""

import time
from typing import Any

from opalux.base.messages import PROGRESS, draws_bars


class Progress:
    """Progress of a long job: a bar on a terminal, a plain line every few seconds in a log.

    Lines are records of the logger ``opalux.progress``, which commands show on standard error, so
    that results on standard output can be piped.

    Parameters
    ----------
    label : what is being done
    total : units of work
    done : units that were done before, by a run that is resumed now
    quiet : show nothing; for all processes of a run but one
    """

    LINE_EVERY = 5.0
    """Time between two lines of a log [s]."""

    def __init__(self, label: str, total: int, done: int = 0, *, quiet: bool = False) -> None:
        self._label, self._total, self._done, self._first = label, total, done, done
        self._start = self._last_line = time.monotonic()
        self._bar: Any = None
        self._quiet = quiet
        if draws_bars() and not quiet:
            import rich.console
            import rich.progress

            self._bar = rich.progress.Progress(
                "{task.description}",
                rich.progress.BarColumn(),
                rich.progress.MofNCompleteColumn(),
                rich.progress.TimeElapsedColumn(),
                rich.progress.TimeRemainingColumn(),
                "{task.fields[note]}",
                console=rich.console.Console(stderr=True),
            )
            self._task = self._bar.add_task(label, total=total, completed=done, note="")

    def __enter__(self) -> "Progress":
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar:
            self._bar.stop()
        elif exception[0] is None:
            self._line("")

    def advance(self, by: int = 1, note: str = "") -> None:
        """Count ``by`` more units as done; ``note`` is shown at the end of the line."""
        self._done += by
        if self._bar:
            self._bar.update(self._task, advance=by, note=note)
        elif time.monotonic() - self._last_line >= self.LINE_EVERY:
            self._line(note)

    def _line(self, note: str) -> None:
        if self._quiet:
            return
        self._last_line = time.monotonic()
        elapsed = self._last_line - self._start
        made = self._done - self._first
        missing = self._total - self._done
        seconds = elapsed / made * missing if made else 0.0
        left = f"{seconds:.0f} s left" if made or not missing else "time left unknown"
        share = f"{self._done}/{self._total}"
        text = f"{self._label}: {share}, {elapsed:.0f} s, {left} {note}"
        PROGRESS.info("%s", text.rstrip())
