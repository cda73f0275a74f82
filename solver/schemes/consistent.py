"""The consistent scheme: step 2 (transport) and the sweep over rows that joins both steps.

Finite volumes that keep the diffusion limit. For the face between cells k and l (from left to
right or from bottom to top), at distance h, with F the component along that direction, w = √k:

    s = σ_k + σ_l at T_f, see `formulas.pairs`
    m = (2w/h) / (4w/h + s)                                  m = M/2,  M = 2 / (2 + h σ_kl / w)
    Φ = m (F_k + F_l − w (E_l − E_k))                        energy that passes the face
    A = m (w (E_l − E_k) − (F_l − F_k))                      pull on F of cell k
    B = m (w (E_l − E_k) + (F_l − F_k))                      pull on F of cell l
    q = m s                                                  = M σ_kl, relaxation

    E⁺ = E − c Δt (ΔΦ_x/Δx + ΔΦ_y/Δy)
    F⁺ = (F − w c Δt/h (A + B)) r / (r + q + q′),  r = 2/(c Δt)   each axis with its own two faces

For h σ → 0 this is upwinding of ∂t E + c ∂x F = 0, ∂t F + k c ∂x E = −c σ F; for h σ → ∞ it is the
diffusion equation with D = k c / σ at a fixed mesh, without odd-even decoupling.

Sources: the AP scheme of the slides (R. Ngueguin, "Reconstruction de la densité d'un domaine par un
V-Net", 2020/21), with the relaxation taken per axis.
"""

import math

import numpy as np

from opalux.base.kernels import njit
from opalux.solver.domains.domain import Domain
from opalux.solver.edges import EXCHANGED, MARK, MARSHAK
from opalux.solver.formulas.formula import Formula
from opalux.solver.formulas.pairs import VARIABLES, pair_sum
from opalux.solver.formulas.programs import run
from opalux.solver.problem import Problem
from opalux.solver.schemes.coupling import LIVE, ROWS, couple_live
from opalux.solver.schemes.ghosts import fill_row, fill_side, record, wrap

# Share of T that the coupling's sweeps may leave as error.
SETTLED = {"float64": 1e-7, "float32": 1e-6}

STRIP = 4096  # cells that the vector loops take at a time, about: long loops, in cache

UP, DOWN, LEFT, RIGHT = range(4)
E, FX, FY, T = range(4)
PHI, PULL_LOW, PULL_HIGH, RELAX = range(4)


@njit(error_model="numpy", inline="always")
def face(E_k, E_l, F_k, F_l, s, w_over_h, w):
    """Return (Φ, A, B, q) of a face, see above; ``w_over_h`` is 2w/h. No literals: see coupling."""
    m = w_over_h / (w_over_h + w_over_h + s)
    jump = w * (E_l - E_k)
    slope = F_l - F_k
    return m * ((F_k + F_l) - jump), m * (jump - slope), m * (jump + slope), m * s


@njit(error_model="numpy")
def faces(out, E_k, E_l, F_k, F_l, s, w_over_h, w):
    """Fill ``out`` (4, >= n) with the faces between the cells k and l, two rows of n."""
    phi, low, high, relax = out[PHI], out[PULL_LOW], out[PULL_HIGH], out[RELAX]
    for i in range(E_k.shape[0]):
        phi[i], low[i], high[i], relax[i] = face(E_k[i], E_l[i], F_k[i], F_l[i], s[i], w_over_h, w)


@njit(error_model="numpy")
def open_face(out, i, inwards, E, F, s, g, resistance, w_over_h, w):
    """Let face i of ``out`` lie on a vacuum edge: E + β F = g there, F into the domain.

    The half cell between the edge and the cell's centre damps what leaves, E − F/w:

        Φ (β + 1/w + h σ/(2 k)) = g − (E − F/w)

    ``inwards`` is 1 on the left and lower edge, else −1; E, F are the cell's, ``s`` its σ at the
    temperature of the face, ``resistance`` is w β + 1.
    """
    m = w_over_h / (w_over_h + w_over_h + s)
    flux = inwards * (w * (g - E) + inwards * F) / (resistance + s / w_over_h)
    out[PHI, i] = flux
    out[PULL_LOW, i] = out[PULL_HIGH, i] = m * F + m * F - flux
    out[RELAX, i] = m * s


@njit(error_model="numpy")
def update(E_row, Fx_row, Fy_row, x, below, above, nu_x, nu_y, w, r):
    """Step n cells in place; ``nu`` = c Δt / h, faces i and i + 1 of ``x`` belong to cell i."""
    phi_x, low_x, high_x, relax_x = x[PHI], x[PULL_LOW], x[PULL_HIGH], x[RELAX]
    for i in range(E_row.shape[0]):
        div_x = nu_x * (phi_x[i + 1] - phi_x[i])
        div_y = nu_y * (above[PHI, i] - below[PHI, i])
        E_row[i] -= div_x + div_y
        Fx = Fx_row[i] - nu_x * w * (low_x[i + 1] + high_x[i])
        Fy = Fy_row[i] - nu_y * w * (above[PULL_LOW, i] + below[PULL_HIGH, i])
        Fx_row[i] = Fx * r / (r + (relax_x[i + 1] + relax_x[i]))
        Fy_row[i] = Fy * r / (r + (above[RELAX, i] + below[RELAX, i]))


@njit(error_model="numpy")
def emit(E_row, x, y, t, dt, source):
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


@njit(error_model="numpy")
def face_temperature(out, T_k, T_l, half):
    """Fill ``out`` (>= n,) with T_f, T_f⁴ = (T_k⁴ + T_l⁴)/2. No literals: see coupling."""
    for i in range(T_k.shape[0]):
        low, high = T_k[i] * T_k[i], T_l[i] * T_l[i]
        out[i] = math.sqrt(math.sqrt(half * (low * low + high * high)))


@njit(error_model="numpy")
def face_opacity(pair, rho_k, rho_l, T_k, T_l, half):
    """Return σ_c(ρ_k, T_f) + σ_c(ρ_l, T_f) of n faces, in a register of ``pair``."""
    code, result, registers, knows_T = pair
    n = rho_k.shape[0]
    registers[0, :n] = rho_k
    registers[2, :n] = rho_l
    if knows_T:
        face_temperature(registers[1], T_k, T_l, half)
    run(code, registers, n)
    return registers[result]


@njit(error_model="numpy")
def exchange_energy(flat, rho, width, first_row, last_row, live, physics, formulas, x, y, t, work):
    """Step 1 for the rows first_row..last_row − 1: volume source, then coupling.

    ``flat`` (4, cells) and ``rho`` (cells,) are the block with its rows end to end; ``live`` says
    which of its cells take part (ghosts at the edges of the domain do not).
    """
    dt, c, a, C_v, tolerance, _ = physics
    sigma_a, heat, source = formulas
    start, stop = first_row * width, last_row * width
    if source[2].shape[0] > 0:
        for j in range(first_row, last_row):
            emit(flat[E, j * width : (j + 1) * width], x, y[j], t, dt, source)
    scratch = work[0]
    scratch[LIVE, : stop - start] = live[: stop - start]
    couple_live(
        flat[E, start:stop], flat[T, start:stop], rho[start:stop],
        C_v, a, c * dt, tolerance, sigma_a, heat, scratch,
    )  # fmt: skip


@njit(error_model="numpy")
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
    x_faces, y_faces, live, live_ghost, resistance = work[1:]
    half = w / (w + w)
    ny, width = state.shape[1] - 2, state.shape[2]
    height = live.shape[0] // width
    flat = state.reshape((4, (ny + 2) * width))
    rho = rho_block.reshape((ny + 2) * width)
    for low in range(1, ny + 2, height):
        high = min(low + height, ny + 2)  # rows low..high − 1, up to the upper ghost row
        exchange_energy(
            flat, rho, width, low, min(high, ny + 1), live, physics, formulas, x, y, t, work
        )
        for j in range(low, min(high, ny + 1)):
            fill_side(state, j, 0, 1, rules[2], left, a, False)
            fill_side(state, j, width - 1, width - 2, rules[3], right, a, False)
        if high == ny + 2:
            if rules[0, 0] == EXCHANGED:
                exchange_energy(
                    flat, rho, width, ny + 1, high, live_ghost, physics, formulas, x, y, t, work
                )
            else:
                fill_row(state, ny + 1, ny, rules[0], up, a, False)
        if low == 1:
            if rules[1, 0] == EXCHANGED:
                exchange_energy(
                    flat, rho, width, 0, 1, live_ghost, physics, formulas, x, y, t, work
                )
            else:
                fill_row(state, 0, 1, rules[1], down, a, False)
        # Rows low − 1 .. high − 2 are transported. y_faces holds the faces from the one below row
        # low − 1 on; its first row was left by the strip before.
        below, start, stop = (low - 1) * width, low * width, high * width
        n = stop - start
        s = face_opacity(
            pair, rho[below : below + n], rho[start:stop],
            flat[T, below : below + n], flat[T, start:stop], half,
        )  # fmt: skip
        faces(
            y_faces[:, width:],
            flat[E, below : below + n], flat[E, start:stop],
            flat[FY, below : below + n], flat[FY, start:stop], s, (w + w) / dy, w,
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
            s = face_opacity(
                pair, rho[first : below + n - 1], rho[first + 1 : below + n],
                flat[T, first : below + n - 1], flat[T, first + 1 : below + n], half,
            )  # fmt: skip
            faces(
                x_faces,
                flat[E, first : below + n - 1], flat[E, first + 1 : below + n],
                flat[FX, first : below + n - 1], flat[FX, first + 1 : below + n],
                s, (w + w) / dx, w,
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
            update(
                flat[E, first + 1 : below + n - 1], flat[FX, first + 1 : below + n - 1],
                flat[FY, first + 1 : below + n - 1],
                x_faces, y_faces[:, skip + 1 :], y_faces[:, skip + width + 1 :],
                c * dt / dx, c * dt / dy, w, relaxation,
            )  # fmt: skip
        for i in range(width):
            for k in range(4):
                y_faces[k, i] = y_faces[k, n + i]


@njit(error_model="numpy")
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


class Stepper:
    """The consistent scheme at first order on one process's share of the grid.

    Parameters
    ----------
    problem, domain : what is solved, and the cells it is solved on
    rho : (ny + 2, nx + 2) density [g/cm³], ghosts included
    dt : time step [sh]
    rules : (4 edges, 4 fields) how the edges are filled
    """

    def __init__(
        self, problem: Problem, domain: Domain, rho: np.ndarray, dt: float, rules: np.ndarray
    ) -> None:
        material, constants, block = problem.material, problem.constants, domain.block
        grid = block.grid
        dtype = np.dtype(problem.dtype)
        capacity = problem.heat_capacity
        width = block.nx + 2
        height = strip_rows(block.ny + 1, width)
        cells = height * width
        self._rho, self._x, self._y = rho, block.x, block.y
        # Scalars of the cells' own type: a float64 would turn float32 arithmetic into its own.
        c, a, settled = constants.c, constants.a, SETTLED[problem.dtype]
        physics = (dt, c, a, capacity or 1.0, settled, 2 / (c * dt))
        self._physics = tuple(dtype.type(value) for value in physics)
        self._spacing = dtype.type(grid.dx), dtype.type(grid.dy)
        self._w = dtype.type(problem.wave_speed)
        varying = Formula(material.heat_capacity, ("rho", "T")) if capacity is None else None
        sigma_a, sigma_c = (Formula(f, ("rho", "T")) for f in (material.sigma_a, material.sigma_c))
        self._formulas = (
            registers_of(sigma_a, cells, problem.dtype),
            registers_of(varying, cells, problem.dtype),
            registers_of(volume_source(problem), width, problem.dtype),
        )
        self._at_edge = problem.signals.at == "edge"
        self._pair = pair_registers(sigma_c, cells, problem.dtype)
        row = np.ones(width, dtype)
        row[0] = rules[LEFT, 0] == EXCHANGED
        row[-1] = rules[RIGHT, 0] == EXCHANGED
        ghost_row = np.ones(width, dtype)
        ghost_row[[0, -1]] = 0
        self._work = (
            np.empty((ROWS, cells), dtype),
            np.empty((4, cells), dtype),
            np.empty((4, cells + width), dtype),
            np.tile(row, height),
            ghost_row,
            resistances(rules, problem.wave_speed).astype(dtype),
        )

    def fields(self, state: np.ndarray, t: float, rules: np.ndarray) -> np.ndarray:
        """Return the cells of ``state``: it is in their centres, and at ``t``."""
        return state[:, 1:-1, 1:-1]

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
            state, self._rho, self._spacing, self._w, self._physics, self._formulas, self._pair,
            self._x, self._y, times, rules, given, wraps, signals,
            self._at_edge, self._work,
        )  # fmt: skip


def strip_rows(rows: int, width: int) -> int:
    """Return how many rows to take at a time: about STRIP cells, in strips of the same height."""
    return -(-rows // max(1, round(rows * width / STRIP)))


def volume_source(problem: Problem) -> Formula | None:
    """Return S(x, y, t), None where it is zero."""
    source = Formula(problem.source, ("x", "y", "t"))
    return None if source.constant == 0 else source


def resistances(rules: np.ndarray, w: float) -> np.ndarray:
    """Return w β + 1 of the four edges, 0 where an edge is no vacuum; see `open_face`."""
    return np.select([rules[:, E] == MARK, rules[:, E] == MARSHAK], [2.0, 2 * w + 1], 0.0)


def pair_registers(
    sigma_c: Formula, width: int, dtype: str
) -> tuple[np.ndarray, int, np.ndarray, bool]:
    """Return the registers of a face's opacity, and whether it depends on T."""
    program = pair_sum(sigma_c)
    return *program.rows(len(VARIABLES), width, dtype), "T" in sigma_c.uses


def registers_of(
    formula: Formula | None, width: int, dtype: str = "float64"
) -> tuple[np.ndarray, int, np.ndarray]:
    """Return (code, result, registers) for rows of ``width`` cells; no registers for no formula."""
    if formula is None:
        return np.empty((0, 4), dtype=np.int64), 0, np.empty((0, width), dtype)
    return formula.program.rows(len(formula.variables), width, dtype)
