"""A matrix of five points: its product with a vector, and its modified incomplete factors.

The factors are (d + L) d⁻¹ (d + U), L and U the matrix's own, and d such that the product has
its diagonal, less most of the fill-in that is dropped. So smooth vectors are nearly met, and
the iterations of a Krylov method grow as the square root of the cells along an axis.

Source: I. Gustafsson, "A class of first order factorization methods", BIT 18 (1978) 142.
"""

from opalux.base.kernels import njit
from opalux.solver.domains.linear import CENTRE, EAST, NORTH, SOUTH, WEST

MODIFIED = 0.97  # share of the fill-in that goes to the diagonal


@njit(error_model="numpy")
def multiply(matrix, x, out):
    """Fill ``out`` (ny, nx) with the matrix times ``x``; the grid continues periodically."""
    ny, nx, _ = matrix.shape
    for j in range(ny):
        south, north = x[j - 1], x[j + 1 - ny]
        row, here = matrix[j], x[j]
        for i in range(nx):
            east = i + 1 if i + 1 < nx else 0
            out[j, i] = (
                row[i, SOUTH] * south[i]
                + row[i, WEST] * here[i - 1]
                + row[i, CENTRE] * here[i]
                + row[i, EAST] * here[east]
                + row[i, NORTH] * north[i]
            )


@njit(error_model="numpy")
def factor(matrix, inverse):
    """Fill ``inverse`` (ny, nx) with 1/d of the modified incomplete factors (d + L) d⁻¹ (d + U).

    What couples the two ends of a periodic grid is left out.
    """
    ny, nx, _ = matrix.shape
    for j in range(ny):
        for i in range(nx):
            d = matrix[j, i, CENTRE]
            if j > 0:
                other = matrix[j - 1, i]
                fill = other[NORTH] + (MODIFIED * other[EAST] if i + 1 < nx else 0.0)
                d -= matrix[j, i, SOUTH] * fill * inverse[j - 1, i]
            if i > 0:
                other = matrix[j, i - 1]
                fill = other[EAST] + (MODIFIED * other[NORTH] if j + 1 < ny else 0.0)
                d -= matrix[j, i, WEST] * fill * inverse[j, i - 1]
            inverse[j, i] = 1 / d


@njit(error_model="numpy")
def precondition(matrix, inverse, right, out):
    """Solve with the factors of `factor`."""
    ny, nx, _ = matrix.shape
    for j in range(ny):
        for i in range(nx):
            rest = right[j, i]
            if j > 0:
                rest -= matrix[j, i, SOUTH] * out[j - 1, i]
            if i > 0:
                rest -= matrix[j, i, WEST] * out[j, i - 1]
            out[j, i] = rest * inverse[j, i]
    for j in range(ny - 1, -1, -1):
        for i in range(nx - 1, -1, -1):
            rest = 0.0
            if j + 1 < ny:
                rest += matrix[j, i, NORTH] * out[j + 1, i]
            if i + 1 < nx:
                rest += matrix[j, i, EAST] * out[j, i + 1]
            out[j, i] -= rest * inverse[j, i]
