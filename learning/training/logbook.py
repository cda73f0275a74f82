"""The records of a training run: metrics.jsonl and TensorBoard events."""

import json
from pathlib import Path
from typing import Any, TextIO

from torch.utils.tensorboard import SummaryWriter

from opalux.base.errors import InputError
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
        kept = [line for line in _entries(path) if line["step"] <= step]
        write_text(path, "".join(json.dumps(line) + "\n" for line in kept))
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


def _entries(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a log; a kill may leave half a line at the end, which is left out.

    Raises
    ------
    InputError
        Names a line that is none of a log.
    """
    if not path.is_file():
        return []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error}); move it away") from None
    entries = []
    for number, line in enumerate(lines, start=1):
        try:
            entry = json.loads(line)
            if not isinstance(entry, dict) or not isinstance(entry["kind"], str):
                raise ValueError
            entry["step"] = int(entry["step"])
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            if number == len(lines):
                break
            raise InputError(
                f"{path}, line {number}: found {line[:40]!r}, expected a line that `opalux train` "
                "wrote; remove it"
            ) from None
        entries.append(entry)
    return entries


def read(folder: Path) -> list[dict[str, Any]]:
    """Return the lines of metrics.jsonl in ``folder``."""
    return _entries(folder / NAME)
