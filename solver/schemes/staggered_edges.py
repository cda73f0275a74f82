"""The flux on the edges of the domain, for the staggered scheme, and the signals read there.

Edges hold E + β F = g, F into the domain, half a cell of momentum away from the centre of the first
cell (β = 0 where E alone is prescribed, 1/w for the incoming characteristic, 2 after Marshak). With
z = c Δt σ, b = 2 k β c Δt/h and r = 1 + z/2,

    F⁺ = [F (1 − r b (1 − θ)) − r (2 k c Δt/h) (E_1 − g)] / (1 + z + z²/2 + θ r b)

g and E_1 are at t_n, and so has to be β F: θ = 1/2 in a step from t_n − Δt/2 to t_n + Δt/2, 0 in
the first half step, which starts from t = 0, and 1 in the half step that brings F to t_n.

A free edge has no gradient of what enters, so that F obeys ∂t F − w c ∂x F = −c σ F (x inwards).
With G the flux on the next face this is stepped for P = (1 − α) F + α G, α = 1/2 in thin cells, so
that it is centred between the two faces, and centred in time (a lag of half a step would add up to
an error that does not fall with h). With b = w c Δt/(h (1 − α)) and α = 1/(2 + 2 h σ/w),

    P⁺ = [P − r b (1 − θ) (P − G) + θ r b G⁺] / (1 + z + z²/2 + θ r b)
"""

import numpy as np

from opalux.base.kernels import njit
from opalux.solver.edges import EQUILIBRIUM, EXCHANGED, GIVEN, MARK, MARSHAK, MIRRORED
from opalux.solver.schemes.ghosts import ghost

START, CENTRED, ARRIVE = 0.0, 0.5, 1.0  # θ of the first half step, of a step, of the last half step

E, FX, FY, T = range(4)
UP, DOWN, LEFT, RIGHT = range(4)
NORMAL = (FY, FY, FX, FX)

# What an edge does to the flux on it.
INNER, CLOSED, OPEN, HELD, DRIVEN = range(5)


def edge_kinds(rules: np.ndarray, w: float) -> tuple[np.ndarray, np.ndarray]:
    """Return what the four edges do with the flux on them, and β; see above."""
    kinds, betas = np.zeros(4, np.int64), np.zeros(4)
    for side, normal in enumerate(NORMAL):
        rule_E, rule_F = rules[side, E], rules[side, normal]
        if rule_E == EXCHANGED:
            kinds[side] = INNER
        elif rule_F == MIRRORED:
            kinds[side] = CLOSED
        elif rule_E in (MARK, MARSHAK):
            kinds[side], betas[side] = HELD, 1 / w if rule_E == MARK else 2.0
        elif rule_E in (GIVEN, EQUILIBRIUM):
            kinds[side], betas[side] = HELD, 1 / w if rule_F == GIVEN else 0.0
        else:
            kinds[side] = DRIVEN if rule_F == GIVEN else OPEN
    return kinds, betas


@njit(error_model="numpy")
def push_edge(kind, F, G, G_new, E_1, g, beta, inwards, sigma, c_dt, h, k, w, theta):
    """Return the flux on an edge of the domain after a step; see above.

    ``G``, ``G_new`` is the flux on the next face before and after the step, ``inwards`` 1 on the
    left and lower edge, else −1; for DRIVEN ``g`` is the flux itself.
    """
    if kind == CLOSED:
        return 0.0
    if kind == DRIVEN:
        return g
    z = c_dt * sigma
    r = 1 + 0.5 * z
    if kind == OPEN:
        alpha = 0.5 / (1 + h * sigma / w)
        rb = r * (w * c_dt / (h * (1 - alpha)))
        P = (1 - alpha) * F + alpha * G
        P = (P - rb * (1 - theta) * (P - G) + rb * theta * G_new) / (1 + z * r + rb * theta)
        return (P - alpha * G_new) / (1 - alpha)
    rb = r * (2 * k * beta * c_dt / h)
    change = -2 * (k * c_dt / h) * inwards * (E_1 - g)
    return (F * (1 - rb * (1 - theta)) + r * change) / (1 + z * r + rb * theta)


@njit(error_model="numpy")
def fill_outside(state, side, rules, given, a):
    """Fill E and T in the ghost cells of one edge (see `ghosts`); fluxes lie on faces, here."""
    ny, nx = state.shape[1] - 2, state.shape[2] - 2
    for n in range(given.shape[1]):
        if side == UP:
            j, i, j_in, i_in = ny + 1, n + 1, ny, n + 1
        elif side == DOWN:
            j, i, j_in, i_in = 0, n + 1, 1, n + 1
        elif side == LEFT:
            j, i, j_in, i_in = n + 1, 0, n + 1, 1
        else:
            j, i, j_in, i_in = n + 1, nx + 1, n + 1, nx
        warm = ghost(rules[T], state[T, j_in, i_in], state[T, j, i], given[T, n], a, 0.0)
        state[T, j, i] = warm
        state[E, j, i] = ghost(rules[E], state[E, j_in, i_in], state[E, j, i], given[E, n], a, warm)


@njit(error_model="numpy", inline="always")
def edge_value(kind, E_out, F_out, inwards, w):
    """Return g of an edge: E outside, plus the flux outside where both are prescribed."""
    if kind == DRIVEN:
        return F_out
    return E_out + inwards * F_out / w


@njit(error_model="numpy", inline="always")
def in_cell(state, f, j, i):
    """Return a field in the centre of a cell, fluxes as the mean of the two faces."""
    if f == FX:
        return 0.5 * (state[FX, j, i - 1] + state[FX, j, i])
    if f == FY:
        return 0.5 * (state[FY, j - 1, i] + state[FY, j, i])
    return state[f, j, i]


@njit(error_model="numpy")
def record(state, share, signals, at_edge):
    """Add ``share`` of the fluxes to the signals (4, cells) of each edge; share > 0 also sets E, T.

    F at t_n is the mean of t_n − Δt/2 and t_n + Δt/2, which the two calls about a step add up:
    ``share`` is 1/2 before and −1/2 after it. ``at_edge``: on the edge itself, where the normal
    flux lies, and to which the rest is extrapolated; else in the cells beside it.
    """
    ny, nx = state.shape[1] - 2, state.shape[2] - 2
    for side in range(4):
        out = signals[side]
        along_x = side < 2
        deeper = (ny if along_x else nx) > 1
        for n in range(out.shape[1]):
            if side == UP:
                j, i, j2, i2, j_face, i_face = ny, n + 1, ny - 1, n + 1, ny, n + 1
            elif side == DOWN:
                j, i, j2, i2, j_face, i_face = 1, n + 1, 2, n + 1, 0, n + 1
            elif side == LEFT:
                j, i, j2, i2, j_face, i_face = n + 1, 1, n + 1, 2, n + 1, 0
            else:
                j, i, j2, i2, j_face, i_face = n + 1, nx, n + 1, nx - 1, n + 1, nx
            for f in range(4):
                flux = f in (FX, FY)
                if at_edge and f == (FY if along_x else FX):
                    value = state[f, j_face, i_face]
                elif at_edge and deeper:
                    value = 1.5 * in_cell(state, f, j, i) - 0.5 * in_cell(state, f, j2, i2)
                else:
                    value = in_cell(state, f, j, i)
                if flux:
                    out[f, n] = abs(share) * value + (out[f, n] if share < 0 else 0.0)
                elif share > 0:
                    out[f, n] = value
