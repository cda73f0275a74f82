"""The records of a training run: metrics.jsonl, TensorBoard events and, if wanted, MLflow."""

import contextlib
import json
from collections.abc import Collection
from pathlib import Path
from typing import Any, TextIO

from opalux.base.errors import InputError, StorageError
from opalux.base.files import write_text
from opalux.learning.training.events import Events
from opalux.learning.training.mlflow_run import MlflowRun, State

NAME = "metrics.jsonl"


class Logbook:
    """Appends one JSON object a line to metrics.jsonl; the same numbers go to who shows them.

    Parameters
    ----------
    folder : of the run
    step : global batches done; lines of later steps, written after the checkpoint that training
        resumes from, are removed, so that no step appears twice
    writes : False for the other processes of a run, which write nothing
    mlflow : takes the numbers, too

    Attributes
    ----------
    state : how the run ends, for MLflow
    """

    def __init__(
        self, folder: Path, step: int, *, writes: bool = True, mlflow: MlflowRun | None = None
    ) -> None:
        self.state: State = "FAILED"
        self._mlflow = mlflow
        self._file: TextIO | None = None
        if not writes:
            return
        path = folder / NAME
        kept = [line for line in _entries(path) if line["step"] <= step]
        write_text(path, "".join(json.dumps(line) + "\n" for line in kept))
        self._path = path
        self._file = path.open("a", buffering=1, encoding="utf-8")
        self._board = Events(folder, purge_step=step + 1)

    def write(self, kind: str, step: int, **values: Any) -> None:
        """Note ``values`` of the step; ``kind`` groups them (train, validation).

        Texts are written only to metrics.jsonl: TensorBoard and MLflow show numbers.

        Raises
        ------
        StorageError
            When the disk is full.
        """
        if self._file is None:
            return
        try:
            self._file.write(json.dumps({"kind": kind, "step": step, **values}) + "\n")
            numbers = {k: value for k, value in values.items() if not isinstance(value, str)}
            for name, value in numbers.items():
                self._board.add(f"{kind}/{name}", value, step)
        except OSError as error:
            raise StorageError.of(error, self._path) from None
        if self._mlflow:
            self._mlflow.write(kind, step, numbers)

    def __enter__(self) -> "Logbook":
        return self

    def __exit__(self, *exception: object) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):  # of what a full disk did not take; it was said
                self._file.close()
            self._board.close()
        if self._mlflow:
            self._mlflow.end(self.state)


def _entries(path: Path, scores: Collection[str] = ()) -> list[dict[str, Any]]:
    """Return the lines of a log; a kill may leave half a line at the end, which is left out.

    Parameters
    ----------
    path : of the log
    scores : that a line of a validation must hold

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
            _require_entry(entry, scores)
        except (ValueError, KeyError, TypeError, RecursionError):
            if number == len(lines):
                break
            raise InputError(
                f"{path}, line {number}: found {line[:40]!r}, expected a line that `opalux train` "
                "wrote; remove it"
            ) from None
        entries.append(entry)
    return entries


def _require_entry(entry: Any, scores: Collection[str]) -> None:
    """Raise ValueError, KeyError or TypeError when a line is none that `Logbook.write` writes."""
    if not isinstance(entry, dict) or not isinstance(entry["kind"], str):
        raise ValueError
    numbers = {key: value for key, value in entry.items() if not isinstance(value, str)}
    if not all(type(value) in (int, float) for value in numbers.values()):
        raise ValueError
    if type(numbers["step"]) is not int:
        raise ValueError
    for key in ("epoch", "loss", *(scores if entry["kind"] == "validation" else ())):
        numbers[key]


def read(folder: Path, scores: Collection[str] = ()) -> list[dict[str, Any]]:
    """Return the lines of metrics.jsonl in ``folder``; validations must hold ``scores``."""
    return _entries(folder / NAME, scores)
