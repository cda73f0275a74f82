"""Density maps in files: arrays saved by numpy, and what solve and reconstruct write in HDF5.

Everywhere row 0 is the bottom, as in all arrays of Opalux, unless a setting says that it is the top
(as in the files of the original program).
"""

import contextlib
from collections.abc import Collection, Iterator
from pathlib import Path
from tokenize import TokenError
from typing import Any

import h5py
import numpy as np

from opalux.base.errors import InputError

HDF5 = (".h5", ".hdf5")
_NAMES = ("fields/rho", "density")  # of solution.h5, of reconstruction.h5
_UNREADABLE = (
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
    """Return whether a file is named as HDF5; otherwise it is an array saved by numpy."""
    return path.suffix.lower() in HDF5


def said_of_rows(where: str, given: Collection[str]) -> str:
    """Return in words how rows are read, where the settings ``given`` do not say it."""
    if "first_row" in given:
        return ""
    return (
        f"{where}: row 0 is taken for the bottom edge; set first_row: top where it is the top, as "
        "in files of the original program"
    )


@contextlib.contextmanager
def open_map(path: Path, shape: tuple[int, int] | None = None) -> Iterator[Any]:
    """Give the map (ny, nx) in a file, of which only what is asked for is read.

    Raises
    ------
    InputError
        When there is no map of real numbers in it, or it is not of ``shape``.
    """
    with contextlib.ExitStack() as opened:
        try:
            array = _opened(path, opened)
        except FileNotFoundError:
            raise InputError(f"density file {path}: no such file") from None
        except _UNREADABLE as error:
            kind = "HDF5 file" if is_hdf5(path) else ".npy"
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
