"""The user's own density maps: files in a folder, stacks of maps, or arrays saved as such."""

import functools
import re
from pathlib import Path
from typing import Literal, NamedTuple, Self

import numpy as np
import pydantic
from numpy.typing import NDArray

from opalux.base.errors import InputError
from opalux.base.files import atomic
from opalux.base.new_folder import new_folder
from opalux.base.settings import SettingsPath
from opalux.solver.densities.family import DensityMap, Drawn, Family, Stream
from opalux.solver.density_files import UNREADABLE, is_picture, open_map, said_of_rows


class Files(Family):
    """Density maps from files, in the order of their names (m2 before m10).

    Arrays ``*.npy`` of one map (ny, nx) or of many (n, ny, nx); where there are none, tables
    ``*.csv``, a row of numbers a line; where there are none, grey pictures ``*.png``. A campaign
    deals the maps out in an order that its seed gives, each at most once.

    Attributes
    ----------
    folder : where the files lie, or one file; relative to the configuration file
    first_row : which edge of the domain row 0 of a file is: bottom, as in all arrays of Opalux, or
        top, as in files of the original program; of pictures the top, left out
    range : densities of black and of white [g/cm³], for pictures, which need them
    """

    kind: Literal["files"] = "files"
    folder: SettingsPath
    first_row: Literal["top", "bottom"] = "bottom"
    range: tuple[pydantic.PositiveFloat, pydantic.PositiveFloat] | None = None

    @pydantic.field_validator("folder")
    @classmethod
    def _found(cls, folder: Path) -> Path:
        folder = folder.resolve()
        if not _maps_in(folder):
            raise ValueError(
                f"found no .npy file in {folder}, and no .csv or .png, expected density maps"
            )
        return folder

    @pydantic.model_validator(mode="after")
    def _range_of_pictures(self) -> Self:
        if self._pictures != (self.range is not None):
            raise ValueError(
                "range: found none, but the maps are pictures; give the densities of black and "
                "white, such as range: [1, 5]"
                if self.range is None
                else "range: found one, but the maps are no pictures; leave it out"
            )
        return self

    @property
    def _pictures(self) -> bool:
        maps = _maps_in(self.folder)
        return bool(maps) and is_picture(maps[0].path)

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
        if self._pictures:
            return ""
        return said_of_rows(f"{self.label}, {self.folder.name}", self.model_fields_set)

    @property
    def length(self) -> int:
        """Number of maps."""
        return len(_maps_in(self.folder))

    def draw(self, stream: Stream, shape: tuple[int, int], index: int) -> tuple[DensityMap, Drawn]:
        """See `Family.draw`; map ``index`` in the order of the files' names."""
        maps = _maps_in(self.folder)
        if not index < len(maps):
            raise InputError(
                f"{self.folder}: found {len(maps)} density maps, expected at least {index + 1}; "
                "put back the files that the campaign began with"
            )
        found = maps[index]
        rho = read_map(found.path, shape, row=found.row, between=self.range)
        top = self.first_row == "top" or (
            self.range is not None and "first_row" not in self.model_fields_set
        )
        drawn = {"file": found.path.name} | ({} if found.row is None else {"row": found.row})
        return (rho[::-1] if top else rho), drawn


class _Map(NamedTuple):
    """Where one map is; ``row`` is its number in a stack."""

    path: Path
    row: int | None


def _maps_in(folder: Path) -> tuple[_Map, ...]:
    return _listed(folder, folder.stat().st_mtime_ns) if folder.exists() else ()


@functools.lru_cache(maxsize=16)
def _listed(folder: Path, changed: int) -> tuple[_Map, ...]:
    """Return the maps in order; looked up anew when the folder has ``changed`` (its time)."""
    files = [folder] if folder.is_file() else list(folder.iterdir())
    for suffix in (".npy", ".csv", ".png"):
        chosen = sorted((f for f in files if f.suffix.lower() == suffix), key=_by_number)
        if chosen:
            return tuple(one for path in chosen for one in _maps_of(path))
    return ()


def _maps_of(path: Path) -> list[_Map]:
    """Return the maps in one file; one that cannot be read is refused when it is drawn."""
    if path.suffix.lower() == ".npy":
        try:
            array = np.load(path, mmap_mode="r", allow_pickle=False)
            if isinstance(array, np.ndarray) and array.ndim == 3:
                return [_Map(path, row) for row in range(len(array))]
        except UNREADABLE:
            pass
    return [_Map(path, None)]


def _by_number(path: Path) -> tuple[list[str | int], str]:
    """Return a key that sorts names with the numbers in them as numbers."""
    words = re.split(r"([0-9]+)", path.name)
    return [int(word) if odd % 2 else word for odd, word in enumerate(words)], path.name


def read_map(
    path: Path,
    shape: tuple[int, int],
    *,
    row: int | None = None,
    between: tuple[float, float] | None = None,
) -> DensityMap:
    """Read one density map and check that it fits the grid.

    Parameters
    ----------
    path : of the file
    shape : (ny, nx) that is expected
    row : number of the map in a stack; None: the file holds one map
    between : densities of black and of white, for a picture [g/cm³]

    Raises
    ------
    InputError
        When the file is no array of ``shape`` with finite, positive numbers.
    """
    with open_map(path, shape, row) as array:
        rho = np.array(array, dtype=np.float64)
    if between is not None:
        black, white = between
        rho = black + (white - black) * rho
    if not (np.isfinite(rho).all() and (rho > 0).all()):
        raise InputError(f"{path}: expected finite densities above 0 g/cm³ everywhere")
    return rho
