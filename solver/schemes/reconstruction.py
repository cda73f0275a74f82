"""Fluxes of second order between cells, which keep the diffusion limit.

With u = E + F/w and v = E − F/w, w = √k, what moves to the right and to the left, P1 along one
direction is ∂t u + w c ∂x u = −c σ F/w and ∂t v − w c ∂x v = c σ F/w. The cells k and l lie on
either side of a face, at the distance h. As Jin and Levermore do, E is continued to the face along
the profile of the diffusion limit, ∂x E = −σ F/k with the flux Φ of the face. Second order adds the
slope of what is left over, the residual ∂x E + σ F/k = −∂t F/(k c), limited in u and v:

    P = Δu + h σ F̄/k,    Q = Δv + h σ F̄/k               differences between neighbours
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

from opalux.base.kernels import njit
from opalux.solver.edges import EQUILIBRIUM, GIVEN

GENTLE = 1 / 32
KEPT = 0.99


@njit(error_model="numpy", inline="always")
def limited(far, near, level):
    """Return the slope of u or v = ``level`` from the differences at the cell's two faces."""
    slope = (far + 2 * near) / 3
    steepest = 2 * min(abs(far), abs(near)) if far * near > 0 else 0.0
    steepest = max(steepest, GENTLE * abs(level))
    return min(max(slope, -steepest), steepest)


@njit(error_model="numpy")
def differences(P, Q, E_k, E_l, F_k, F_l, sigma_k, sigma_l, pull, w):
    """Fill P and Q of the faces between the cells k and l; ``pull`` = h/(4 k)."""
    for i in range(E_k.shape[0]):
        residual = (E_l[i] - E_k[i]) + pull * (sigma_k[i] + sigma_l[i]) * (F_k[i] + F_l[i])
        jump = (F_l[i] - F_k[i]) / w
        P[i] = residual + jump
        Q[i] = residual - jump


@njit(error_model="numpy")
def faces(phi, energy, E_k, E_l, F_k, F_l, sigma_k, sigma_l, P_k, P, Q, Q_l, drag, w):
    """Fill Φ and E of the faces between the cells k and l.

    P and Q are the differences at the face itself, P_k at the face before it, Q_l at the one
    behind it; ``drag`` = h/(2 w).
    """
    for i in range(E_k.shape[0]):
        u, v = E_k[i] + F_k[i] / w, E_l[i] - F_l[i] / w
        m = 1 / (2 + drag * (sigma_k[i] + sigma_l[i]))
        theta = 2 * m * (1 - m)
        a = u + theta * limited(P_k[i], P[i], u)
        b = v - theta * limited(Q_l[i], Q[i], v)
        phi[i] = w * m * (a - b)
        energy[i] = 0.5 * (a + b)


@njit(error_model="numpy")
def hold(phi, energy, rule_E, rule_F, E_out, F_out, sigma_k, sigma_l, outwards, drag, w):
    """Give the faces on an edge the E, or the flux, that is prescribed there, the other being free.

    What comes from inside, b where ``outwards`` is −1 (left and lower edge) or a where it is 1,
    stays. Where both are prescribed, u or v of the two enters.
    """
    gives_E, gives_F = rule_E in (GIVEN, EQUILIBRIUM), rule_F == GIVEN
    for i in range(phi.shape[0]):
        drop = 0.5 * drag * (sigma_k[i] + sigma_l[i])
        inside = energy[i] + outwards * (phi[i] * (1 + drop) / w)
        if gives_E and gives_F:
            outside = E_out[i] - outwards * (F_out[i] / w)
            phi[i] = outwards * (0.5 * w * (inside - outside)) / (1 + drop)
            energy[i] = 0.5 * (inside + outside) - outwards * (drop * phi[i] / w)
        elif gives_E:
            phi[i] = outwards * (w * (inside - E_out[i]) / (1 + drop))
            energy[i] = E_out[i]
        elif gives_F:
            phi[i] = F_out[i]
            energy[i] = inside - outwards * (F_out[i] * (1 + drop) / w)


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
