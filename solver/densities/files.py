"""A folder of the user's own density maps."""

from pathlib import Path
from typing import Literal

import numpy as np
import pydantic

from opalux.base.errors import InputError
from opalux.base.settings import SettingsPath
from opalux.solver.densities.family import Density, Facts, Family, Stream


class Files(Family):
    """Density maps read from ``*.npy`` files, in the order of their names, over and over.

    Attributes
    ----------
    folder : where the files lie; relative to the configuration file
    first_row : which edge of the domain row 0 of a file is (published files: top)
    """

    kind: Literal["files"] = "files"
    folder: SettingsPath
    first_row: Literal["top", "bottom"] = "top"

    @pydantic.field_validator("folder")
    @classmethod
    def _found(cls, folder: Path) -> Path:
        folder = folder.resolve()
        if not _maps_in(folder):
            raise ValueError(f"found no .npy file in {folder}, expected a folder of density maps")
        return folder

    def draw(self, stream: Stream, shape: tuple[int, int], index: int) -> tuple[Density, Facts]:
        """See `Family.draw`; sample ``index`` takes file ``index`` modulo their number."""
        files = _maps_in(self.folder)
        path = files[index % len(files)]
        rho = read_map(path, shape)
        return (rho[::-1] if self.first_row == "top" else rho), {"file": path.name}


def _maps_in(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.npy"))


def read_map(path: Path, shape: tuple[int, int]) -> Density:
    """Read one density map and check that it fits the grid.

    Raises
    ------
    InputError
        When the file is no array of ``shape`` with finite, positive numbers.
    """
    try:
        rho = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path}: not a readable .npy array ({error})") from None
    if not isinstance(rho, np.ndarray) or rho.shape != shape or rho.dtype.kind not in "fiu":
        found = f"{rho.dtype} {rho.shape}" if isinstance(rho, np.ndarray) else type(rho).__name__
        raise InputError(
            f"{path}: found {found}, expected real numbers of shape {shape} (ny, nx); "
            "change the grid of the problem or the files"
        )
    if not (np.isfinite(rho).all() and (rho > 0).all()):
        raise InputError(f"{path}: expected finite densities above 0 g/cm³ everywhere")
    return rho.astype(np.float64)
