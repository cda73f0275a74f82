"""How kernels walk over a block: in strips of rows, and within them in pieces that fit a cache.

The rows of a strip are taken end to end, so that the vector loops are long on narrow grids too; its
data are in the second cache when they are needed again. What is computed in a few passes over the
same cells, opacities and the exchange with matter, goes piece by piece: a piece stays in the first.
"""

STRIP = 4096  # cells of a strip, about
PIECE = 512  # cells of a piece; a multiple of what one turn of a vector loop takes


def strip_rows(rows: int, width: int) -> int:
    """Return how many rows to take at a time: about STRIP cells, in strips of the same height."""
    return -(-rows // max(1, round(rows * width / STRIP)))
