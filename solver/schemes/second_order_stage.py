"""The stages of the consistent scheme at second order: kernels on strips of rows, end to end.

Rows are taken a few at a time as one long row, ghosts included, so that the vector loops are long
on small grids, too. What is computed on the faces between the ghosts of two rows is not read. Only
the inner cells of a strip are updated; for that they are gathered, one row behind the other.
"""

from opalux.base.kernels import njit
from opalux.solver.edges import EXCHANGED
from opalux.solver.schemes.coupling import couple_row
from opalux.solver.schemes.coupling_stage import GAMMA, finish_row
from opalux.solver.schemes.emission import emit
from opalux.solver.schemes.reconstruction import edge_differences, hold
from opalux.solver.schemes.second_order_rows import (
    count_negative,
    first_update,
    opacity,
    relax,
    second_update,
)
from opalux.solver.schemes.second_order_strips import (
    across,
    bound,
    carry,
    copy,
    edges_x,
    rows_opacity,
    through,
)
from opalux.solver.schemes.strips import PIECE

E, FX, FY, T = range(4)
PHI, ENERGY = range(2)
UP, DOWN, LEFT, RIGHT = range(4)


@njit(error_model="numpy", borrows=True)
def stage(second, held, choices, wide, old, rho, inside, kept, spacing, w, physics, formulas,
          opacities, x, y, t, rules, work):  # fmt: skip
    """Do one stage in place, in one pass over the rows, bottom to top.

    Return in how many cells transport left a negative E: their exchange would not keep the energy.

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
    spacing, w, physics, formulas : as in `consistent_step.advance`
    opacities : the registers of σ_c, and its K with and without ghosts; see `opacities`
    x, y : cell centres of the inner cells
    t : the time before the step
    rules : (4 edges, 4 fields) how the edges are filled
    work : scratch rows, see `second_order.Stepper`
    """
    dx, dy = spacing
    dt, c, a, C_v, tolerance = physics
    sigma_a, factor_a, heat, source = formulas
    sigma_c, factor_c, inside_c = opacities
    knows_T, keep = choices
    x_kept, y_kept = kept
    scratch, sigma, x_halves, y_halves, x_jumps, y_jumps, x_faces, y_faces, cells = work
    ny, nx = wide.shape[1] - 4, wide.shape[2] - 4
    width, height = nx + 4, cells.shape[1] // nx
    flat, flat_old = wide.reshape((4, rho.size)), old.reshape((4, rho.size))
    flat_rho = rho.reshape(rho.size)
    k, nu_x, nu_y = w * w, c * dt / dx, c * dt / dy
    pull_x, pull_y, drag_x, drag_y = dx / (4 * k), dy / (4 * k), dx / (2 * w), dy / (2 * w)
    rows_opacity(sigma, wide, rho, factor_c, 0, 3, sigma_c, held)
    across(y_jumps, y_halves, 0, width, 0, 2 * width, FY, sigma, flat, flat_rho, factor_c, sigma_c,
           knows_T, pull_y, w)  # fmt: skip
    carry(sigma, width, 2 * width)
    lacking = 0
    low, high = 1, 2  # the lower ghost row comes alone, for the faces above it
    while low < ny + 2:
        start, n = low * width, (high - low) * width
        rows_opacity(sigma[2 * width :], wide, rho, factor_c, low + 2, high + 2, sigma_c, held)
        across(y_jumps, y_halves, 2 * width, width, start + width, n, FY, sigma[width:], flat,
               flat_rho, factor_c, sigma_c, knows_T, pull_y, w)  # fmt: skip
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
            across(x_jumps, x_halves, 0, 1, start, n - 1, FX, sigma, flat, flat_rho, factor_c,
                   sigma_c, knows_T, pull_x, w)  # fmt: skip
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
            strip = slice((low - 2) * nx, (high - 2) * nx)
            rho_row, K_row = inside[strip], factor_a[strip]
            K_c = inside_c[strip]
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
            lacking += count_negative(E_row)
            for begin in range(0, inner, PIECE):
                piece = slice(begin, min(begin + PIECE, inner))
                if second:
                    finish_row(
                        E_row[piece], T_row[piece], T_n[piece], rho_row[piece], K_row[piece],
                        C_v, a, c * dt, tolerance, sigma_a, heat, scratch,
                    )  # fmt: skip
                else:
                    couple_row(
                        E_row[piece], T_row[piece], rho_row[piece], K_row[piece], C_v, a,
                        GAMMA * c * dt, tolerance, sigma_a, heat, scratch,
                    )  # fmt: skip
                opacity(s[piece], rho_row[piece], K_c[piece], T_row[piece], sigma_c)
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
    return lacking
