"""The consistent scheme: step 2 (transport) and the sweep over rows that joins both steps.

Finite volumes that keep the diffusion limit. For the face between cells k and l (from left to
right or from bottom to top), at distance h, with F the component along that direction, w = √k:

    s = σ_k + σ_l,   m = 2 / (4 + h s / w)                   m = M/2,  M = 2 / (2 + h σ_kl / w)
    Φ = m (F_k + F_l − w (E_l − E_k))                        energy that passes the face
    A = m (w (E_l − E_k) − (F_l − F_k))                      pull on F of cell k
    B = m (w (E_l − E_k) + (F_l − F_k))                      pull on F of cell l
    q = m s                                                  = M σ_kl, relaxation

    E⁺ = E − c Δt (ΔΦ_x/Δx + ΔΦ_y/Δy)
    F⁺ = (F − w c Δt/h (A + B)) / (1 + c Δt (q + q′)/2)      each axis with its own two faces

For h σ → 0 this is upwinding of ∂t E + c ∂x F = 0, ∂t F + k c ∂x E = −c σ F; for h σ → ∞ it is the
diffusion equation with D = k c / σ at a fixed mesh, without odd-even decoupling.

Sources: the AP scheme of the slides (R. Ngueguin, "Reconstruction de la densité d'un domaine par un
V-Net", 2020/21), with the relaxation taken per axis.
"""

import numba
import numpy as np

from solver.edges import EXCHANGED
from solver.formulas import Formula, run
from solver.grid import Block
from solver.problem import Problem
from solver.schemes.coupling import ROWS, couple_row
from solver.schemes.ghosts import fill_row, fill_side, record, wrap

SETTLED = 1e-10  # a cell's coupling has converged when a sweep changes T by less than this share

E, FX, FY, T = range(4)
PHI, PULL_LOW, PULL_HIGH, RELAX = range(4)


@numba.njit(cache=True, error_model="numpy", inline="always")
def face(E_k, E_l, F_k, F_l, s, h_over_w, w):
    """Return (Φ, A, B, q) of a face, see above."""
    m = 2 / (4 + h_over_w * s)
    jump = w * (E_l - E_k)
    slope = F_l - F_k
    return m * ((F_k + F_l) - jump), m * (jump - slope), m * (jump + slope), m * s


@numba.njit(cache=True, error_model="numpy")
def faces_x(row, E_row, F_row, sigma, h_over_w, w):
    """Fill ``row`` (4, nx + 1) with the faces of one row of cells, ghosts included (nx + 2,)."""
    phi, low, high, relax = row[PHI], row[PULL_LOW], row[PULL_HIGH], row[RELAX]
    for i in range(E_row.shape[0] - 1):
        phi[i], low[i], high[i], relax[i] = face(
            E_row[i], E_row[i + 1], F_row[i], F_row[i + 1], sigma[i] + sigma[i + 1], h_over_w, w
        )


@numba.njit(cache=True, error_model="numpy")
def faces_y(row, E_below, E_above, F_below, F_above, sigma_below, sigma_above, h_over_w, w):
    """Fill ``row`` (4, >= n) with the faces between two rows of n cells."""
    phi, low, high, relax = row[PHI], row[PULL_LOW], row[PULL_HIGH], row[RELAX]
    for i in range(E_below.shape[0]):
        phi[i], low[i], high[i], relax[i] = face(
            E_below[i], E_above[i], F_below[i], F_above[i], sigma_below[i] + sigma_above[i],
            h_over_w, w,
        )  # fmt: skip


@numba.njit(cache=True, error_model="numpy")
def update_row(E_row, Fx_row, Fy_row, x, below, above, nu_x, nu_y, w, half_c_dt):
    """Step one row of n cells in place; ``nu`` = c Δt / h."""
    phi_x, low_x, high_x, relax_x = x[PHI], x[PULL_LOW], x[PULL_HIGH], x[RELAX]
    for i in range(E_row.shape[0]):
        div_x = nu_x * (phi_x[i + 1] - phi_x[i])
        div_y = nu_y * (above[PHI, i] - below[PHI, i])
        E_row[i] -= div_x + div_y
        Fx_row[i] = (Fx_row[i] - nu_x * w * (low_x[i + 1] + high_x[i])) / (
            1 + half_c_dt * (relax_x[i + 1] + relax_x[i])
        )
        Fy_row[i] = (Fy_row[i] - nu_y * w * (above[PULL_LOW, i] + below[PULL_HIGH, i])) / (
            1 + half_c_dt * (above[RELAX, i] + below[RELAX, i])
        )


@numba.njit(cache=True, error_model="numpy")
def emit_row(E_row, x, y, t, dt, source):
    """Add Δt·S(x, y, t) to one row of cells."""
    code, result, registers = source
    n = E_row.shape[0]
    for i in range(n):
        registers[0, i] = x[i]
        registers[1, i] = y
        registers[2, i] = t
    run(code, registers, n)
    for i in range(n):
        E_row[i] += dt * registers[result, i]


@numba.njit(cache=True, error_model="numpy")
def prepare_row(state, rho, j, first, last, physics, formulas, x, y, t, scratch):
    """Step 1 for the cells first..last − 1 of row ``j``: volume source, then coupling."""
    dt, c, a, C_v, tolerance = physics
    sigma_a, heat, source = formulas
    if source[2].shape[0] > 0:
        emit_row(state[E, j, first:last], x[first:last], y[j], t, dt, source)
    couple_row(
        state[E, j, first:last], state[T, j, first:last], rho[j, first:last],
        C_v, a, c * dt, tolerance, sigma_a, heat, scratch,
    )  # fmt: skip


@numba.njit(cache=True, error_model="numpy")
def opacity_row(state, rho, j, sigma_c, out):
    """Fill ``out`` (nx + 2,) with σ_c of row ``j``, ghosts included."""
    code, result, registers = sigma_c
    n = out.shape[0]
    for i in range(n):
        registers[0, i] = rho[j, i]
        registers[1, i] = state[T, j, i]
    run(code, registers, n)
    for i in range(n):
        out[i] = registers[result, i]


@numba.njit(cache=True, error_model="numpy")
def step(state, rho, spacing, w, physics, formulas, sigma_c, x, y, t, rules, given, work):
    """Take one step in place, in one pass over the rows, bottom to top.

    Row j + 1 is coupled just before row j is transported, so that each cell's data comes from
    memory once. Ghost cells at inner sides of the domain decomposition (rule EXCHANGED) hold the
    neighbour's cells before the step and are coupled here too: one exchange a step is enough.
    """
    dx, dy = spacing
    dt, c, a = physics[0], physics[1], physics[2]
    up, down, left, right = given
    scratch, x_faces, y_faces, sigma = work
    ny, nx = state.shape[1] - 2, state.shape[2] - 2
    first = 0 if rules[2, 0] == EXCHANGED else 1
    last = nx + 2 if rules[3, 0] == EXCHANGED else nx + 1
    for j in range(1, ny + 2):
        if j <= ny:
            prepare_row(state, rho, j, first, last, physics, formulas, x, y, t, scratch)
            fill_side(state, j, 0, 1, rules[2], left, a, False)
            fill_side(state, j, nx + 1, nx, rules[3], right, a, False)
        elif rules[0, 0] == EXCHANGED:
            prepare_row(state, rho, j, 1, nx + 1, physics, formulas, x, y, t, scratch)
        else:
            fill_row(state, j, ny, rules[0], up, a, False)
        if j == 1:
            if rules[1, 0] == EXCHANGED:
                prepare_row(state, rho, 0, 1, nx + 1, physics, formulas, x, y, t, scratch)
            else:
                fill_row(state, 0, 1, rules[1], down, a, False)
            opacity_row(state, rho, 0, sigma_c, sigma[0])
        # Buffers alternate: row j's opacity and the faces above row j - 1 stand at j % 2.
        here, before = j % 2, (j - 1) % 2
        opacity_row(state, rho, j, sigma_c, sigma[here])
        faces_y(
            y_faces[here],
            state[E, j - 1, 1:-1], state[E, j, 1:-1], state[FY, j - 1, 1:-1], state[FY, j, 1:-1],
            sigma[before, 1:-1], sigma[here, 1:-1], dy / w, w,
        )  # fmt: skip
        if j > 1:
            faces_x(x_faces, state[E, j - 1], state[FX, j - 1], sigma[before], dx / w, w)
            update_row(
                state[E, j - 1, 1:-1], state[FX, j - 1, 1:-1], state[FY, j - 1, 1:-1],
                x_faces, y_faces[before], y_faces[here],
                c * dt / dx, c * dt / dy, w, c * dt / 2,
            )  # fmt: skip


@numba.njit(cache=True, error_model="numpy")
def advance(
    state,
    rho,
    spacing,
    w,
    physics,
    formulas,
    sigma_c,
    x,
    y,
    times,
    rules,
    given,
    wraps,
    signals,
    work,
):
    """Take a step for each of ``times`` (n,), recording the signals before each.

    Parameters
    ----------
    state : (4, ny + 2, nx + 2) E, Fx, Fy, T, updated in place
    rho : (ny + 2, nx + 2) density, ghosts included
    spacing, w : (Δx, Δy) and √k
    physics : (Δt, c, a, C_v, tolerance)
    formulas, sigma_c : (code, result, registers) of σ_a, C_v and S, and of σ_c
    x, y : cell centres, ghosts included
    rules, given : how the edges are filled; values (n, 4, cells) for up, down, left, right
    wraps : whether this call continues x and y periodically
    signals : arrays (n, 4, cells), of size 0 where the block lies on no edge
    work : scratch rows, see `Stepper`
    """
    up, down, left, right = given
    for n in range(times.shape[0]):
        wrap(state, wraps[0], wraps[1])
        record(state, signals[0][n], signals[1][n], signals[2][n], signals[3][n])
        step(
            state, rho, spacing, w, physics, formulas, sigma_c, x, y, times[n], rules,
            (up[n], down[n], left[n], right[n]), work,
        )  # fmt: skip


class Stepper:
    """The consistent scheme on one block of the grid.

    Parameters
    ----------
    problem, block : what is solved and the cells it is solved on
    rho : (ny + 2, nx + 2) density [g/cm³], ghosts included
    dt : time step [sh]
    """

    def __init__(self, problem: Problem, block: Block, rho: np.ndarray, dt: float) -> None:
        material, constants, grid = problem.material, problem.constants, block.grid
        capacity = problem.heat_capacity
        width = block.nx + 2
        self._rho, self._x, self._y = rho, block.x, block.y
        self._spacing, self._w = (grid.dx, grid.dy), problem.wave_speed
        self._physics = (dt, constants.c, constants.a, capacity or 0.0, SETTLED)
        varying = Formula(material.heat_capacity, ("rho", "T")) if capacity is None else None
        self._formulas = (
            _rows(Formula(material.sigma_a, ("rho", "T")), width),
            _rows(varying, width),
            _rows(_source(problem), width),
        )
        self._sigma_c = _rows(Formula(material.sigma_c, ("rho", "T")), width)
        self._work = (
            np.empty((ROWS, width)),
            np.empty((4, width)),
            np.empty((2, 4, width)),
            np.empty((2, width)),
        )

    def advance(
        self,
        state: np.ndarray,
        times: np.ndarray,
        rules: np.ndarray,
        given: tuple[np.ndarray, ...],
        wraps: tuple[bool, bool],
        signals: tuple[np.ndarray, ...],
    ) -> None:
        """Take one step for each of ``times``; see `advance`."""
        advance(
            state, self._rho, self._spacing, self._w, self._physics, self._formulas, self._sigma_c,
            self._x, self._y, times, rules, given, wraps, signals, self._work,
        )  # fmt: skip


def _source(problem: Problem) -> Formula | None:
    source = Formula(problem.source, ("x", "y", "t"))
    return None if source.constant == 0 else source


def _rows(formula: Formula | None, width: int) -> tuple[np.ndarray, int, np.ndarray]:
    """Return (code, result, registers) for rows of ``width`` cells; no registers for no formula."""
    if formula is None:
        return np.empty((0, 4), dtype=np.int64), 0, np.empty((0, width))
    return formula.program.rows(len(formula.variables), width)
