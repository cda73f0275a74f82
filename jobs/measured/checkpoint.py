"""The journal of an inversion on the disk."""

import time
import zipfile
from pathlib import Path

import numpy as np

from opalux.base.errors import InputError
from opalux.base.files import atomic
from opalux.solver.inversion.journal import Journal

NAME = "checkpoint.npz"
EVERY = 10.0
"""Time between two writes [s]; more where a write takes long."""


def read_answers(out: Path, fingerprint: str) -> list[tuple[np.ndarray, ...]]:
    """Return what an earlier run in ``out`` has computed; nothing where there is no checkpoint.

    Raises
    ------
    InputError
        When the checkpoint is damaged, or is of other signals.
    """
    path = out / NAME
    if not path.exists():
        return []
    try:
        with np.load(path, allow_pickle=False) as file:
            if str(file["fingerprint"]) != fingerprint:
                raise InputError(
                    f"{path}: is of other signals; give the same files, or --force to start afresh"
                )
            sizes = file["sizes"].tolist()
            return [
                tuple(file[f"{number}_{part}"] for part in range(size))
                for number, size in enumerate(sizes)
            ]
    except InputError:
        raise
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{path}: is damaged ({error}); remove it, or give --force, to start afresh"
        ) from None


class Checkpoint:
    """Writes a journal every few seconds."""

    def __init__(self, out: Path, fingerprint: str) -> None:
        self._path, self._fingerprint = out / NAME, fingerprint
        self._next = time.monotonic() + EVERY

    def written(self, journal: Journal) -> None:
        """Write the journal, where it is time to."""
        if time.monotonic() >= self._next:
            self.write(journal)

    def write(self, journal: Journal) -> None:
        """Write the journal."""
        began = time.monotonic()
        arrays = {
            f"{number}_{part}": values
            for number, answer in enumerate(journal.answers)
            for part, values in enumerate(answer)
        }
        sizes = np.array([len(answer) for answer in journal.answers], dtype=np.int64)
        with atomic(self._path) as temporary, temporary.open("wb") as file:
            np.savez(file, fingerprint=self._fingerprint, sizes=sizes, **arrays)  # type: ignore[arg-type]
        now = time.monotonic()
        self._next = now + max(EVERY, 20 * (now - began))
