"""The consistent scheme at second order in space and time.

The equations are split into transport, L, which is explicit, and what happens within a cell, R,
which is implicit: F relaxes, radiation and matter exchange energy. Both advance together in the two
stages of ARS(2,2,2), which is stiffly accurate in R (γ = 1 − 1/√2, δ = 1 − 1/(2γ)):

    U₁ = U_n + γ Δt [L(U_n) + R(U₁)]
    U_n+1 = U_n + Δt [δ L(U_n) + (1 − δ) L(U₁)] + Δt [(1 − γ) R(U₁) + γ R(U_n+1)]

There is no splitting error, and in every stage F and E − a T⁴ keep the balance that a large
opacity imposes. L(U_n) is taken at t_n and L(U₁) at t_n + γ Δt; the edges are evaluated at these
times; the volume source acts at the middle of either stage. The fluxes of L are those of
`reconstruction`; F follows the plain gradient of the E on the faces and relaxes with the plain σ_c
of its cell.

E and T stay positive: the flux of each face over the whole step is bounded by the energy that moves
towards it (`reconstruction.reach`), which is twice the largest flux of first-order upwinding. That
is enough for √k c Δt (1/Δx + 1/Δy) <= 1/2, half the limit of stability; a longer step is divided
into two.

References
----------
U. M. Ascher, S. J. Ruuth, R. J. Spiteri, Appl. Numer. Math. 25 (1997) 151, section 2.6.
"""

import numpy as np

from opalux.base.kernels import njit
from opalux.solver.domains.domain import Domain
from opalux.solver.edges import EXCHANGED, FREE, GIVEN, MIRRORED, edge_tables
from opalux.solver.formulas.formula import Formula
from opalux.solver.formulas.programs import run
from opalux.solver.problem import Problem
from opalux.solver.schemes.consistent import (
    SETTLED,
    emit,
    face_temperature,
    registers_of,
    volume_source,
)
from opalux.solver.schemes.coupling import couple_row
from opalux.solver.schemes.coupling_stage import GAMMA, STAGE_ROWS, finish_row
from opalux.solver.schemes.ghosts import record
from opalux.solver.schemes.halo import fill_halo, wrap_halo
from opalux.solver.schemes.reconstruction import (
    differences,
    edge_differences,
    faces,
    hold,
    holds,
    mirrors,
    within_reach,
)

DELTA = 1 - 1 / (2 * GAMMA)

POSITIVE = 0.5 * (1 + 1e-12)  # largest √k c Δt (1/Δx + 1/Δy) of a step that keeps E positive

Given = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]

E, FX, FY, T = range(4)
PHI, ENERGY = range(2)
UP, DOWN, LEFT, RIGHT = range(4)


@njit(error_model="numpy")
def opacity_row(out, rho, T_row, sigma_c):
    """Fill ``out`` (n,) with σ_c of a row of cells."""
    code, result, registers = sigma_c
    n = out.shape[0]
    registers[0, :n] = rho
    registers[1, :n] = T_row
    run(code, registers, n)
    out[:] = registers[result, :n]


@njit(error_model="numpy")
def half_cells(halves, rho_k, rho_l, T_k, T_l, sigma_k, sigma_l, sigma_c, knows_T):
    """Fill ``halves`` (2, n) with σ_c of the half cells at the faces between the cells k and l.

    Both at the temperature of the face, see `formulas.pairs`. ``sigma_k``, ``sigma_l`` are the
    cells' own; where one is 0, on an edge, so is its half cell.
    """
    halves[0], halves[1] = sigma_k, sigma_l
    if not knows_T:
        return
    code, result, registers = sigma_c
    n = rho_k.shape[0]
    face_temperature(registers[1], T_k, T_l, 0.5)
    for half, rho in enumerate((rho_k, rho_l)):
        registers[0, :n] = rho
        run(code, registers, n)
        for i in range(n):
            halves[half, i] = registers[result, i] if halves[half, i] != 0 else 0.0


@njit(error_model="numpy")
def settle(phi, energy, phi_kept, energy_kept, second, E_k, E_l, F_k, F_l, halves, drag, w, keep):
    """Turn Φ and E of L into those of the stage: store them, combine them in stage 2, bound them.

    The cells k and l are those before the step. Where Φ is bounded (if ``keep``), the excess is
    taken from the outgoing characteristic, a or b, of the donor cell, and E on the face falls with
    it.
    """
    for i in range(phi.shape[0]):
        flux, level = phi[i], energy[i]
        if second:
            flux = DELTA * phi_kept[i] + (1 - DELTA) * flux
            level = DELTA * energy_kept[i] + (1 - DELTA) * level
        bounded = within_reach(flux, E_k[i], E_l[i], F_k[i], F_l[i], w) if keep else flux
        excess = abs(flux - bounded) * (1 + 0.5 * drag * (halves[0, i] + halves[1, i])) / w
        phi_kept[i] = phi[i] = bounded
        energy_kept[i] = energy[i] = level - excess


@njit(error_model="numpy")
def first_update(E_row, Fx, Fy, x, below, above, nu_x, nu_y, k):
    """Add γ Δt L(U_n) to n cells; ``nu`` = c Δt/h, faces i and i + 1 of ``x`` belong to cell i."""
    for i in range(E_row.shape[0]):
        div_x = nu_x * (x[PHI, i + 1] - x[PHI, i])
        div_y = nu_y * (above[PHI, i] - below[PHI, i])
        E_row[i] -= GAMMA * (div_x + div_y)
        Fx[i] -= GAMMA * k * (nu_x * (x[ENERGY, i + 1] - x[ENERGY, i]))
        Fy[i] -= GAMMA * k * (nu_y * (above[ENERGY, i] - below[ENERGY, i]))


@njit(error_model="numpy")
def second_update(E_row, Fx, Fy, E_n, Fx_n, Fy_n, x, below, above, sigma, nu_x, nu_y, k, c_dt):
    """Replace U₁ in n cells by U_n + all of L + Δt (1 − γ) R(U₁); R here has no exchange."""
    for i in range(E_row.shape[0]):
        div_x = nu_x * (x[PHI, i + 1] - x[PHI, i])
        div_y = nu_y * (above[PHI, i] - below[PHI, i])
        E_row[i] = E_n[i] - (div_x + div_y)
        relaxed = (1 - GAMMA) * (c_dt * sigma[i])
        pull_x = k * (nu_x * (x[ENERGY, i + 1] - x[ENERGY, i]))
        pull_y = k * (nu_y * (above[ENERGY, i] - below[ENERGY, i]))
        Fx[i] = Fx_n[i] - pull_x - relaxed * Fx[i]
        Fy[i] = Fy_n[i] - pull_y - relaxed * Fy[i]


@njit(error_model="numpy")
def relax(Fx, Fy, sigma, gamma_c_dt):
    """Relax F of n cells implicitly."""
    for i in range(Fx.shape[0]):
        Fx[i] /= 1 + gamma_c_dt * sigma[i]
        Fy[i] /= 1 + gamma_c_dt * sigma[i]


@njit(error_model="numpy")
def row_opacity(sigma, wide, rho, j, sigma_c, held):
    """Fill ``sigma`` (nx + 4,) with σ_c of row ``j``.

    Beyond an edge where something is ``held`` there is none: only the half cell inside resists.
    """
    ny, nx = wide.shape[1] - 4, wide.shape[2] - 4
    if (j < 2 and held[DOWN]) or (j >= ny + 2 and held[UP]):
        sigma[:] = 0
        return
    opacity_row(sigma, rho[j], wide[T, j], sigma_c)
    if held[LEFT]:
        sigma[:2] = 0
    if held[RIGHT]:
        sigma[nx + 2 :] = 0


@njit(error_model="numpy")
def stage(
    second,
    choices,
    wide,
    old,
    rho,
    kept,
    spacing,
    w,
    physics,
    formulas,
    sigma_c,
    x,
    y,
    t,
    rules,
    work,
):
    """Do one stage in place, in one pass over the rows, bottom to top.

    A row is updated as soon as the faces above it are known. The buffers hold what the rows above
    still need of it.

    Parameters
    ----------
    second : which of the two stages
    choices : whether σ_c depends on T; whether to keep E positive
    wide : (4, ny + 4, nx + 4) U_n, then U₁, with both layers of ghosts
    old : (4, ny + 4, nx + 4) U_n; E is infinite in ghosts that feed energy in
    rho : (ny + 4, nx + 4)
    kept : Φ and E of all x-faces (2, ny, nx + 1) and y-faces (2, ny + 1, nx)
    spacing, w, physics, formulas, sigma_c : as in `consistent.advance`
    x, y : cell centres of the inner cells
    t : the time before the step
    rules : (4 edges, 4 fields) how the edges are filled
    work : scratch rows, see `Stepper`
    """
    dx, dy = spacing
    dt, c, a, C_v, tolerance = physics
    sigma_a, heat, source = formulas
    knows_T, keep = choices
    x_kept, y_kept = kept
    scratch, sigma, x_halves, y_halves, x_jumps, y_jumps, x_faces, y_faces = work
    ny, nx = wide.shape[1] - 4, wide.shape[2] - 4
    k, nu_x, nu_y = w * w, c * dt / dx, c * dt / dy
    held = holds(rules)
    inner = slice(2, nx + 2)
    row_opacity(sigma[0], wide, rho, 0, sigma_c, held)
    for top in range(1, ny + 4):  # buffers rotate: row j's opacity and what is below it at j % 3
        row_opacity(sigma[top % 3], wide, rho, top, sigma_c, held)
        here, before = top % 3, (top - 1) % 3
        half_cells(
            y_halves[here], rho[top - 1, inner], rho[top, inner],
            wide[T, top - 1, inner], wide[T, top, inner],
            sigma[before, inner], sigma[here, inner], sigma_c, knows_T,
        )  # fmt: skip
        differences(
            y_jumps[here], wide[E, top - 1, inner], wide[E, top, inner],
            wide[FY, top - 1, inner], wide[FY, top, inner], y_halves[here], dy / (4 * k), w,
        )  # fmt: skip
        if top == 3 and (ny > 1 or rules[UP, E] == EXCHANGED):
            edge_differences(
                y_jumps[2], y_jumps[here], rules[DOWN, E], rules[DOWN, FY], -1.0,
                wide[E, 2, inner], wide[FY, 2, inner], wide[E, 1, inner], wide[FY, 1, inner],
                y_halves[2], dy / (4 * k), w,
            )  # fmt: skip
        if top == ny + 2 and (ny > 1 or rules[DOWN, E] == EXCHANGED):
            edge_differences(
                y_jumps[here], y_jumps[before], rules[UP, E], rules[UP, FY], 1.0,
                wide[E, ny + 1, inner], wide[FY, ny + 1, inner],
                wide[E, ny + 2, inner], wide[FY, ny + 2, inner],
                y_halves[here], dy / (4 * k), w,
            )  # fmt: skip
        j = top - 2  # the faces above row j
        if j < 1:
            continue
        below, above = y_faces[(j - 1) % 2], y_faces[j % 2]
        halves = y_halves[before]
        faces(
            above[PHI], above[ENERGY], wide[E, j, inner], wide[E, j + 1, inner],
            wide[FY, j, inner], wide[FY, j + 1, inner], halves,
            y_jumps[j % 3, 0], y_jumps[before, 0], y_jumps[before, 1], y_jumps[here, 1],
            dy / (2 * w), w,
        )  # fmt: skip
        for edge, row, outside, outwards in ((DOWN, 1, 1, -1.0), (UP, ny + 1, ny + 2, 1.0)):
            if j == row:
                hold(
                    above[PHI], above[ENERGY], rules[edge, E], rules[edge, FY],
                    wide[E, outside, inner], wide[FY, outside, inner], halves, outwards,
                    dy / (2 * w), w,
                )  # fmt: skip
        settle(
            above[PHI], above[ENERGY], y_kept[PHI, j - 1], y_kept[ENERGY, j - 1], second,
            old[E, j, inner], old[E, j + 1, inner], old[FY, j, inner], old[FY, j + 1, inner],
            halves, dy / (2 * w), w, keep,
        )  # fmt: skip
        if j < 2:
            continue
        s = sigma[j % 3]
        half_cells(
            x_halves, rho[j, :-1], rho[j, 1:], wide[T, j, :-1], wide[T, j, 1:], s[:-1], s[1:],
            sigma_c, knows_T,
        )  # fmt: skip
        differences(
            x_jumps, wide[E, j, :-1], wide[E, j, 1:], wide[FX, j, :-1], wide[FX, j, 1:],
            x_halves, dx / (4 * k), w,
        )  # fmt: skip
        if nx > 1 or rules[RIGHT, E] == EXCHANGED:
            edge_differences(
                x_jumps[:, 1:2], x_jumps[:, 2:3], rules[LEFT, E], rules[LEFT, FX], -1.0,
                wide[E, j, 2:3], wide[FX, j, 2:3], wide[E, j, 1:2], wide[FX, j, 1:2],
                x_halves[:, 1:2], dx / (4 * k), w,
            )  # fmt: skip
        if nx > 1 or rules[LEFT, E] == EXCHANGED:
            edge_differences(
                x_jumps[:, nx + 1 : nx + 2], x_jumps[:, nx : nx + 1],
                rules[RIGHT, E], rules[RIGHT, FX], 1.0,
                wide[E, j, nx + 1 : nx + 2], wide[FX, j, nx + 1 : nx + 2],
                wide[E, j, nx + 2 : nx + 3], wide[FX, j, nx + 2 : nx + 3],
                x_halves[:, nx + 1 : nx + 2], dx / (4 * k), w,
            )  # fmt: skip
        halves = x_halves[:, 1:-1]
        faces(
            x_faces[PHI], x_faces[ENERGY], wide[E, j, 1:-2], wide[E, j, 2:-1],
            wide[FX, j, 1:-2], wide[FX, j, 2:-1], halves,
            x_jumps[0, :-2], x_jumps[0, 1:-1], x_jumps[1, 1:-1], x_jumps[1, 2:], dx / (2 * w), w,
        )  # fmt: skip
        for edge, i, outside, outwards in ((LEFT, 0, 1, -1.0), (RIGHT, nx, nx + 2, 1.0)):
            hold(
                x_faces[PHI, i : i + 1], x_faces[ENERGY, i : i + 1],
                rules[edge, E], rules[edge, FX],
                wide[E, j, outside : outside + 1], wide[FX, j, outside : outside + 1],
                halves[:, i : i + 1], outwards, dx / (2 * w), w,
            )  # fmt: skip
        settle(
            x_faces[PHI], x_faces[ENERGY], x_kept[PHI, j - 2], x_kept[ENERGY, j - 2], second,
            old[E, j, 1:-2], old[E, j, 2:-1], old[FX, j, 1:-2], old[FX, j, 2:-1],
            halves, dx / (2 * w), w, keep,
        )  # fmt: skip
        E_row, T_row, rho_row = wide[E, j, inner], wide[T, j, inner], rho[j, inner]
        Fx, Fy = wide[FX, j, inner], wide[FY, j, inner]
        if second:
            second_update(
                E_row, Fx, Fy, old[E, j, inner], old[FX, j, inner], old[FY, j, inner],
                x_faces, below, above, s[inner], nu_x, nu_y, k, c * dt,
            )  # fmt: skip
            if source[2].shape[0] > 0:
                emit(E_row, x, y[j - 2], t + dt / 2, dt, source)
            finish_row(
                E_row, T_row, old[T, j, inner], rho_row, C_v, a, c * dt, tolerance, sigma_a, heat,
                scratch,
            )  # fmt: skip
        else:
            first_update(E_row, Fx, Fy, x_faces, below, above, nu_x, nu_y, k)
            if source[2].shape[0] > 0:
                emit(E_row, x, y[j - 2], t + GAMMA * dt / 2, GAMMA * dt, source)
            couple_row(
                E_row, T_row, rho_row, C_v, a, GAMMA * c * dt, tolerance, sigma_a, heat, scratch
            )
        # Row j's opacity before the update has been used: its buffer takes the one after it.
        opacity_row(s[inner], rho_row, T_row, sigma_c)
        relax(Fx, Fy, s[inner], GAMMA * c * dt)


class Stepper:
    """The consistent scheme at second order on one process's share of the grid.

    Parameters
    ----------
    problem, domain : what is solved, and the cells it is solved on with two layers of ghosts
    rho : (ny + 2, nx + 2) density [g/cm³], ghosts included
    dt : time step [sh]
    rules : (4 edges, 4 fields) how the edges are filled
    """

    def __init__(
        self, problem: Problem, domain: Domain, rho: np.ndarray, dt: float, rules: np.ndarray
    ) -> None:
        material, constants, block = problem.material, problem.constants, domain.block
        grid, (ny, nx) = block.grid, (block.ny, block.nx)
        assert domain.wide.shape == (4, ny + 4, nx + 4), "order 2 needs two layers of ghosts"
        capacity = problem.heat_capacity
        number = problem.wave_speed * constants.c * dt * (1 / grid.dx + 1 / grid.dy)
        self._parts = 1 if number <= POSITIVE else 2
        dt /= self._parts
        self._edges, self._domain, self._rules, self._dt = problem.edges, domain, rules, dt
        self._x, self._y = block.x[1:-1], block.y[1:-1]
        self._at_edge = problem.signals.at == "edge"
        self._spacing, self._w = (grid.dx, grid.dy), problem.wave_speed
        self._physics = (dt, constants.c, constants.a, capacity or 1.0, SETTLED["float64"])
        self._rho = self._widen(rho)
        varying = Formula(material.heat_capacity, ("rho", "T")) if capacity is None else None
        self._formulas = (
            registers_of(Formula(material.sigma_a, ("rho", "T")), nx),
            registers_of(varying, nx),
            registers_of(volume_source(problem), nx),
        )
        sigma_c = Formula(material.sigma_c, ("rho", "T"))
        self._sigma_c = registers_of(sigma_c, nx + 4)
        self._choices = "T" in sigma_c.uses, problem.positivity == "keep"
        normal = rules[[UP, DOWN, LEFT, RIGHT], [FY, FY, FX, FX]]
        self._feeds = holds(rules) | (normal == GIVEN)
        self._old = np.zeros_like(domain.wide)
        self._kept = (np.zeros((2, ny, nx + 1)), np.zeros((2, ny + 1, nx)))
        self._work = (
            np.empty((STAGE_ROWS, nx)),
            np.zeros((3, nx + 4)),
            np.zeros((2, nx + 3)),
            np.zeros((3, 2, nx)),
            np.empty((2, nx + 3)),
            np.empty((3, 2, nx)),
            np.empty((2, nx + 1)),
            np.empty((2, 2, nx)),
        )

    def _widen(self, rho: np.ndarray) -> np.ndarray:
        """Give ρ its second layer of ghosts, by the state's own exchange."""
        wide, block = self._domain.wide, self._domain.block
        E_plane = wide[E].copy()
        wide[E, 1:-1, 1:-1] = rho
        inside = np.where(self._rules == EXCHANGED, EXCHANGED, FREE)
        for edge, normal in enumerate((FY, FY, FX, FX)):
            if mirrors(self._rules[edge, E], self._rules[edge, normal]):
                inside[edge, normal] = MIRRORED
        rows, columns = np.zeros((4, block.nx)), np.zeros((4, block.ny))
        self._fill(inside, (rows, rows, columns, columns))
        widened = wide[E].copy()
        wide[E] = E_plane
        return widened

    def _fill(self, rules: np.ndarray, given: Given) -> None:
        """Fill all ghosts of ``wide``."""
        domain = self._domain
        domain.exchange()
        wrap_halo(domain.wide, *domain.wraps)
        fill_halo(domain.wide, rules, *given, self._physics[2])

    def _keep(self) -> None:
        """Keep the state before the step; ghosts do not bound the energy that enters there."""
        self._old[...] = self._domain.wide
        for feeds, ghosts in zip(
            self._feeds,
            (np.s_[-2:], np.s_[:2], np.s_[:, :2], np.s_[:, -2:]),
            strict=True,
        ):
            if feeds:
                self._old[E][ghosts] = np.inf

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
        """Take one step for each of ``times``; see `solver.scheme.Stepper`."""
        domain = self._domain
        starts = [part * self._dt for part in range(self._parts)]
        stages = [(start, second) for start in starts for second in (False, True)]
        tables = [
            edge_tables(self._edges, domain.block, rules, times + start + second * GAMMA * self._dt)
            for start, second in stages
        ]
        for n, t in enumerate(times):
            for (start, second), table in zip(stages, tables, strict=True):
                self._fill(rules, (table.up[n], table.down[n], table.left[n], table.right[n]))
                if start == 0 and not second:
                    record(state, self._at_edge, *(signal[n] for signal in signals))
                if not second:
                    self._keep()
                stage(
                    second, self._choices, domain.wide, self._old, self._rho, self._kept,
                    self._spacing, self._w, self._physics, self._formulas, self._sigma_c, self._x,
                    self._y, t + start, rules, self._work,
                )  # fmt: skip
