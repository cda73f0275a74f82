"""What passes the faces between cells at first order; see `consistent`."""

import math

from opalux.base.kernels import njit
from opalux.solver.schemes.opacities import face_opacity, whole_power
from opalux.solver.schemes.strips import PIECE

E, FX, FY, T = range(4)
PHI, SHARE = range(2)  # what is kept of a face: Φ and m


@njit(error_model="numpy", borrows=True)
def through(phi, share, s, E_k, E_l, F_k, F_l, opacity, w_over_h, w):
    """Fill Φ and m of n faces between the cells k and l; ``s`` becomes ``opacity`` = σ_k + σ_l.

    ``w_over_h`` is 2w/h. No literals: see `coupling`.
    """
    for i in range(phi.shape[0]):
        m = w_over_h / (w_over_h + w_over_h + opacity[i])
        share[i] = m
        phi[i] = m * ((F_k[i] + F_l[i]) - w * (E_l[i] - E_k[i]))
    for i in range(phi.shape[0]):
        s[i] = opacity[i]


@njit(error_model="numpy", borrows=True)
def through_by_power(phi, share, s, E_k, E_l, F_k, F_l, T_k, T_l, factor_k, factor_l, power,
                     w_over_h, w):  # fmt: skip
    """Do what `through` does for σ = K Tᵇ, in one loop: ``factor`` is K and ``power`` b."""
    one, half = w / w, w / (w + w)
    for i in range(phi.shape[0]):
        low, high = T_k[i] * T_k[i], T_l[i] * T_l[i]
        T_f = math.sqrt(math.sqrt(half * (low * low + high * high)))
        opacity = (factor_k[i] + factor_l[i]) * whole_power(T_f, power, one)
        m = w_over_h / (w_over_h + w_over_h + opacity)
        share[i] = m
        phi[i] = m * ((F_k[i] + F_l[i]) - w * (E_l[i] - E_k[i]))
        s[i] = opacity


@njit(error_model="numpy", borrows=True)
def faces(out, at, s, E, F, T, rho, start, stop, step, pair, w_over_h, w):
    """Fill the faces ``at``.. of ``out`` (2, …): from the cells start..stop − 1 ``step`` further.

    ``E``, ``F``, ``T``, ``rho`` are all cells, end to end; ``s`` (>= stop − start,) becomes
    σ_k + σ_l.
    """
    half = w / (w + w)
    power, factor = pair[4], pair[5]
    for low in range(start, stop, PIECE):
        high = min(low + PIECE, stop)
        k, l = slice(low, high), slice(low + step, high + step)  # noqa: E741
        here, there = slice(low - start, high - start), slice(low - start + at, high - start + at)
        phi, share = out[PHI, there], out[SHARE, there]
        if power != 0:
            through_by_power(phi, share, s[here], E[k], E[l], F[k], F[l], T[k], T[l], factor[k],
                             factor[l], power, w_over_h, w)  # fmt: skip
        else:
            face_opacity(pair, rho[k], rho[l], T[k], T[l], half)
            through(phi, share, s[here], E[k], E[l], F[k], F[l], pair[2][pair[1]], w_over_h, w)


@njit(error_model="numpy", borrows=True)
def open_face(out, i, inwards, E, F, s, g, resistance, w_over_h, w):
    """Let face i of ``out`` lie on a vacuum edge: E + β F = g there, F into the domain.

    The half cell between the edge and the cell's centre damps what leaves, E − F/w:

        Φ (β + 1/w + h σ/(2 k)) = g − (E − F/w)

    ``inwards`` is 1 on the left and lower edge, else −1; E, F are the cell's, ``s`` its σ at the
    temperature of the face, ``resistance`` is w β + 1.
    """
    out[PHI, i] = inwards * (w * (g - E) + inwards * F) / (resistance + s / w_over_h)
    out[SHARE, i] = w_over_h / (w_over_h + w_over_h + s)
