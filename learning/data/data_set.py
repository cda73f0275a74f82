"""Reading a data set of densities and edge signals.

A data set is a folder::

    dataset.yaml   the data card (`opalux.learning.data.card.Card`)
    part-*.h5      the samples (`opalux.learning.data.part.Part`)
    stats.json     statistics of the training split (`opalux.learning.data.stats.Stats`)
    all.h5         one virtual view of all parts
"""

import collections
import functools
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from numpy.typing import NDArray

from opalux.base.errors import InputError
from opalux.learning.data.card import SPLITS, Card, Split, part_name, read_card
from opalux.learning.data.open_part import OpenPart
from opalux.learning.data.part import GOOD
from opalux.learning.data.stats import NAME as STATS_NAME
from opalux.learning.data.stats import Stats, read_stats

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class DataSet:
    """Read access to a data set, by position.

    >>> data = DataSet("runs/sample/debug")  # doctest: +SKIP
    >>> data  # doctest: +SKIP
    <DataSet debug: 24 samples (16 train, 4 validation, 4 test), 16 x 16 cells, runs/sample/debug>
    >>> data.to_xarray([0, 1]).signals.sel(quantity="T", edge="left")  # doctest: +SKIP
    >>> data.plot(0).savefig("sample.png")  # doctest: +SKIP

    Each process opens the files when it first reads them: an HDF5 handle that crosses a fork reads
    wrong data.

    Parameters
    ----------
    folder : the data set
    open_files : how many parts are kept open at most

    Raises
    ------
    InputError
        When the folder holds no data set or not all of its parts.
    """

    def __init__(self, folder: str | Path, *, open_files: int = 256) -> None:
        self.folder = Path(folder)
        self.card: Card = read_card(self.folder)
        missing = [
            name
            for name in map(part_name, range(self.card.n_parts))
            if not (self.folder / name).is_file()
        ]
        if missing:
            raise InputError(
                f"{self.folder}: {len(missing)} of {self.card.n_parts} parts are missing "
                f"({missing[0]}…); start the line that made the data set again"
            )
        self._open_files = open_files
        self._parts: collections.OrderedDict[int, OpenPart] = collections.OrderedDict()
        self._process = os.getpid()

    def __len__(self) -> int:
        return self.card.n_samples

    def __repr__(self) -> str:
        counts = ", ".join(f"{getattr(self.card.splits, name)} {name}" for name in SPLITS)
        ny, nx = self.card.shape
        return (
            f"<DataSet {self.card.name}: {len(self)} samples ({counts}), {nx} x {ny} cells, "
            f"{self.folder}>"
        )

    def __getstate__(self) -> dict[str, Any]:
        """Pickle without the open files."""
        return self.__dict__ | {"_parts": collections.OrderedDict()}

    def split(self, name: Split) -> NDArray[np.int64]:
        """Return the positions of the good samples of one split, ascending."""
        positions = np.arange(*self.card.splits.bounds(name))
        return positions[self.status[positions] == GOOD]

    def density(self, position: int) -> NDArray[np.float32]:
        """Return one density (ny, nx) [g/cm³], row 0 = bottom."""
        part, row = self._find(position)
        return part.density(row)

    def signals(self, position: int) -> NDArray[np.float32]:
        """Return the signals (sources, edges, quantities, n_times, n_cells) of one density."""
        part, row = self._find(position)
        return part.signals(row)

    def detectors(self, position: int) -> NDArray[np.float32]:
        """Return what detectors read (sources, quantities, n_times, detectors) of one density.

        The card says where they are; of size 0 where there are none.
        """
        part, row = self._find(position)
        return part.detectors(row)

    def family(self, position: int) -> str:
        """Return the label of the family that the density was drawn from."""
        part, row = self._find(position)
        return str(part.small("family", row, lambda value: bytes(value).decode()))

    def sources(self, position: int) -> NDArray[np.float64]:
        """Return where each source starts and stops along its edge, (sources, 2) [cm]."""
        part, row = self._find(position)
        sources: NDArray[np.float64] = part.small("sources", row)
        return sources

    def drawn(self, position: int) -> dict[str, Any]:
        """Return the numbers that were drawn for the density (positions, heights, …)."""
        part, row = self._find(position)
        content: dict[str, Any] = part.small("drawn", row, json.loads)
        return content

    @functools.cached_property
    def status(self) -> NDArray[np.int8]:
        """0 for each good sample, 1 for each failed one (n,)."""
        return self.index("status")

    @functools.cached_property
    def times(self) -> NDArray[np.float64]:
        """Times of the signals (n_times,) [sh]."""
        return self._part(0).times()

    @functools.cached_property
    def stats(self) -> Stats:
        """Statistics of the training split."""
        stats, card = read_stats(self.folder), self.card
        expected = len(card.sources), len(card.edges), len(card.quantities)
        if stats.signal_mean.shape != expected or stats.signal_std.shape != expected:
            raise InputError(
                f"{self.folder / STATS_NAME}: found statistics of {stats.signal_mean.shape} "
                f"signals, expected {expected} (sources, edges, quantities); start the line that "
                "made the data set again"
            )
        return stats

    def index(self, name: str) -> NDArray[Any]:
        """Return one of the small arrays of all samples, such as ``family`` or ``sample_id``."""
        return np.concatenate([self._part(n).index(name) for n in range(self.card.n_parts)])

    def to_xarray(self, positions: Iterable[int] | None = None) -> Any:
        """Return samples as an ``xarray.Dataset`` with named axes, coordinates and units.

        Parameters
        ----------
        positions : of the samples, which are read into memory; None: all, failed ones included

        Returns
        -------
        The variables density (sample, y, x), signals (sample, source, edge, quantity, time, cell),
        family and status (sample), sources (sample, source, end); where there are detectors,
        detectors (sample, source, quantity, time, detector).

        Raises
        ------
        InputError
            When xarray is not installed.
        IndexError
            When there is no such sample.
        """
        from opalux.learning.data.labelled import labelled

        chosen = np.array(range(len(self)) if positions is None else list(positions), np.int64)
        arrays: dict[str, NDArray[Any]] = {
            "density": np.empty((len(chosen), *self.card.shape), np.float32),
            "signals": np.empty((len(chosen), *self.card.signals_shape), np.float32),
            "sources": np.empty((len(chosen), len(self.card.sources), 2)),
            "family": np.array([self.family(position) for position in chosen], dtype=object),
            "status": self.status[chosen],
        }
        if self.card.detectors:
            arrays["detectors"] = np.empty((len(chosen), *self.card.detectors_shape), np.float32)
        for row, position in enumerate(chosen):
            if self.card.detectors:
                arrays["detectors"][row] = self.detectors(position)
            arrays["density"][row] = self.density(position)
            arrays["signals"][row] = self.signals(position)
            arrays["sources"][row] = self.sources(position)
        return labelled(self.card, chosen, self.times, arrays)

    def plot(self, position: int, quantity: str | None = None) -> "Figure":
        """Draw one sample: for each source its density and one quantity along the four edges.

        Parameters
        ----------
        position : of the sample
        quantity : one of the card's quantities; None: the first

        Returns
        -------
        The figure; close it with `matplotlib.pyplot.close`.
        """
        from opalux.learning.data.pictures import Row, draw_rows

        quantity = quantity or self.card.quantities[0]
        if quantity not in self.card.quantities:
            known = ", ".join(self.card.quantities)
            raise InputError(f"quantity: found '{quantity}', expected one of {known}")
        density, signals = self.density(position), self.signals(position)
        channel = self.card.quantities.index(quantity)
        rows = [
            Row(f"sample {position}, source: {source}", density, signals[number, :, channel])
            for number, source in enumerate(self.card.sources)
        ]
        return draw_rows(self.card, self.times, quantity, rows)

    def part(self, number: int) -> h5py.File:
        """Return part ``number``, open for reading; it may be closed by the next read."""
        return self._part(number).file

    def close(self) -> None:
        """Close the files of this process; they open again when needed."""
        if self._process == os.getpid():
            for part in self._parts.values():
                part.file.close()
        self._parts.clear()

    def _find(self, position: int) -> tuple[OpenPart, int]:
        if not 0 <= position < len(self):
            raise IndexError(f"sample {position} of {len(self)}")
        number, row = divmod(int(position), self.card.shard_size)
        return self._part(number), row

    def _part(self, number: int) -> OpenPart:
        if self._process != os.getpid():
            # This process is a child of the one that opened them: forget its handles, open our own.
            self._parts = collections.OrderedDict()
            self._process = os.getpid()
        part = self._parts.get(number)
        if part is None:
            part = self._parts[number] = OpenPart(self.folder, self.card, number)
            if len(self._parts) > self._open_files:
                self._parts.popitem(last=False)[1].file.close()
        else:
            self._parts.move_to_end(number)
        return part
