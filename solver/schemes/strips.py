"""How kernels walk over a block: in strips of rows, and within them in pieces that fit a cache.

The rows of a strip are taken end to end, so that the vector loops are long on narrow grids too; its
data are in the second cache when they are needed again. What is computed in a few passes over the
same cells, opacities and the exchange with matter, goes piece by piece: a piece stays in the first.
"""

import numpy as np

from opalux.base.kernels import njit

STRIP = 4096  # cells of a strip, about
LINE = 8  # cells in a line of the cache
PIECE = 512  # cells of a piece; a multiple of what one turn of a vector loop takes


def strip_rows(rows: int, width: int, cells: int = STRIP) -> int:
    """Return how many rows to take at a time: about ``cells``, in strips of the same height."""
    return -(-rows // max(1, round(rows * width / cells)))


def aligned(rows: int, width: int) -> np.ndarray:
    """Return zeros (rows, width) that begin with a line of the cache."""
    raw = np.zeros(rows * width + LINE)
    first = -(raw.ctypes.data // raw.itemsize) % LINE
    return raw[first : first + rows * width].reshape(rows, width)


@njit(error_model="numpy", borrows=True)
def fetch(row, sink):
    """Bring n numbers into the second cache, where they are needed piece by piece soon after.

    The machine's own reading ahead ends with each page of memory, which is a piece: every piece of
    every array would wait for the main memory. Here one number of each line is read, and many lines
    are on the way at a time. ``sink`` (>= 1,) is overwritten, so that nothing is left out.
    """
    first = second = third = fourth = row[0] - row[0]
    for i in range(0, row.shape[0] - 3 * LINE, 4 * LINE):
        first += row[i]
        second += row[i + LINE]
        third += row[i + 2 * LINE]
        fourth += row[i + 3 * LINE]
    sink[0] = (first + second) + (third + fourth)
