"""The flux on the edges of the domain, for the staggered scheme.

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


@njit(error_model="numpy", borrows=True)
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


@njit(error_model="numpy", borrows=True)
def fill_outside(state, side, rules, given, a):
    """Fill E and T in the ghost cells of one edge (see `ghosts`); fluxes lie on faces, here."""
    ny, nx = state.shape[1] - 2, state.shape[2] - 2
    if side == UP:
        fill_beside(state[:, ny + 1], state[:, ny], rules, given, a)
    elif side == DOWN:
        fill_beside(state[:, 0], state[:, 1], rules, given, a)
    elif side == LEFT:
        fill_beside(state[:, :, 0], state[:, :, 1], rules, given, a)
    else:
        fill_beside(state[:, :, nx + 1], state[:, :, nx], rules, given, a)


@njit(error_model="numpy", borrows=True)
def fill_beside(outside, inside, rules, given, a):
    """Fill ghost cells (4, n + 2) from the cells beside them and what is given (4, n)."""
    for n in range(given.shape[1]):
        i = n + 1
        warm = ghost(rules[T], inside[T, i], outside[T, i], given[T, n], a, 0.0)
        outside[T, i] = warm
        outside[E, i] = ghost(rules[E], inside[E, i], outside[E, i], given[E, n], a, warm)


@njit(error_model="numpy", inline="always")
def edge_value(kind, E_out, F_out, inwards, w):
    """Return g of an edge: E outside, plus the flux outside where both are prescribed."""
    if kind == DRIVEN:
        return F_out
    return E_out + inwards * F_out / w
