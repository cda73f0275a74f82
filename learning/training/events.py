"""TensorBoard events, written at once: a full disk is an `OSError` where it happens.

The writer of torch writes in a thread of its own, whose failure ends in a traceback.
"""

import os
import platform
import time
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event, SessionLog  # type: ignore[import-untyped]
from tensorboard.compat.proto.summary_pb2 import Summary  # type: ignore[import-untyped]
from tensorboard.summary.writer.record_writer import RecordWriter  # type: ignore[import-untyped]

FOLDER = "tensorboard"


class Events:
    """A new file of events in the folder of a run.

    Parameters
    ----------
    folder : of the run
    purge_step : what TensorBoard shows from this step on, of earlier files, is dropped
    """

    def __init__(self, folder: Path, purge_step: int) -> None:
        now = time.time()
        name = f"events.out.tfevents.{int(now):010d}.{platform.node()}.{os.getpid()}.{purge_step}"
        (folder / FOLDER).mkdir(exist_ok=True)
        self._file = (folder / FOLDER / name).open("wb", buffering=0)
        self._records = RecordWriter(self._file)
        self._write(Event(wall_time=now, file_version="brain.Event:2"))
        start = SessionLog(status=SessionLog.START)
        self._write(Event(wall_time=now, step=purge_step, session_log=start))

    def add(self, tag: str, value: float, step: int) -> None:
        """Note a number."""
        summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
        self._write(Event(wall_time=time.time(), step=step, summary=summary))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, event: Event) -> None:
        self._records.write(event.SerializeToString())
