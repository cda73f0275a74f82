"""One implicit stage of the staggered scheme, linearised: a system for the change of E alone.

A stage of length τ starts from E*, F*, Q* and ends in E, F, T with

    F_f = F*_f − τ c (k ∇E + σ_f F_f)                     on faces, σ_f at T_f of `formulas.pairs`
    H(T) = Q* + κ (E − a T⁴),   κ = c τ σ_a(ρ, T)         H(T) = ∫ρ C_v dT from the step's start
    E = E* − c τ div F − (H(T) − Q*)                      E* holds τ S already

F is a line in E, and by Newton's method T is, too. With T_k the last iterate, H_k = H(T_k) and
H′ = ρ C_v there,

    F = D [(h/k c τ) F* − (E_l − E_k)],    D = (k c τ/h) / (1 + c τ σ_f)
    T − T_k = (r + κ E)/d,    d = H′ + 4 a κ T_k³,    r = Q* − H_k − κ a T_k⁴

so that what is left is the Schur complement for E, a matrix of five points, symmetric and positive
definite but at open edges:

    (1 + κ H′/d) E + c τ div F(E) = E* + Q* − H_k − (H′/d) r

It is solved for the change δE from the last iterate. Opacities are those of the last iterate (σ of
Picard's kind), and the iteration ends where they no longer change. For c τ σ → ∞, F = −k ∇E/σ_f:
diffusion, at a fixed mesh; for τ → ∞ the steady state is that of the explicit scheme.

Source: the elimination is that of E. W. Larsen, "A grey transport acceleration method for
time-dependent radiative transfer problems", J. Comput. Phys. 78 (1988) 459, for P1.
"""

import math

from opalux.base.kernels import njit
from opalux.solver.domains.linear import CENTRE, EAST, NORTH, SOUTH, WEST
from opalux.solver.formulas.programs import run
from opalux.solver.implicit.edge_flux import edge_line
from opalux.solver.schemes.coupling import mean_capacity
from opalux.solver.schemes.staggered_edges import INNER, edge_value

E, FX, FY, T = range(4)
Q = 3  # in the base of a stage: heat, in the place of T
UP, DOWN, LEFT, RIGHT = range(4)

LEAST = 0.1  # share of T that an iteration leaves at least


@njit(error_model="numpy")
def conduct(D, pair, rho_k, rho_l, T_k, T_l, c_tau, q):
    """Fill ``D`` of n faces between the cells k and l; leave σ_k + σ_l in a register of ``pair``.

    ``q`` is k c τ/h.
    """
    code, result, registers, knows_T = pair
    n = D.shape[0]
    for i in range(n):
        registers[0, i] = rho_k[i]
        registers[2, i] = rho_l[i]
    if knows_T:
        for i in range(n):
            low, high = T_k[i] * T_k[i], T_l[i] * T_l[i]
            registers[1, i] = math.sqrt(math.sqrt(0.5 * (low * low + high * high)))
    run(code, registers, n)
    for i in range(n):
        D[i] = q / (1 + 0.5 * c_tau * registers[result, i])


@njit(error_model="numpy")
def absorb(gain, shift, centre, left_over, E_row, T_row, T_n, E_base, Q_base, rho, C_v, a, c_tau,
           sigma_a, heat, work):  # fmt: skip
    """Linearise the exchange in n cells.

    Fills ``gain`` = κ/d and ``shift`` = r/d, the matrix's ``centre`` 1 + κ H′/d, and ``left_over``:
    what E* + Q* − H leaves of E_k, without what flows.
    """
    code, result, registers = sigma_a
    n = E_row.shape[0]
    varies = heat[2].shape[0] > 0
    capacity, slope = work[0, :n], work[1, :n]
    if varies:
        heat[2][0, :n] = rho
        mean_capacity(heat, T_row, T_n, capacity, slope)
    else:
        for i in range(n):
            capacity[i] = slope[i] = C_v * rho[i]
    registers[0, :n] = rho
    registers[1, :n] = T_row
    run(code, registers, n)
    for i in range(n):
        kappa = c_tau * registers[result, i]
        T3 = T_row[i] * T_row[i] * T_row[i]
        below = slope[i] + 4 * a * kappa * T3
        lacking = Q_base[i] - capacity[i] * (T_row[i] - T_n[i])
        r = lacking - kappa * a * T3 * T_row[i]
        gain[i], shift[i] = kappa / below, r / below
        centre[i] = 1 + slope[i] * gain[i]
        taken = slope[i] * ((lacking + kappa * (E_row[i] - a * T3 * T_row[i])) / below)
        left_over[i] = E_base[i] - E_row[i] + lacking - taken


@njit(error_model="numpy")
def assemble(state, base, T_n, rho, tau, spacing, constants, formulas, kinds, betas, given, system,
             work):  # fmt: skip
    """Linearise a stage about ``state``, whose ghost cells are filled.

    Parameters
    ----------
    state : (4, ny + 2, nx + 2) the iterate; E and T are read
    base : (4, ny + 2, nx + 2) E*, F*x, F*y on faces, Q*
    T_n, rho : (ny + 2, nx + 2) T from which H counts; density
    spacing, constants : (Δx, Δy); (c, a, k, w, C_v)
    formulas : registers of σ_a, of C_v (none: constant), and of σ_k + σ_l on faces
    kinds, betas, given : (4,), (4,), per edge (4, cells): see `staggered_edges`
    system : what is filled; see `Stage`
    """
    matrix, residual, conductance, gain, shift, lines = system
    sigma_a, heat, pair = formulas
    _, result, registers, _ = pair
    dx, dy = spacing
    c, a, k, w, C_v = constants
    ny, nx = state.shape[1] - 2, state.shape[2] - 2
    c_tau = c * tau
    qx, qy, nu_x, nu_y = k * c_tau / dx, k * c_tau / dy, c_tau / dx, c_tau / dy
    Dx, Dy = conductance
    below, above, along, centre, left_over = work[2], work[3], work[4], work[5], work[6]
    inner = slice(1, nx + 1)
    conduct(Dy[0, inner], pair, rho[0, inner], rho[1, inner], state[T, 0, inner],
            state[T, 1, inner], c_tau, qy)  # fmt: skip
    if kinds[DOWN] != INNER:
        for i in range(1, nx + 1):
            g = edge_value(kinds[DOWN], state[E, 0, i], given[DOWN][FY, i - 1], 1, w)
            A, B, M = edge_line(kinds[DOWN], base[FY, 0, i], base[FY, 1, i], g, betas[DOWN], 1,
                                0.5 * registers[result, i - 1], c_tau, dy, k, w)  # fmt: skip
            lines[DOWN][0, i - 1], lines[DOWN][1, i - 1], lines[DOWN][2, i - 1] = A, B, M
            Dy[0, i] = 0.0
    flow(below[inner], Dy[0, inner], base[FY, 0, inner], state[E, 0, inner], state[E, 1, inner], qy)
    for j in range(1, ny + 1):
        conduct(Dy[j, inner], pair, rho[j, inner], rho[j + 1, inner], state[T, j, inner],
                state[T, j + 1, inner], c_tau, qy)  # fmt: skip
        if j == ny and kinds[UP] != INNER:
            for i in range(1, nx + 1):
                g = edge_value(kinds[UP], state[E, ny + 1, i], given[UP][FY, i - 1], -1, w)
                A, B, M = edge_line(kinds[UP], base[FY, ny, i], base[FY, ny - 1, i], g, betas[UP],
                                    -1, 0.5 * registers[result, i - 1], c_tau, dy, k,
                                    w)  # fmt: skip
                lines[UP][0, i - 1], lines[UP][1, i - 1], lines[UP][2, i - 1] = A, B, M
                Dy[ny, i] = 0.0
        flow(above[inner], Dy[j, inner], base[FY, j, inner], state[E, j, inner],
             state[E, j + 1, inner], qy)  # fmt: skip
        conduct(Dx[j, : nx + 1], pair, rho[j, : nx + 1], rho[j, 1:], state[T, j, : nx + 1],
                state[T, j, 1:], c_tau, qx)  # fmt: skip
        if kinds[LEFT] != INNER:
            g = edge_value(kinds[LEFT], state[E, j, 0], given[LEFT][FX, j - 1], 1, w)
            A, B, M = edge_line(kinds[LEFT], base[FX, j, 0], base[FX, j, 1], g, betas[LEFT], 1,
                                0.5 * registers[result, 0], c_tau, dx, k, w)  # fmt: skip
            lines[LEFT][0, j - 1], lines[LEFT][1, j - 1], lines[LEFT][2, j - 1] = A, B, M
            Dx[j, 0] = 0.0
        if kinds[RIGHT] != INNER:
            g = edge_value(kinds[RIGHT], state[E, j, nx + 1], given[RIGHT][FX, j - 1], -1, w)
            A, B, M = edge_line(kinds[RIGHT], base[FX, j, nx], base[FX, j, nx - 1], g,
                                betas[RIGHT], -1, 0.5 * registers[result, nx], c_tau, dx, k,
                                w)  # fmt: skip
            lines[RIGHT][0, j - 1], lines[RIGHT][1, j - 1], lines[RIGHT][2, j - 1] = A, B, M
            Dx[j, nx] = 0.0
        flow(along[: nx + 1], Dx[j, : nx + 1], base[FX, j, : nx + 1], state[E, j, : nx + 1],
             state[E, j, 1:], qx)  # fmt: skip
        absorb(gain[j - 1], shift[j - 1], centre, left_over, state[E, j, inner],
               state[T, j, inner], T_n[j, inner], base[E, j, inner], base[Q, j, inner],
               rho[j, inner], C_v, a, c_tau, sigma_a, heat, work)  # fmt: skip
        for i in range(1, nx + 1):
            row = matrix[j - 1, i - 1]
            row[SOUTH], row[NORTH] = -nu_y * Dy[j - 1, i], -nu_y * Dy[j, i]
            row[WEST], row[EAST] = -nu_x * Dx[j, i - 1], -nu_x * Dx[j, i]
            row[CENTRE] = centre[i - 1] - (row[SOUTH] + row[NORTH]) - (row[WEST] + row[EAST])
            gone = nu_x * (along[i] - along[i - 1]) + nu_y * (above[i] - below[i])
            residual[j - 1, i - 1] = left_over[i - 1] - gone
        below, above = above, below
    close_edges(matrix, residual, state, base, conductance, lines, kinds, nu_x, nu_y, qx, qy)


@njit(error_model="numpy")
def flow(F, D, F_base, E_k, E_l, q):
    """Fill ``F`` with the flux on n faces between the cells k and l."""
    for i in range(F.shape[0]):
        F[i] = D[i] * (F_base[i] / q - (E_l[i] - E_k[i]))


@njit(error_model="numpy", inline="always")
def beside(side, n, ny, nx):
    """Return cell n along an edge, its edge's face, the next face, and the cell behind that."""
    if side == UP:
        return ny, n, ny, n, ny - 1, n, ny - 1, n
    if side == DOWN:
        return 1, n, 0, n, 1, n, 2, n
    if side == LEFT:
        return n, 1, n, 0, n, 1, n, 2
    return n, nx, n, nx, n, nx - 1, n, nx - 1


@njit(error_model="numpy", inline="always")
def next_flux(side, D, F_base, E_1, E_2, q):
    """Return the flux on the face behind the first cell of an edge."""
    rise = E_2 - E_1 if side in (DOWN, LEFT) else E_1 - E_2
    return D * (F_base / q - rise)


@njit(error_model="numpy")
def close_edges(matrix, residual, state, base, conductance, lines, kinds, nu_x, nu_y, qx, qy):
    """Add the flux on the edges of the domain to the cells beside them."""
    ny, nx = matrix.shape[0], matrix.shape[1]
    for side in range(4):
        if kinds[side] == INNER:
            continue
        along_x = side < 2
        nu, q = (nu_y, qy) if along_x else (nu_x, qx)
        normal = FY if along_x else FX
        inwards = 1.0 if side in (DOWN, LEFT) else -1.0
        back = (SOUTH, NORTH, EAST, WEST)[side]  # the neighbour behind the first cell
        deep = (ny if along_x else nx) > 1
        for n in range(1, lines[side].shape[1] + 1):
            j, i, _, _, j_next, i_next, j_2, i_2 = beside(side, n, ny, nx)
            A, B, M = lines[side][0, n - 1], lines[side][1, n - 1], lines[side][2, n - 1]
            D = conductance[1 if along_x else 0][j_next, i_next] if deep else 0.0
            G = next_flux(side, D, base[normal, j_next, i_next], state[E, j, i],
                          state[E, j_2, i_2], q)  # fmt: skip
            F = A + B * G + M * state[E, j, i]
            residual[j - 1, i - 1] += inwards * nu * F
            row = matrix[j - 1, i - 1]
            row[CENTRE] -= inwards * nu * M + nu * B * D
            row[back] += nu * B * D


@njit(error_model="numpy")
def fluxes(state, base, conductance, lines, kinds, q):
    """Fill the fluxes of ``state`` from its E, once a stage is solved; ``q`` is k c τ/(Δx, Δy)."""
    ny, nx = state.shape[1] - 2, state.shape[2] - 2
    Dx, Dy = conductance
    for j in range(1, ny + 1):
        flow(state[FX, j, : nx + 1], Dx[j, : nx + 1], base[FX, j, : nx + 1],
             state[E, j, : nx + 1], state[E, j, 1:], q[0])  # fmt: skip
    for j in range(ny + 1):
        flow(state[FY, j, 1:-1], Dy[j, 1:-1], base[FY, j, 1:-1], state[E, j, 1:-1],
             state[E, j + 1, 1:-1], q[1])  # fmt: skip
    for side in range(4):
        if kinds[side] == INNER:
            continue
        normal = FY if side < 2 else FX
        deep = (ny if side < 2 else nx) > 1
        for n in range(1, lines[side].shape[1] + 1):
            j, i, j_face, i_face, j_next, i_next, _, _ = beside(side, n, ny, nx)
            A, B, M = lines[side][0, n - 1], lines[side][1, n - 1], lines[side][2, n - 1]
            G = state[normal, j_next, i_next] if deep else 0.0
            state[normal, j_face, i_face] = A + B * G + M * state[E, j, i]


@njit(error_model="numpy")
def update(state, change, gain, shift, sums):
    """Add the solved ``change`` of E (ny, nx), and the change of T that goes with it.

    ``sums`` (4,) becomes Σ|δE|, Σ|E|, Σ|δT|, ΣT over these cells.
    """
    ny, nx = change.shape
    dE = size_E = dT = size_T = 0.0
    for j in range(ny):
        for i in range(nx):
            old = state[T, j + 1, i + 1]
            E_new = state[E, j + 1, i + 1] + change[j, i]
            T_new = max(old + (shift[j, i] + gain[j, i] * E_new), LEAST * old)
            state[E, j + 1, i + 1], state[T, j + 1, i + 1] = E_new, T_new
            dE += abs(change[j, i])
            size_E += abs(E_new)
            dT += abs(T_new - old)
            size_T += T_new
    sums[0], sums[1], sums[2], sums[3] = dE, size_E, dT, size_T
