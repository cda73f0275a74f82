"""Fluxes of second order between cells, which keep the diffusion limit.

With u = E + F/w and v = E − F/w, w = √k, what moves to the right and to the left, P1 along one
direction is ∂t u + w c ∂x u = −c σ F/w and ∂t v − w c ∂x v = c σ F/w. The cells k and l lie on
either side of a face, at the distance h. As Jin and Levermore do, E is continued to the face along
the profile of the diffusion limit, ∂x E = −σ F/k with the flux Φ of the face. Second order adds the
slope of what is left over, the residual ∂x E + σ F/k = −∂t F/(k c), limited in u and v:

    P = Δu + R,    Q = Δv + R,    R = h (σ_k F_k + σ_l F_l)/(2 k)     between neighbours
    a = u_k + θ p/2,     b = v_l − θ q/2                p, q: slopes of the cells from P, Q
    Φ = M (w/2) (a − b),   E = (a + b)/2                on the face; M = 2 / (2 + h σ/w)

In the diffusion limit the residual vanishes, and with it the slopes: the fluxes are then those of
first order, Φ = −k ΔE/(h σ). θ = 1 − (1 − M)² makes sure of it: σ F is explicit in the residual,
and where h σ ≫ 1 full slopes would amplify its errors. Where ΔE alternates from face to face the
limiter leaves no slope, so that Φ damps odd-even patterns as first order does.

The slopes are (far + 2 near)/3 of the differences at the cell's two faces, of third order where u
and v are merely advected. They are limited to twice the smaller difference, and to none at an
extremum. But a change of u or v from cell to cell by less than the share GENTLE of its value is
never limited: otherwise smooth extrema would reduce the order, except in the mean. Where σ = 0 and
u and v are not negative in the cells, they are not negative on the faces.

References
----------
S. Jin, C. D. Levermore, J. Comput. Phys. 126 (1996) 449.
B. Koren, in: Numerical methods for advection-diffusion problems, Vieweg 1993, 117 (the limiter).
C.-W. Shu, Math. Comput. 49 (1987) 105 (the extrema).
"""

import numpy as np

from opalux.base.kernels import njit
from opalux.solver.edges import EQUILIBRIUM, EXCHANGED, GIVEN, MARK, MARSHAK, MIRRORED

GENTLE = 1 / 32
THIRD = 1 / 3
KEPT = 0.99


@njit(error_model="numpy", inline="always")
def limited(far, near, level):
    """Return the slope of u or v = ``level`` from the differences at the cell's two faces."""
    slope = THIRD * (far + 2 * near)
    steepest = 2 * min(abs(far), abs(near)) if far * near > 0 else 0.0
    steepest = max(steepest, GENTLE * abs(level))
    return min(max(slope, -steepest), steepest)


@njit(error_model="numpy", borrows=True)
def differences(P, Q, E_k, E_l, F_k, F_l, sigma_k, sigma_l, pull, w):
    """Fill P and Q (n,) of the faces between the cells k and l.

    ``sigma_k``, ``sigma_l`` (n,) are σ of the half cells on either side, ``pull`` = h/(4 k).
    """
    per_w = 1 / w
    for i in range(E_k.shape[0]):
        residual = (E_l[i] - E_k[i]) + 2 * pull * (sigma_k[i] * F_k[i] + sigma_l[i] * F_l[i])
        jump = (F_l[i] - F_k[i]) * per_w
        P[i] = residual + jump
        Q[i] = residual - jump


@njit(error_model="numpy", borrows=True)
def edge_differences(jumps, within, rule_E, rule_F, outwards, E, F, E_out, F_out, halves, pull, w):
    """Correct ``jumps`` (2, n) on an edge of the domain; ``within`` are those of the next face.

    On most edges the cell outside tells what enters, at most. What leaves is continued from
    within: ghosts that hold one characteristic (a source is E = g, F = 0) are no state of the
    solution, and a slope towards them would spoil the cell that signals are read from.

    What enters is known on the edge, half a cell away, where E and F are prescribed or the edge
    is open after Mark. A free edge has no gradient of it. After Marshak it depends on what leaves,
    and is continued too. Edges that mirror, or prescribe the flux alone, need no correction.
    """
    alone = rule_F == GIVEN and not holds_E(rule_E)
    if rule_E == EXCHANGED or mirrors(rule_E, rule_F) or alone:
        return
    enters = 0 if outwards < 0 else 1
    known = holds_E(rule_E) or rule_E == MARK
    for i in range(E.shape[0]):
        jumps[1 - enters, i] = within[1 - enters, i]
        if known:
            F_edge = F_out[i] if rule_F == GIVEN else 0.0
            rise = outwards * (E_out[i] - E[i]) - (F_edge - F[i]) / w
            jumps[enters, i] = 2 * (rise + 2 * pull * halves[1 - enters, i] * F[i])
        elif rule_E == MARSHAK:
            jumps[enters, i] = within[enters, i]


@njit(error_model="numpy", borrows=True)
def faces(phi, energy, E_k, E_l, F_k, F_l, sigma_k, sigma_l, P_k, P, Q, Q_l, drag, w):
    """Fill Φ and E of the faces between the cells k and l.

    P and Q are the differences at the face itself, P_k at the face before it, Q_l at the one
    behind it; ``drag`` = h/(2 w). E falls by (h/2) σ Φ/k in either half cell, so that on the face
    it is not the mean of a and b where the opacity jumps.
    """
    per_w = 1 / w
    for i in range(E_k.shape[0]):
        u, v = E_k[i] + F_k[i] * per_w, E_l[i] - F_l[i] * per_w
        m = 1 / (2 + drag * (sigma_k[i] + sigma_l[i]))
        theta = 2 * m * (1 - m)
        a = u + theta * limited(P_k[i], P[i], u)
        b = v - theta * limited(Q_l[i], Q[i], v)
        flux = w * m * (a - b)
        phi[i] = flux
        energy[i] = 0.5 * (a + b) + 0.5 * drag * per_w * (sigma_l[i] - sigma_k[i]) * flux


@njit(error_model="numpy", inline="always")
def holds_E(rule):
    """Return whether an edge with this rule prescribes E."""
    return rule in (GIVEN, EQUILIBRIUM)


@njit(error_model="numpy", inline="always")
def mirrors(rule_E, rule_F):
    """Return whether an edge mirrors the cells inside it.

    So do walls, with F odd, and edges where E alone is prescribed, with E odd about its value: they
    reflect all that reaches them, and only ghosts that mirror never give back more than came.
    """
    return rule_F == MIRRORED or (holds_E(rule_E) and rule_F != GIVEN)


@njit(error_model="numpy")
def holds(rules):
    """Return which edges (4,) hold F, or a sum of E and F, on the edge itself; see `hold`."""
    held = np.zeros(4, np.bool_)
    for edge in range(4):
        E, F = rules[edge, 0], rules[edge, 2 if edge < 2 else 1]
        held[edge] = F == GIVEN or E in (MARK, MARSHAK)
    return held


@njit(error_model="numpy", borrows=True)
def hold(phi, energy, rule_E, rule_F, E_out, F_out, halves, outwards, drag, w):
    """Give the faces on an edge the E and F, the F alone, or the sum E + β F that is held there.

    What comes from inside, b where ``outwards`` is −1 (left and lower edge) or a where it is 1,
    stays. Of E and F the characteristic enters, that is the sum with β = 1/w.
    """
    gives = holds_E(rule_E) and rule_F == GIVEN
    if not (rule_F == GIVEN or rule_E in (MARK, MARSHAK)):
        return
    beta = 2.0 if rule_E == MARSHAK else 1 / w
    for i in range(phi.shape[0]):
        drop = 0.5 * drag * (halves[0, i] + halves[1, i])
        level = energy[i] - 0.5 * drag / w * (halves[1, i] - halves[0, i]) * phi[i]
        inside = level + outwards * (phi[i] * (1 + drop) / w)
        enters = E_out[i] - outwards * (F_out[i] / w if gives else 0.0)
        if gives or rule_F != GIVEN:
            phi[i] = outwards * (inside - enters) / (beta + (1 + 2 * drop) / w)
            energy[i] = enters + outwards * beta * phi[i]
        else:
            phi[i] = F_out[i]
            energy[i] = inside - outwards * (F_out[i] * (1 + 2 * drop) / w)


@njit(error_model="numpy", inline="always")
def reach(E, flow, w):
    """Return the most energy that may leave a cell through one face: w u, what moves towards it.

    ``flow`` is F towards the face. Upwinding of first order passes half of that at most. Both
    faces along one direction together pass 2 w E at most, less the share that KEPT leaves behind.
    """
    return max(0.0, KEPT * min(w * E + flow, 2 * w * E))


@njit(error_model="numpy", inline="always")
def within_reach(phi, E_k, E_l, F_k, F_l, w):
    """Return Φ, bounded so that no cell gives more energy than it has."""
    return min(max(phi, -reach(E_l, -F_l, w)), reach(E_k, F_k, w))
