"""The adjoint of what the staggered scheme does on the edges; see `staggered_edges`."""

import math

from opalux.base.kernels import njit
from opalux.solver.edges import EQUILIBRIUM
from opalux.solver.formulas.programs import run
from opalux.solver.schemes.staggered_derivatives import BY_TEMPERATURE, FIRST, VALUE
from opalux.solver.schemes.staggered_edges import CLOSED, DRIVEN, HELD, edge_value

E, FX, FY, T = range(4)
UP, DOWN, LEFT, RIGHT = range(4)


@njit(error_model="numpy", borrows=True)
def place(side, n, ny, nx):
    """Return (j, i) of the n-th cell on an edge, of its ghost, its face and the next face."""
    if side == UP:
        return (ny, n + 1), (ny + 1, n + 1), (ny, n + 1), (ny - 1, n + 1)
    if side == DOWN:
        return (1, n + 1), (0, n + 1), (0, n + 1), (1, n + 1)
    if side == LEFT:
        return (n + 1, 1), (n + 1, 0), (n + 1, 0), (n + 1, 1)
    return (n + 1, nx), (n + 1, nx + 1), (n + 1, nx), (n + 1, nx - 1)


@njit(error_model="numpy", borrows=True)
def opacities(side, cells, old, rho, pair):
    """Evaluate ``pair`` on an edge (see `edge`); ghosts continue ρ, so that ρ_l = ρ_k."""
    code, _, registers = pair
    ny, nx = old.shape[1] - 2, old.shape[2] - 2
    for n in range(cells):
        (j, i), outside, _, _ = place(side, n, ny, nx)
        inside2, outside2 = old[T, j, i] ** 2, old[T, outside[0], outside[1]] ** 2
        T_f = math.sqrt(math.sqrt(0.5 * (inside2 * inside2 + outside2 * outside2)))
        registers[0, n] = registers[2, n] = rho[j, i]
        registers[1, n] = T_f
    run(code, registers, cells)


@njit(error_model="numpy", borrows=True)
def held(F, F_new, below, push, b, c_dt, z, theta):
    """Return ∂F⁺/∂F, −∂F⁺/∂E_1 and ∂F⁺/∂σ of an edge that holds E + β F."""
    r, before = 1 + 0.5 * z, b * (1 - theta)
    den = 1 + z * r + r * b * theta
    by_z = -0.5 * (before * F + push * below) - F_new * (1 + z + 0.5 * b * theta)
    return (1 - r * before) / den, r * push / den, c_dt * by_z / den


@njit(error_model="numpy", borrows=True)
def free(F, G, G_new, sigma, h, c_dt, w, theta):
    """Return the derivatives of F⁺ on a free edge by F, G, G⁺ and σ."""
    z = c_dt * sigma
    r = 1 + 0.5 * z
    thick = 1 + h * sigma / w
    alpha = 0.5 / thick
    beyond = 1 - alpha
    alpha_s = -alpha * (h / w) / thick
    b = w * c_dt / (h * beyond)
    rb = r * b
    rb_s = 0.5 * c_dt * b + rb * alpha_s / beyond
    before, after = rb * (1 - theta), rb * theta
    before_s, after_s = rb_s * (1 - theta), rb_s * theta
    den = 1 + z * r + after
    P = beyond * F + alpha * G
    P_new = (P - before * (P - G) + after * G_new) / den
    P_new_s = (
        alpha_s * (G - F) * (1 - before) - before_s * (P - G) + after_s * G_new
        - P_new * (c_dt * (1 + z) + after_s)
    ) / den  # fmt: skip
    by_P = (1 - before) / den
    by_sigma = (P_new_s - alpha_s * G_new) / beyond + alpha_s * (P_new - alpha * G_new) / beyond**2
    return by_P, (by_P * alpha + before / den) / beyond, (after / den - alpha) / beyond, by_sigma


@njit(error_model="numpy", borrows=True)
def edge(side, kind, beta, rules, bar, p_bar, lag_bar, given_bar, G_bar, F_out, old, new, rho, pair,
         h, c_dt, k, w, a, theta):  # fmt: skip
    """Step the flux on one edge backwards, in all of its cells.

    Parameters
    ----------
    side, kind, beta, rules : which edge, what it does (`staggered_edges`), how ghosts are filled
    bar : (4, ny + 2, nx + 2); F̄⁺ on the edge becomes F̄; T̄ and F̄⁺ on the next face are added to
    lag_bar : (ny + 2, nx + 2) Ē − Ē*, added to
    p_bar : (parameters, ny + 2, nx + 2), added to
    given_bar : (cells,), becomes the derivative by what is given: g, or F itself
    G_bar : (cells,), becomes the derivative by the flux on the next face before the step
    F_out : (cells,) the flux that is prescribed outside
    old, new : (4, ny + 2, nx + 2) the states before, with its ghosts, and after the step
    pair : program of s = σ_k + σ_l, see `staggered_derivatives`
    h, c_dt, k, w, a : the cell across the edge, c Δt, k, √k, radiation constant
    theta : START in the first half step, else CENTRED
    """
    ny, nx = old.shape[1] - 2, old.shape[2] - 2
    f = FY if side < 2 else FX
    inwards = 1 if side in (DOWN, LEFT) else -1
    if kind not in (CLOSED, DRIVEN):
        opacities(side, given_bar.shape[0], old, rho, pair)
    _, results, registers = pair
    s, s_T, T_faces = registers[results[VALUE]], registers[results[BY_TEMPERATURE]], registers[1]
    for n in range(given_bar.shape[0]):
        (j, i), outside, face, beside = place(side, n, ny, nx)
        F_bar = bar[f, face[0], face[1]]
        given_bar[n] = G_bar[n] = 0.0
        if kind in (CLOSED, DRIVEN):
            given_bar[n] = F_bar if kind == DRIVEN else 0.0
            bar[f, face[0], face[1]] = 0.0
            continue
        T_1, T_o = old[T, j, i], old[T, outside[0], outside[1]]
        follows = T_o == T_1  # free, or surroundings that are colder: T outside is T inside
        sigma = 0.5 * s[n]
        F, F_new = old[f, face[0], face[1]], new[f, face[0], face[1]]
        if kind == HELD:
            push = 2 * (k * c_dt / h) * inwards
            E_o = old[E, outside[0], outside[1]]
            below = old[E, j, i] - edge_value(kind, E_o, F_out[n], inwards, w)
            by_F, by_g, by_sigma = held(
                F, F_new, below, push, 2 * k * beta * c_dt / h, c_dt, c_dt * sigma, theta
            )
            given_bar[n] = F_bar * by_g
            lag_bar[j, i] -= F_bar * by_g
            if rules[E] == EQUILIBRIUM and follows:
                bar[T, j, i] += F_bar * by_g * 4 * a * T_o**3
        else:
            G, G_new = old[f, beside[0], beside[1]], new[f, beside[0], beside[1]]
            by_F, by_G, by_G_new, by_sigma = free(F, G, G_new, sigma, h, c_dt, w, theta)
            G_bar[n] = F_bar * by_G
            bar[f, beside[0], beside[1]] += F_bar * by_G_new
        bar[f, face[0], face[1]] = F_bar * by_F
        s_bar = 0.5 * F_bar * by_sigma
        for p in range(p_bar.shape[0]):
            by_k, by_l = results[FIRST + 2 * p], results[FIRST + 2 * p + 1]
            p_bar[p, j, i] += s_bar * (registers[by_k, n] + registers[by_l, n])
        by_T = 0.5 * s_bar * s_T[n] / T_faces[n] ** 3
        bar[T, j, i] += by_T * (T_1**3 + (T_o**3 if follows else 0.0))


@njit(error_model="numpy", borrows=True)
def spread(bar, share, weights, step, at_edge):
    """Add the weights of one step: the transpose of `staggered_signals.record`.

    ``weights`` per edge (n, 4, cells + 1). The last one is that of the cell that follows along the
    edge, on another process or on the other side: the face between the two is the block's own.
    """
    ny, nx = bar.shape[1] - 2, bar.shape[2] - 2
    for side in range(4):
        cells = weights[side].shape[2] - 1
        along_x = side < 2
        deeper = (ny if along_x else nx) > 1
        normal, tangent = (FY, FX) if along_x else (FX, FY)
        for f in range(4):
            flux = f in (FX, FY)
            if flux or share > 0:
                spread_field(
                    bar, side, f, cells, weights[side][step, f], abs(share) if flux else 1.0,
                    at_edge and f == normal, at_edge and deeper,
                )  # fmt: skip
        if cells > 0:
            (j, i), _, _, _ = place(side, cells - 1, ny, nx)
            j2, i2 = second(side, j, i)
            weight = weights[side][step, tangent, cells] * abs(share)
            if at_edge and deeper:
                bar[tangent, j, i] += 0.5 * (1.5 * weight)
                bar[tangent, j2, i2] += 0.5 * (-0.5 * weight)
            else:
                bar[tangent, j, i] += 0.5 * weight


@njit(error_model="numpy", borrows=True)
def spread_field(bar, side, f, cells, weights, share, on_face, extrapolated):
    """Add the weights of one field along one edge; those of the cells alone."""
    ny, nx = bar.shape[1] - 2, bar.shape[2] - 2
    if on_face:
        for n in range(cells):
            _, _, face, _ = place(side, n, ny, nx)
            bar[f, face[0], face[1]] += share * weights[n]
    elif extrapolated:
        for n in range(cells):
            (j, i), _, _, _ = place(side, n, ny, nx)
            j2, i2 = second(side, j, i)
            to_cell(bar, f, j, i, 1.5 * (share * weights[n]))
            to_cell(bar, f, j2, i2, -0.5 * (share * weights[n]))
    else:
        for n in range(cells):
            (j, i), _, _, _ = place(side, n, ny, nx)
            to_cell(bar, f, j, i, share * weights[n])


@njit(error_model="numpy", inline="always")
def second(side, j, i):
    """Return the cell behind the cell (j, i) on an edge."""
    if side < 2:
        return (j - 1 if side == UP else j + 1), i
    return j, (i - 1 if side == RIGHT else i + 1)


@njit(error_model="numpy", borrows=True)
def spread_points(bar, share, points, step):
    """Add the weights of what detectors read in one step; fluxes as in `spread`."""
    places, weights = points
    for m in range(places.shape[1]):
        f = places[0, m]
        if f in (FX, FY):
            bar[f, places[1, m], places[2, m]] += abs(share) * weights[step, m]
        elif share > 0:
            bar[f, places[1, m], places[2, m]] += weights[step, m]


@njit(error_model="numpy", inline="always")
def to_cell(bar, f, j, i, weight):
    """Add the transpose of what `staggered_signals` reads in cells."""
    if f == FX:
        bar[FX, j, i - 1] += 0.5 * weight
        bar[FX, j, i] += 0.5 * weight
    elif f == FY:
        bar[FY, j - 1, i] += 0.5 * weight
        bar[FY, j, i] += 0.5 * weight
    else:
        bar[f, j, i] += weight
