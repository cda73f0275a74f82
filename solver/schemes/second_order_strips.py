"""What lies between the cells of a strip at second order; see `second_order_stage`."""

from opalux.base.kernels import njit
from opalux.solver.edges import EXCHANGED
from opalux.solver.schemes.reconstruction import differences, edge_differences, faces
from opalux.solver.schemes.second_order_rows import half_cells, opacity, settle
from opalux.solver.schemes.strips import PIECE

E, FX, FY, T = range(4)
PHI, ENERGY = range(2)
UP, DOWN, LEFT, RIGHT = range(4)


@njit(error_model="numpy", borrows=True)
def rows_opacity(sigma, wide, rho, factor, first, stop, sigma_c, held):
    """Fill ``sigma`` (>= rows·width,) with σ_c of the rows ``first`` to ``stop`` − 1.

    Beyond an edge where something is ``held`` there is none: only the half cell inside resists.
    """
    ny, width = wide.shape[1] - 4, wide.shape[2]
    n, start = (stop - first) * width, first * width
    rows, T_rows = rho.reshape(rho.size), wide.reshape((4, rho.size))[T]
    for low in range(0, n, PIECE):
        high = min(low + PIECE, n)
        here = slice(start + low, start + high)
        opacity(sigma[low:high], rows[here], factor[here], T_rows[here], sigma_c)
    for j in range(first, stop):
        row = (j - first) * width
        if (j < 2 and held[DOWN]) or (j >= ny + 2 and held[UP]):
            for i in range(row, row + width):
                sigma[i] = 0.0
        if held[LEFT]:
            sigma[row] = sigma[row + 1] = 0.0
        if held[RIGHT]:
            sigma[row + width - 2] = sigma[row + width - 1] = 0.0


@njit(error_model="numpy", borrows=True)
def across(jumps, halves, at, step, start, n, normal, sigma, flat, rho, factor, sigma_c, knows_T,
           pull, w):  # fmt: skip
    """Fill the places from ``at`` on with what lies between cells of a strip.

    Parameters
    ----------
    jumps, halves : (2, > at + n) P and Q; σ_c of both half cells
    step : from a cell to the one behind it: 1, or the width of a row
    start, n : the first of the cells before the faces in ``flat`` (4, cells), and how many
    normal : the component of F along that direction
    sigma : (n + step,) σ_c from the first cell on
    """
    k, l = slice(start, start + n), slice(start + step, start + step + n)  # noqa: E741
    sigma_k, sigma_l = halves[0, at : at + n], halves[1, at : at + n]
    half_cells(
        sigma_k, sigma_l, rho[k], rho[l], factor[k], factor[l], flat[T, k], flat[T, l], sigma[:n],
        sigma[step : step + n], sigma_c, knows_T,
    )  # fmt: skip
    differences(
        jumps[0, at : at + n], jumps[1, at : at + n], flat[E, k], flat[E, l], flat[normal, k],
        flat[normal, l], sigma_k, sigma_l, pull, w,
    )  # fmt: skip


@njit(error_model="numpy", borrows=True)
def through(out, jumps, halves, at, step, start, n, normal, flat, drag, w):
    """Fill Φ and E (2, > at + n) of n faces from ``at`` on; see `across`, which comes first.

    The faces before and behind a face lie ``step`` places from it.
    """
    k, l = slice(start, start + n), slice(start + step, start + step + n)  # noqa: E741
    here = slice(at, at + n)
    before, behind = slice(at - step, at - step + n), slice(at + step, at + step + n)
    faces(
        out[PHI, here], out[ENERGY, here], flat[E, k], flat[E, l], flat[normal, k],
        flat[normal, l], halves[0, here], halves[1, here], jumps[0, before], jumps[0, here],
        jumps[1, here], jumps[1, behind], drag, w,
    )  # fmt: skip


@njit(error_model="numpy", borrows=True)
def bound(out, kept, halves, at, place, step, start, n, normal, second, old, drag, w, keep):
    """Settle n faces from ``at`` on, which are kept from ``place`` on; see `settle`."""
    k, l = slice(start, start + n), slice(start + step, start + step + n)  # noqa: E741
    here, there = slice(at, at + n), slice(place, place + n)
    settle(
        out[PHI, here], out[ENERGY, here], kept[PHI, there], kept[ENERGY, there], second,
        old[E, k], old[E, l], old[normal, k], old[normal, l], halves[0, here], halves[1, here],
        drag, w, keep,
    )  # fmt: skip


@njit(error_model="numpy", borrows=True)
def carry(row, start, n):
    """Bring n values from ``start`` to the front of a buffer; they may overlap."""
    for i in range(n):
        row[i] = row[start + i]


@njit(error_model="numpy", borrows=True)
def copy(into, row):
    """Copy n values."""
    for i in range(into.shape[0]):
        into[i] = row[i]


@njit(error_model="numpy", borrows=True)
def edges_x(jumps, halves, wide, low, high, n, rules, pull, w):
    """Correct the differences on the left and the right edge; see `edge_differences`."""
    width = wide.shape[2]
    nx = width - 4
    if nx > 1 or rules[RIGHT, E] == EXCHANGED:
        edge_differences(
            jumps[:, 1:n:width], jumps[:, 2:n:width], rules[LEFT, E], rules[LEFT, FX], -1.0,
            wide[E, low:high, 2], wide[FX, low:high, 2], wide[E, low:high, 1],
            wide[FX, low:high, 1], halves[:, 1:n:width], pull, w,
        )  # fmt: skip
    if nx > 1 or rules[LEFT, E] == EXCHANGED:
        edge_differences(
            jumps[:, nx + 1 : n : width], jumps[:, nx:n:width], rules[RIGHT, E], rules[RIGHT, FX],
            1.0, wide[E, low:high, nx + 1], wide[FX, low:high, nx + 1], wide[E, low:high, nx + 2],
            wide[FX, low:high, nx + 2], halves[:, nx + 1 : n : width], pull, w,
        )  # fmt: skip
