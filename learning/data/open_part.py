"""A part of a data set, open for reading: what it holds, or one message why it cannot be read."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from opalux.base.errors import InputError
from opalux.learning.data.card import Card, part_name

KINDS = {
    "status": "iu",
    "checksum": "iu",
    "sample_id": "iu",
    "seed": "iu",
    "density_range": "f",
    "density_moments": "f",
    "signal_moments": "f",
    "sources": "f",
    "density": "f",
    "signals": "f",
    "detectors": "f",
}
"""Kinds of the numbers of an array, as `numpy.dtype.kind` has them."""

TRAILING = {"status": (), "checksum": (), "density_range": (2,)}
"""Axes after that of the samples."""


class OpenPart:
    """An open part. Its large arrays are looked up only once: a look-up costs as much as a read.

    Parameters
    ----------
    folder : of the data set
    card : of the data set
    number : of the part

    Raises
    ------
    InputError
        When it cannot be read, or holds arrays of other shapes than the card says. The methods
        raise it, too.
    """

    def __init__(self, folder: Path, card: Card, number: int) -> None:
        self.path = folder / part_name(number)
        self._card = card
        self._count = len(card.samples_of(number))
        with self._reading():
            # No chunk cache: each chunk is one sample, which is read once, so that a cache would
            # only copy.
            self.file = h5py.File(self.path, "r", rdcc_nbytes=0)
            self._density = self._array("density", card.shape)
            self._signals = self._array("signals", card.signals_shape)
            if card.detectors:
                self._detectors = self._array("detectors", card.detectors_shape)

    def density(self, row: int) -> NDArray[np.float32]:
        """Return one density (ny, nx) [g/cm³]."""
        out = np.empty(self._card.shape, dtype=np.float32)
        with self._reading():
            self._density.read_direct(out, np.s_[row])
        return out

    def signals(self, row: int) -> NDArray[np.float32]:
        """Return the signals (sources, edges, quantities, n_times, n_cells) of one density."""
        out = np.empty(self._card.signals_shape, dtype=np.float32)
        with self._reading():
            self._signals.read_direct(out, np.s_[row])
        return out

    def detectors(self, row: int) -> NDArray[np.float32]:
        """Return what the detectors read (sources, quantities, n_times, detectors), of one density.

        Of size 0 where there are none.
        """
        out = np.empty(self._card.detectors_shape, dtype=np.float32)
        if self._card.detectors:
            with self._reading():
                self._detectors.read_direct(out, np.s_[row])
        return out

    def small(self, name: str, row: int, read: Callable[[Any], Any] = lambda value: value) -> Any:
        """Return what ``read`` makes of one entry of a small array."""
        with self._reading():
            return read(self.file[name][row])

    def index(self, name: str) -> NDArray[Any]:
        """Return a small array of all samples of the part (n, ...)."""
        with self._reading():
            values: NDArray[Any] = self._array(name, TRAILING.get(name))[:]
            return values

    def times(self) -> NDArray[np.float64]:
        """Return the times of the signals (n_times,) [sh]."""
        with self._reading():
            times: NDArray[np.float64] = self.file["times"][:]
            if times.dtype.kind != "f" or times.shape != (self._card.n_times,):
                raise ValueError(
                    f"found times {times.dtype} {times.shape}, expected {self._card.n_times} "
                    "numbers"
                )
            if not (np.isfinite(times).all() and (np.diff(times) > 0).all()):
                raise ValueError("found times that do not ascend, expected ascending ones")
            return times

    def _array(self, name: str, trailing: tuple[int, ...] | None) -> h5py.Dataset:
        array = self.file[name]
        expected = (self._count, *(array.shape[1:] if trailing is None else trailing))
        if array.shape != expected:
            what = {"density": "densities"}.get(name, name)
            raise InputError(
                f"{self.path}: found {what} of shape {array.shape}, expected {expected} as "
                "dataset.yaml says; start the line that made the data set again"
            )
        if array.dtype.kind not in KINDS.get(name, array.dtype.kind):
            raise TypeError(f"found {name} of type {array.dtype}, expected numbers")
        return array

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except InputError:
            raise
        except (
            OSError,
            LookupError,
            AttributeError,
            RuntimeError,
            TypeError,
            ValueError,
            OverflowError,
            RecursionError,
        ) as error:  # what HDF5 makes of a damaged file
            raise InputError(
                f"{self.path}: cannot be read ({error}); see `opalux dataset check`"
            ) from None
