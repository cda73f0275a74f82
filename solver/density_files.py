"""Density maps in files: arrays of numpy, tables, pictures, and what the jobs write in HDF5.

Everywhere row 0 is the bottom, as in all arrays of Opalux, unless a setting says that it is the top
(as in the files of the original program).
"""

import contextlib
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from tokenize import TokenError
from typing import Any

import h5py
import numpy as np

from opalux.base.errors import InputError

HDF5 = (".h5", ".hdf5")
PICTURE = ".png"
TABLE = ".csv"
_NAMES = ("fields/rho", "density")  # of solution.h5, of reconstruction.h5
UNREADABLE = (
    OSError,
    ValueError,
    EOFError,
    SyntaxError,
    TokenError,
    OverflowError,
    MemoryError,
    RuntimeError,
)
"""What numpy and h5py raise for files that are damaged."""


def is_hdf5(path: Path) -> bool:
    """Return whether a file is named as HDF5."""
    return path.suffix.lower() in HDF5


def is_picture(path: Path) -> bool:
    """Return whether a file is named as a picture."""
    return path.suffix.lower() == PICTURE


def is_map(path: Path) -> bool:
    """Return whether a file is named as one that holds a map."""
    return path.suffix.lower() in (*HDF5, PICTURE, TABLE, ".npy")


def said_of_rows(where: str, given: Collection[str]) -> str:
    """Return in words how rows are read, where the settings ``given`` do not say it."""
    if "first_row" in given:
        return ""
    return (
        f"{where}: row 0 is taken for the bottom edge; set first_row: top where it is the top, as "
        "in files of the original program"
    )


@contextlib.contextmanager
def open_map(
    path: Path, shape: tuple[int, int] | None = None, row: int | None = None
) -> Iterator[Any]:
    """Give the map (ny, nx) in a file, of which only what is asked for is read where that can be.

    Of a picture, the grey levels from 0, black, to 1, white; of a stack (n, ny, nx), map ``row``.

    Raises
    ------
    InputError
        When there is no map of real numbers in it, or it is not of ``shape``.
    """
    with contextlib.ExitStack() as opened:
        try:
            array = _opened(path, opened)
            if row is not None:
                array = array[row]
        except FileNotFoundError:
            raise InputError(f"density file {path}: no such file") from None
        except IndexError:
            raise InputError(
                f"density file {path}: found no map {row} in it, expected the stack that the "
                "campaign began with"
            ) from None
        except UNREADABLE as error:
            kind = "HDF5 file" if is_hdf5(path) else f"{path.suffix.lower() or 'file'} of a map"
            raise InputError(
                f"density file {path}: not a readable {kind} ({error}); save the map again"
            ) from None
        real = array.dtype.kind in "fiu"
        if shape is not None and not (real and array.shape == shape):
            raise InputError(
                f"{path}: found {array.dtype} {array.shape}, expected real numbers of shape "
                f"{shape} (ny, nx); change the grid of the problem or the files"
            )
        if not real or array.ndim != 2 or 0 in array.shape:
            raise InputError(
                f"density file {path}: found {array.shape} of {array.dtype}, expected (ny, nx) "
                "numbers, at least one"
            )
        yield array


def _opened(path: Path, opened: contextlib.ExitStack) -> Any:
    if path.suffix.lower() == TABLE:
        return _table(path)
    if is_picture(path):
        return _grey(path)
    if not is_hdf5(path):
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        if not isinstance(array, np.ndarray):
            opened.enter_context(array)
            raise ValueError("an archive of arrays; save one array as .npy")
        return array
    file = opened.enter_context(h5py.File(path, "r"))
    found = [file[name] for name in _NAMES if isinstance(file.get(name), h5py.Dataset)]
    if not found:
        raise ValueError(f"found neither of {', '.join(_NAMES)}")
    return found[0]


def _table(path: Path) -> np.ndarray:
    """Return the numbers of a table, separated by commas, semicolons or blanks; # is a comment."""
    with path.open(encoding="utf-8-sig") as lines:
        texts = [line.split("#")[0].strip() for line in lines]
    rows = [re.split(r"\s*[,;]\s*|\s+", text) for text in texts if text]
    for number, row in enumerate(rows):
        if len(row) != len(rows[0]):
            raise ValueError(
                f"row {number} has {len(row)} numbers and row 0 has {len(rows[0])}; expected a row "
                "of cells a line"
            )
    return np.array(rows, dtype=np.float64) if rows else np.empty((0, 0))


def _grey(path: Path) -> np.ndarray:
    """Return the grey levels of a picture, from 0 (black) to 1 (white), row 0 = top."""
    from PIL import Image

    try:
        image = Image.open(path)
    except Image.DecompressionBombError as error:
        raise ValueError(error) from None
    with image:
        if image.mode.startswith("I"):
            return np.asarray(image, dtype=np.float64) / 65535
        colours = np.asarray(image.convert("RGBA"), dtype=np.float64) / 255
    if (colours[..., 3] < 1).any() or np.ptp(colours[..., :3], axis=-1).any():
        raise ValueError("a picture with colours or transparent parts, expected grey levels")
    return colours[..., 0]
