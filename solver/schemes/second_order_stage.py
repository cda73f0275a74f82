"""The stages of the consistent scheme at second order: kernels on strips of rows, end to end.

Rows are taken a few at a time as one long row, ghosts included, so that the vector loops are long
on small grids, too. What is computed on the faces between the ghosts of two rows is not read. Only
the inner cells of a strip are updated; for that they are gathered, one row behind the other.
"""

from opalux.base.kernels import njit
from opalux.solver.edges import EXCHANGED
from opalux.solver.formulas.programs import run
from opalux.solver.schemes.coupling import couple_row
from opalux.solver.schemes.coupling_stage import GAMMA, finish_row
from opalux.solver.schemes.emission import emit
from opalux.solver.schemes.reconstruction import differences, edge_differences, faces, hold
from opalux.solver.schemes.second_order_rows import (
    first_update,
    half_cells,
    relax,
    second_update,
    settle,
)
from opalux.solver.schemes.strips import PIECE

E, FX, FY, T = range(4)
PHI, ENERGY = range(2)
UP, DOWN, LEFT, RIGHT = range(4)


@njit(error_model="numpy", borrows=True)
def rows_opacity(sigma, wide, rho, first, stop, sigma_c, held):
    """Fill ``sigma`` (>= rows·width,) with σ_c of the rows ``first`` to ``stop`` − 1.

    Beyond an edge where something is ``held`` there is none: only the half cell inside resists.
    """
    ny, width = wide.shape[1] - 4, wide.shape[2]
    n, start = (stop - first) * width, first * width
    rows, T_rows = rho.reshape(rho.size), wide.reshape((4, rho.size))[T]
    for low in range(0, n, PIECE):
        high = min(low + PIECE, n)
        here = slice(start + low, start + high)
        opacity(sigma[low:high], rows[here], T_rows[here], sigma_c)
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
def across(jumps, halves, at, step, start, n, normal, sigma, flat, rho, sigma_c, knows_T, pull, w):
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
        sigma_k, sigma_l, rho[k], rho[l], flat[T, k], flat[T, l], sigma[:n],
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
def stage(second, held, choices, wide, old, rho, inside, kept, spacing, w, physics, formulas,
          sigma_c, x, y, t, rules, work):  # fmt: skip
    """Do one stage in place, in one pass over the rows, bottom to top.

    A strip is updated as soon as the faces above its last row are known. The buffers hold what the
    strip above still needs of it: opacities of two rows, differences on the faces above two rows,
    Φ and E above one.

    Parameters
    ----------
    second : which of the two stages
    held : (4,) whether an edge holds something, see `reconstruction.holds`
    choices : whether σ_c depends on T; whether to keep E positive
    wide : (4, ny + 4, nx + 4) U_n, then U₁, with both layers of ghosts
    old : (4, ny + 4, nx + 4) U_n; E is infinite in ghosts that feed energy in
    rho, inside : (ny + 4, nx + 4); (ny·nx,) without ghosts
    kept : Φ and E right of all cells (2, ny·(nx + 4)), and above them (2, (ny + 1)·(nx + 4))
    spacing, w, physics, formulas, sigma_c : as in `consistent.advance`
    x, y : cell centres of the inner cells
    t : the time before the step
    rules : (4 edges, 4 fields) how the edges are filled
    work : scratch rows, see `second_order.Stepper`
    """
    dx, dy = spacing
    dt, c, a, C_v, tolerance = physics
    sigma_a, heat, source = formulas
    knows_T, keep = choices
    x_kept, y_kept = kept
    scratch, sigma, x_halves, y_halves, x_jumps, y_jumps, x_faces, y_faces, cells = work
    ny, nx = wide.shape[1] - 4, wide.shape[2] - 4
    width, height = nx + 4, cells.shape[1] // nx
    flat, flat_old = wide.reshape((4, rho.size)), old.reshape((4, rho.size))
    flat_rho = rho.reshape(rho.size)
    k, nu_x, nu_y = w * w, c * dt / dx, c * dt / dy
    pull_x, pull_y, drag_x, drag_y = dx / (4 * k), dy / (4 * k), dx / (2 * w), dy / (2 * w)
    rows_opacity(sigma, wide, rho, 0, 3, sigma_c, held)
    across(y_jumps, y_halves, 0, width, 0, 2 * width, FY, sigma, flat, flat_rho, sigma_c, knows_T,
           pull_y, w)  # fmt: skip
    carry(sigma, width, 2 * width)
    low, high = 1, 2  # the lower ghost row comes alone, for the faces above it
    while low < ny + 2:
        start, n = low * width, (high - low) * width
        rows_opacity(sigma[2 * width :], wide, rho, low + 2, high + 2, sigma_c, held)
        across(y_jumps, y_halves, 2 * width, width, start + width, n, FY, sigma[width:], flat,
               flat_rho, sigma_c, knows_T, pull_y, w)  # fmt: skip
        if low == 1 and (ny > 1 or rules[UP, E] == EXCHANGED):
            first = slice(width + 2, width + nx + 2)
            edge_differences(
                y_jumps[:, first], y_jumps[:, 2 * width + 2 : 2 * width + nx + 2], rules[DOWN, E],
                rules[DOWN, FY], -1.0, wide[E, 2, 2:-2], wide[FY, 2, 2:-2], wide[E, 1, 2:-2],
                wide[FY, 1, 2:-2], y_halves[:, first], pull_y, w,
            )  # fmt: skip
        last = (ny + 2 - low) * width  # where the faces above row ny + 1 are
        if low < ny + 1 <= high and (ny > 1 or rules[DOWN, E] == EXCHANGED):
            here = slice(last + 2, last + nx + 2)
            edge_differences(
                y_jumps[:, here], y_jumps[:, last - width + 2 : last - width + nx + 2],
                rules[UP, E], rules[UP, FY], 1.0, wide[E, ny + 1, 2:-2], wide[FY, ny + 1, 2:-2],
                wide[E, ny + 2, 2:-2], wide[FY, ny + 2, 2:-2], y_halves[:, here], pull_y, w,
            )  # fmt: skip
        through(y_faces, y_jumps, y_halves, width, width, start, n, FY, flat, drag_y, w)
        for edge, row, outside, outwards in ((DOWN, 1, 1, -1.0), (UP, ny + 1, ny + 2, 1.0)):
            if low <= row < high:
                at = (row - low + 1) * width
                here = slice(at + 2, at + nx + 2)
                hold(
                    y_faces[PHI, here], y_faces[ENERGY, here], rules[edge, E], rules[edge, FY],
                    wide[E, outside, 2:-2], wide[FY, outside, 2:-2], y_halves[:, here], outwards,
                    drag_y, w,
                )  # fmt: skip
        bound(y_faces, y_kept, y_halves, width, start - width, width, start, n, FY, second,
              flat_old, drag_y, w, keep)  # fmt: skip
        if low > 1:
            across(x_jumps, x_halves, 0, 1, start, n - 1, FX, sigma, flat, flat_rho, sigma_c,
                   knows_T, pull_x, w)  # fmt: skip
            edges_x(x_jumps, x_halves, wide, low, high, n, rules, pull_x, w)
            through(x_faces, x_jumps, x_halves, 1, 1, start + 1, n - 3, FX, flat, drag_x, w)
            for edge, i, outside, outwards in ((LEFT, 1, 1, -1.0), (RIGHT, nx + 1, nx + 2, 1.0)):
                hold(
                    x_faces[PHI, i:n:width], x_faces[ENERGY, i:n:width], rules[edge, E],
                    rules[edge, FX], wide[E, low:high, outside], wide[FX, low:high, outside],
                    x_halves[:, i:n:width], outwards, drag_x, w,
                )  # fmt: skip
            bound(x_faces, x_kept, x_halves, 1, start - 2 * width + 1, 1, start + 1, n - 3, FX,
                  second, flat_old, drag_x, w, keep)  # fmt: skip
            # Only inner cells from here on: their rows one behind the other, without ghosts.
            inner = (high - low) * nx
            E_row, T_row, T_n, s = (
                cells[0, :inner], cells[1, :inner], cells[2, :inner], cells[3, :inner]
            )  # fmt: skip
            rho_row = inside[(low - 2) * nx : (high - 2) * nx]
            for j in range(low, high):
                p = slice((j - low) * nx, (j - low + 1) * nx)
                at = (j - low) * width + 2
                here, right, above = slice(at, at + nx), slice(at - 1, at + nx), at + width
                x_phi, x_energy = x_faces[PHI, right], x_faces[ENERGY, right]
                phi_below, energy_below = y_faces[PHI, here], y_faces[ENERGY, here]
                phi_above = y_faces[PHI, above : above + nx]
                energy_above = y_faces[ENERGY, above : above + nx]
                copy(T_row[p], wide[T, j, 2:-2])
                if second:
                    copy(T_n[p], old[T, j, 2:-2])
                    second_update(
                        E_row[p], wide[FX, j, 2:-2], wide[FY, j, 2:-2], old[E, j, 2:-2],
                        old[FX, j, 2:-2], old[FY, j, 2:-2], x_phi, x_energy, phi_below,
                        energy_below, phi_above, energy_above, sigma[here], nu_x, nu_y, k, c * dt,
                    )  # fmt: skip
                else:
                    first_update(
                        E_row[p], wide[E, j, 2:-2], wide[FX, j, 2:-2], wide[FY, j, 2:-2], x_phi,
                        x_energy, phi_below, energy_below, phi_above, energy_above, nu_x, nu_y, k,
                    )  # fmt: skip
                if source[2].shape[0] > 0:
                    share = 1.0 if second else GAMMA
                    emit(E_row[p], x, y[j - 2], t + share * dt / 2, share * dt, source)
            for begin in range(0, inner, PIECE):
                piece = slice(begin, min(begin + PIECE, inner))
                if second:
                    finish_row(
                        E_row[piece], T_row[piece], T_n[piece], rho_row[piece], C_v, a, c * dt,
                        tolerance, sigma_a, heat, scratch,
                    )  # fmt: skip
                else:
                    couple_row(
                        E_row[piece], T_row[piece], rho_row[piece], C_v, a, GAMMA * c * dt,
                        tolerance, sigma_a, heat, scratch,
                    )  # fmt: skip
                opacity(s[piece], rho_row[piece], T_row[piece], sigma_c)
            for j in range(low, high):
                p = slice((j - low) * nx, (j - low + 1) * nx)
                copy(wide[E, j, 2:-2], E_row[p])
                copy(wide[T, j, 2:-2], T_row[p])
                relax(wide[FX, j, 2:-2], wide[FY, j, 2:-2], s[p], GAMMA * c * dt)
        carry(sigma, n, 2 * width)
        for m in range(2):
            carry(y_jumps[m], n, 2 * width)
            carry(y_halves[m], n, 2 * width)
            carry(y_faces[m], n, width)
        low, high = high, min(high + height, ny + 2)


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


@njit(error_model="numpy", borrows=True)
def opacity(out, rho, T_row, sigma_c):
    """Fill ``out`` (n,) with σ_c of a row of cells."""
    code, result, registers = sigma_c
    n = out.shape[0]
    for i in range(n):
        registers[0, i], registers[1, i] = rho[i], T_row[i]
    run(code, registers, n)
    for i in range(n):
        out[i] = registers[result, i]
