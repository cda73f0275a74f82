"""The step of the consistent scheme at first order: kernels on strips of rows; see `consistent`."""

from opalux.base.kernels import njit
from opalux.solver.edges import EXCHANGED
from opalux.solver.schemes.consistent_faces import FX, FY, PHI, SHARE, E, T, faces, open_face
from opalux.solver.schemes.coupling import couple
from opalux.solver.schemes.emission import emit
from opalux.solver.schemes.ghosts import fill_row, fill_side, record, wrap
from opalux.solver.schemes.strips import PIECE

UP, DOWN, LEFT, RIGHT = range(4)


@njit(error_model="numpy", borrows=True)
def update(E_row, Fx_row, Fy_row, left, right, below, above, m_left, m_right, m_below, m_above,
           nu_x, nu_y, w, w_x, w_y, r):  # fmt: skip
    """Step n cells in place, given Φ and m of their four faces.

    ``nu`` is c Δt/h; ``w_x``, ``w_y`` are 2w/h.
    """
    one = r / r
    for i in range(E_row.shape[0]):
        E_row[i] -= nu_x * (right[i] - left[i]) + nu_y * (above[i] - below[i])
    for i in range(E_row.shape[0]):
        m, F = m_left[i] + m_right[i], Fx_row[i]
        pull = m * F + m * F - (left[i] + right[i])
        Fx_row[i] = (F - nu_x * w * pull) * r / (r + (w_x + w_x) * (one - m))
    for i in range(E_row.shape[0]):
        m, F = m_below[i] + m_above[i], Fy_row[i]
        pull = m * F + m * F - (below[i] + above[i])
        Fy_row[i] = (F - nu_y * w * pull) * r / (r + (w_y + w_y) * (one - m))


@njit(error_model="numpy", borrows=True)
def update_cells(flat, rho, start, stop, x_faces, y_faces, width, spacing, w, c_dt, r):
    """Step the cells start..stop − 1; face i of either kind is on the left of, or below, the i-th.

    The last of ``x_faces`` is on the right of the last cell; ``y_faces`` go on to those above.
    """
    dx, dy = spacing
    for low in range(start, stop, PIECE):
        high = min(low + PIECE, stop)
        here, at, n = slice(low, high), low - start, high - low
        left, right, above = slice(at, at + n), slice(at + 1, at + n + 1), at + width
        up = slice(above, above + n)
        update(
            flat[E, here], flat[FX, here], flat[FY, here], x_faces[PHI, left], x_faces[PHI, right],
            y_faces[PHI, left], y_faces[PHI, up], x_faces[SHARE, left], x_faces[SHARE, right],
            y_faces[SHARE, left], y_faces[SHARE, up], c_dt / dx, c_dt / dy, w, (w + w) / dx,
            (w + w) / dy, r,
        )  # fmt: skip


@njit(error_model="numpy", borrows=True)
def exchange_energy(flat, rho, width, first_row, last_row, live, physics, formulas, x, y, t,
                    scratch):  # fmt: skip
    """Step 1 for the rows first_row..last_row − 1: volume source, then coupling.

    ``flat`` (4, cells) and ``rho`` (cells,) are the block with its rows end to end; ``live`` says
    which of its cells take part (ghosts at the edges of the domain do not).
    """
    dt, c, a, C_v, tolerance, _ = physics
    sigma_a, factor, heat, source = formulas
    start, stop = first_row * width, last_row * width
    if source[2].shape[0] > 0:
        for j in range(first_row, last_row):
            emit(flat[E, j * width : (j + 1) * width], x, y[j], t, dt, source)
    for low in range(start, stop, PIECE):
        high = min(low + PIECE, stop)
        here = slice(low, high)
        couple(
            flat[E, here], flat[T, here], rho[here], factor[here],
            live[low - start : high - start], C_v, a, c * dt, tolerance, sigma_a, heat, scratch,
        )  # fmt: skip


@njit(error_model="numpy", borrows=True)
def step(state, rho_block, spacing, w, physics, formulas, pair, x, y, t, rules, given, work):
    """Take one step in place, in one pass over the rows, bottom to top.

    Rows are taken in strips of a few, end to end as one long row, so that the vector loops are long
    on small grids too; what they compute in the ghost cells between rows is overwritten before it
    is read. A strip is coupled just before the rows below its last one are transported, so that
    each cell's data comes from memory once. Ghost cells at inner sides of the domain decomposition
    (rule EXCHANGED) hold the neighbour's cells before the step and are coupled here too: one
    exchange a step is enough.
    """
    dx, dy = spacing
    dt, c, a, relaxation = physics[0], physics[1], physics[2], physics[5]
    up, down, left, right = given
    scratch, s, x_faces, y_faces, live, live_ghost, resistance = work
    half = w / (w + w)
    ny, width = state.shape[1] - 2, state.shape[2]
    height = live.shape[0] // width
    flat = state.reshape((4, (ny + 2) * width))
    rho = rho_block.reshape((ny + 2) * width)
    for low in range(1, ny + 2, height):
        high = min(low + height, ny + 2)  # rows low..high − 1, up to the upper ghost row
        exchange_energy(
            flat, rho, width, low, min(high, ny + 1), live, physics, formulas, x, y, t, scratch
        )
        for j in range(low, min(high, ny + 1)):
            fill_side(state, j, 0, 1, rules[2], left, a, False)
            fill_side(state, j, width - 1, width - 2, rules[3], right, a, False)
        if high == ny + 2:
            if rules[0, 0] == EXCHANGED:
                exchange_energy(
                    flat, rho, width, ny + 1, high, live_ghost, physics, formulas, x, y, t, scratch
                )
            else:
                fill_row(state, ny + 1, ny, rules[0], up, a, False)
        if low == 1:
            if rules[1, 0] == EXCHANGED:
                exchange_energy(
                    flat, rho, width, 0, 1, live_ghost, physics, formulas, x, y, t, scratch
                )
            else:
                fill_row(state, 0, 1, rules[1], down, a, False)
        # Rows low − 1 .. high − 2 are transported. y_faces holds the faces from the one below row
        # low − 1 on; its first row was left by the strip before.
        below, start, stop = (low - 1) * width, low * width, high * width
        n = stop - start
        faces(
            y_faces, width, s, flat[E], flat[FY], flat[T], rho, below, below + n, width, pair,
            (w + w) / dy, w,
        )  # fmt: skip
        if low == 1 and resistance[DOWN] > 0:
            for i in range(1, width - 1):
                open_face(
                    y_faces, width + i, 1, state[E, 1, i], state[FY, 1, i], half * s[i],
                    state[E, 0, i], resistance[DOWN], (w + w) / dy, w,
                )  # fmt: skip
        if high == ny + 2 and resistance[UP] > 0:
            for i in range(1, width - 1):
                open_face(
                    y_faces, n + i, -1, state[E, ny, i], state[FY, ny, i], half * s[n - width + i],
                    state[E, ny + 1, i], resistance[UP], (w + w) / dy, w,
                )  # fmt: skip
        skip = width if low == 1 else 0  # the lower ghost row is not transported
        if n > skip:
            first = below + skip
            faces(
                x_faces, 0, s, flat[E], flat[FX], flat[T], rho, first, below + n - 1, 1, pair,
                (w + w) / dx, w,
            )  # fmt: skip
            for side, inwards, ghost, inside in (
                (LEFT, 1, 0, 1),
                (RIGHT, -1, width - 1, width - 2),
            ):
                if resistance[side] > 0:
                    for j in range(max(low - 1, 1), high - 1):
                        i = j * width + min(ghost, inside) - first
                        open_face(
                            x_faces, i, inwards, state[E, j, inside], state[FX, j, inside],
                            half * s[i], state[E, j, ghost], resistance[side], (w + w) / dx, w,
                        )  # fmt: skip
            update_cells(
                flat, rho, first + 1, below + n - 1, x_faces, y_faces[:, skip + 1 :], width,
                spacing, w, c * dt, relaxation,
            )  # fmt: skip
        for i in range(width):
            for k in (PHI, SHARE):
                y_faces[k, i] = y_faces[k, n + i]


@njit(error_model="numpy", borrows=True)
def advance(
    state,
    rho,
    spacing,
    w,
    physics,
    formulas,
    pair,
    x,
    y,
    times,
    rules,
    given,
    wraps,
    signals,
    at_edge,
    work,
):
    """Take a step for each of ``times`` (n,), recording the signals before each.

    Parameters
    ----------
    state : (4, ny + 2, nx + 2) E, Fx, Fy, T, updated in place
    rho : (ny + 2, nx + 2) density, ghosts included
    spacing, w : (Δx, Δy) and √k
    physics : (Δt, c, a, C_v (1 if a formula), tolerance, 2/(c Δt))
    formulas : (code, result, registers) of σ_a, C_v and S
    pair : the same of the opacity of faces, and whether it depends on T
    x, y : cell centres, ghosts included
    rules, given : how the edges are filled; values (n, 4, cells) for up, down, left, right
    wraps : whether this call continues x and y periodically
    signals : arrays (n, 4, cells), of size 0 where the block lies on no edge
    at_edge : record what is on the edge itself, see `ghosts.record`
    work : scratch rows, see `Stepper`
    """
    up, down, left, right = given
    for n in range(times.shape[0]):
        wrap(state, wraps[0], wraps[1])
        record(state, at_edge, signals[0][n], signals[1][n], signals[2][n], signals[3][n])
        step(
            state, rho, spacing, w, physics, formulas, pair, x, y, times[n], rules,
            (up[n], down[n], left[n], right[n]), work,
        )  # fmt: skip
