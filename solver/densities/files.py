"""The user's own density maps: files in a folder, or arrays that are saved as such."""

import functools
import re
from pathlib import Path
from typing import Literal

import numpy as np
import pydantic
from numpy.typing import NDArray

from opalux.base.errors import InputError
from opalux.base.files import atomic
from opalux.base.new_folder import new_folder
from opalux.base.settings import SettingsPath
from opalux.solver.densities.family import DensityMap, Drawn, Family, Stream
from opalux.solver.density_files import open_map, said_of_rows


class Files(Family):
    """Density maps from ``*.npy`` files, in the order of their names (m2 before m10).

    A campaign deals them out in an order that its seed gives, each at most once.

    Attributes
    ----------
    folder : where the files lie; relative to the configuration file
    first_row : which edge of the domain row 0 of a file is: bottom, as in all arrays of Opalux, or
        top, as in files of the original program
    """

    kind: Literal["files"] = "files"
    folder: SettingsPath
    first_row: Literal["top", "bottom"] = "bottom"

    @pydantic.field_validator("folder")
    @classmethod
    def _found(cls, folder: Path) -> Path:
        folder = folder.resolve()
        if not _maps_in(folder):
            raise ValueError(f"found no .npy file in {folder}, expected a folder of density maps")
        return folder

    @classmethod
    def from_arrays(
        cls, maps: NDArray[np.floating], folder: str | Path, *, name: str = "", weight: float = 1.0
    ) -> "Files":
        """Save maps as files, so that every sample can be made again, and return their family.

        Parameters
        ----------
        maps : (n, ny, nx) [g/cm³], row 0 of each = bottom
        folder : new folder for ``map-*.npy``; keep it beside the data set
        name, weight : see `Family`

        Raises
        ------
        InputError
            When the maps are not finite and positive, or the folder holds something.
        """
        maps = np.asarray(maps)
        if maps.ndim != 3 or not len(maps):
            raise InputError(f"maps: found an array {maps.shape}, expected (n, ny, nx)")
        if not (np.isfinite(maps).all() and (maps > 0).all()):
            raise InputError("maps: expected finite densities above 0 g/cm³ everywhere")
        with new_folder(Path(folder), argument="folder") as out:
            for number, rho in enumerate(maps):
                with atomic(out / f"map-{number:06d}.npy") as temporary:
                    np.save(temporary, rho)
        return cls(folder=Path(folder), first_row="bottom", name=name, weight=weight)

    @property
    def assumed(self) -> str:
        """See `Family.assumed`."""
        return said_of_rows(f"{self.label}, {self.folder.name}", self.model_fields_set)

    @property
    def length(self) -> int:
        """Number of files."""
        return len(_maps_in(self.folder))

    def draw(self, stream: Stream, shape: tuple[int, int], index: int) -> tuple[DensityMap, Drawn]:
        """See `Family.draw`; file ``index`` in the order of their names."""
        files = _maps_in(self.folder)
        if not index < len(files):
            raise InputError(
                f"{self.folder}: found {len(files)} density maps, expected at least {index + 1}; "
                "put back the files that the campaign began with"
            )
        path = files[index]
        rho = read_map(path, shape)
        return (rho[::-1] if self.first_row == "top" else rho), {"file": path.name}


def _maps_in(folder: Path) -> tuple[Path, ...]:
    return _listed(folder, folder.stat().st_mtime_ns) if folder.is_dir() else ()


@functools.lru_cache(maxsize=16)
def _listed(folder: Path, changed: int) -> tuple[Path, ...]:
    """Return the maps in order; looked up anew when the folder has ``changed`` (its time)."""
    return tuple(sorted((path for path in folder.iterdir() if _is_array(path)), key=_by_number))


def _is_array(path: Path) -> bool:
    return path.suffix.lower() == ".npy"


def _by_number(path: Path) -> tuple[list[str | int], str]:
    """Return a key that sorts names with the numbers in them as numbers."""
    words = re.split(r"([0-9]+)", path.name)
    return [int(word) if odd % 2 else word for odd, word in enumerate(words)], path.name


def read_map(path: Path, shape: tuple[int, int]) -> DensityMap:
    """Read one density map and check that it fits the grid.

    Raises
    ------
    InputError
        When the file is no array of ``shape`` with finite, positive numbers.
    """
    with open_map(path, shape) as array:
        rho = np.array(array, dtype=np.float64)
    if not (np.isfinite(rho).all() and (rho > 0).all()):
        raise InputError(f"{path}: expected finite densities above 0 g/cm³ everywhere")
    return rho
