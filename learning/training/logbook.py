"""The records of a training run: metrics.jsonl and TensorBoard events."""

import json
from pathlib import Path
from typing import Any, TextIO

from torch.utils.tensorboard import SummaryWriter

from opalux.base.files import write_text

NAME = "metrics.jsonl"


class Logbook:
    """Appends one JSON object a line to metrics.jsonl and the same numbers to TensorBoard.

    Parameters
    ----------
    folder : of the run
    step : global batches done; lines of later steps, written after the checkpoint that training
        resumes from, are removed, so that no step appears twice
    writes : False for the other processes of a run, which write nothing
    """

    def __init__(self, folder: Path, step: int, *, writes: bool = True) -> None:
        self._file: TextIO | None = None
        if not writes:
            return
        path = folder / NAME
        kept = [line for line in _whole_lines(path) if json.loads(line)["step"] <= step]
        write_text(path, "".join(line + "\n" for line in kept))
        self._file = path.open("a", buffering=1)
        self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=step + 1)

    def write(self, kind: str, step: int, **values: Any) -> None:
        """Note ``values`` of the step; ``kind`` groups them (train, validation).

        Texts are written only to metrics.jsonl: TensorBoard shows numbers.
        """
        if self._file is None:
            return
        self._file.write(json.dumps({"kind": kind, "step": step, **values}) + "\n")
        for name, value in values.items():
            if isinstance(value, str):
                continue
            self._board.add_scalar(f"{kind}/{name}", value, step)

    def __enter__(self) -> "Logbook":
        return self

    def __exit__(self, *exception: object) -> None:
        if self._file is not None:
            self._file.close()
            self._board.close()


def _whole_lines(path: Path) -> list[str]:
    if not path.is_file():
        return []
    # A kill may leave half a line at the end.
    return [line for line in path.read_text().splitlines(keepends=False) if line.endswith("}")]


def read(folder: Path) -> list[dict[str, Any]]:
    """Return the lines of metrics.jsonl in ``folder``."""
    return [json.loads(line) for line in _whole_lines(folder / NAME)]
