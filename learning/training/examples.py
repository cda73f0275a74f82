"""What corrections learn from: maps of a network, and what the solver says of them, in files.

A folder ``examples`` in that of the run holds part-*.h5, each with some examples::

    position, draw   (n,) sample of the data set, and which of its draws
    noise            (n,) relative to each channel's standard deviation
    residual         (n, S, E, Q, T, N) float16, in those deviations; NaN where nothing is measured
    maps             (n, 2, Y, X) float32: density [g/cm³] and slope

and `MADE_FROM`, a name for network, data and draws that others do not have.
"""

import os
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from opalux.base.axes import depths
from opalux.base.errors import InputError
from opalux.base.files import atomic
from opalux.learning.data.data_set import DataSet
from opalux.learning.networks.corrector import CorrectionScaling, Corrector, steepness
from opalux.learning.networks.symmetry import symmetries_of, transform_map, transform_signals
from opalux.learning.networks.told import tell_noise
from opalux.learning.training.truth import StoredTruth

FOLDER = "examples"
MADE_FROM = "made_from"
SCALED_ON = 400
"""Examples that the scaling is taken from."""

Key = tuple[int, int]
"""Position in the data set, and draw."""
Item = tuple[torch.Tensor, torch.Tensor, torch.Tensor, int]


class Example(NamedTuple):
    """One example; see the module's description."""

    noise: float
    residual: NDArray[np.float32]
    maps: NDArray[np.float32]


def part_path(folder: Path, number: int) -> Path:
    """Return the path of a part."""
    return folder / f"part-{number:05d}.h5"


def write_part(path: Path, keys: list[Key], examples: list[Example], made_from: str) -> None:
    """Write examples, atomically, with checksums."""
    options = {"fletcher32": True}
    with atomic(path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs[MADE_FROM] = made_from
        for name, column in (("position", 0), ("draw", 1)):
            file[name] = np.array([key[column] for key in keys], dtype=np.int64)
        file["noise"] = np.array([one.noise for one in examples])
        for name, kind in (("residual", np.float16), ("maps", np.float32)):
            values = np.stack([getattr(one, name) for one in examples]).astype(kind)
            file.create_dataset(name, data=values, chunks=(1, *values.shape[1:]), **options)


def keys_in(path: Path, made_from: str, *, checked: bool = False) -> list[Key] | None:
    """Return which examples a part holds; None: it is not there, damaged, or of something else.

    ``checked`` : compare the checksums of all that it holds, which reads it all
    """
    try:
        with h5py.File(path) as file:
            if file.attrs[MADE_FROM] != made_from:
                return None
            for name in ("residual", "maps") if checked else ():
                for row in range(len(file[name])):
                    file[name][row]  # compares the checksums
            return list(zip(file["position"][:].tolist(), file["draw"][:].tolist(), strict=True))
    except (OSError, KeyError, ValueError):
        return None


class Examples(Dataset[Item]):
    """Examples as torch reads them; the key of an item is (epoch, position).

    An item is (residual (S, E, Q + 1, T, N) with the noise in its last plane, maps (2, Y, X),
    target (Y, X), position). Each epoch takes the next draw.

    Parameters
    ----------
    folder : that holds the parts
    made_from : what they have to be made from
    data : data set of the densities
    model : that learns
    symmetries : turn and reflect each example at random
    seed : of these turns
    """

    def __init__(
        self,
        folder: Path,
        made_from: str,
        data: DataSet,
        model: Corrector,
        *,
        symmetries: bool,
        seed: int,
    ) -> None:
        self.folder, self.data, self.seed = folder, data, seed
        self._objective, self._shape = model.objective, model.layout.shape
        self._symmetries = symmetries_of(model.layout) if symmetries else ()
        self._where: dict[Key, tuple[Path, int]] = {}
        for path in sorted(folder.glob("part-*.h5")):
            for row, key in enumerate(keys_in(path, made_from) or ()):
                self._where[key] = path, row
        self._draws = 1 + max((draw for _, draw in self._where), default=0)
        self._open: dict[Path, h5py.File] = {}
        self._process = os.getpid()

    def __getstate__(self) -> dict[str, object]:
        """Pickle without the open files."""
        return self.__dict__ | {"_open": {}}

    def example(self, position: int, draw: int) -> Example:
        """Return one example.

        Raises
        ------
        InputError
            When it is not there.
        """
        try:
            path, row = self._where[position, draw % self._draws]
        except KeyError:
            raise InputError(
                f"{self.folder}: found no example of sample {position}, expected one; start the "
                "training again with --resume, which makes it"
            ) from None
        if self._process != os.getpid():  # an HDF5 handle that crosses a fork reads wrong data
            self._open, self._process = {}, os.getpid()
        file = self._open.get(path)
        if file is None:
            file = self._open[path] = h5py.File(path)
        residual = file["residual"][row].astype(np.float32)
        return Example(float(file["noise"][row]), residual, file["maps"][row])

    def __getitem__(self, key: tuple[int, int]) -> Item:
        epoch, position = key
        found = self.example(position, epoch)
        residual = tell_noise(torch.from_numpy(found.residual), found.noise)
        maps = torch.from_numpy(found.maps)
        target = torch.from_numpy(self._objective.target(StoredTruth(self.data, position)))
        if self._symmetries:
            draw = np.random.default_rng([self.seed, epoch, position])
            symmetry = self._symmetries[draw.integers(len(self._symmetries))]
            residual = transform_signals(residual, symmetry, self._shape)
            maps, target = (transform_map(one, symmetry) for one in (maps, target))
        return residual.contiguous(), maps.contiguous(), target.contiguous(), position


def scaling_of_examples(
    examples: Examples, positions: NDArray[np.int64], model: Corrector
) -> CorrectionScaling:
    """Return the scaling of a correction from examples of the training split."""
    data, objective = examples.data, model.objective
    chosen = [examples.example(int(position), 0) for position in positions[:SCALED_ON]]
    residual = np.stack([one.residual for one in chosen])
    known = np.isfinite(residual) & model.layout.on_edges
    squares = np.where(known, residual.astype(np.float64), 0.0) ** 2
    counts = known.sum((0, 5))
    mean = squares.sum((0, 5)) / np.maximum(counts, 1)
    size = np.sqrt(np.where(mean > 0, mean, 1.0))
    slopes = torch.from_numpy(np.stack([one.maps[1] for one in chosen]))
    truths = (StoredTruth(data, int(position)) for position in positions)
    offset, unit = objective.scale(truths, data.stats, model.layout)
    return CorrectionScaling(
        torch.from_numpy(size[..., None]).float(),
        steepness(slopes, torch.from_numpy(depths(model.layout.shape))),
        torch.as_tensor(offset),
        torch.as_tensor(unit),
    )
