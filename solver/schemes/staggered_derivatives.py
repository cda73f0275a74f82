"""Local derivatives of the staggered scheme: of what a cell and a face make of what they are given.

*Cells.* T⁺ is the root of g(T⁺; T, E, E*, p) = 0 (`coupling_fitted`; E* = E + D is what transport
leaves), and E⁺ = E* − G, where G is the energy that matter gains. No solve is repeated: all that is
needed is in the states before and after the step. With C = ρ C_v and σ at T, σ_m at (T + T⁺)/2,

    g = G + c Δt σ_m [(1 − ω) (a T⁺⁴ − E⁺) − ω (E − a T⁴)],   ω = C/[2 C + c Δt σ (C + 4 a T³)]

    G = (T⁺ − T) C̄,   C̄ = Σ w_q C(T + p_q (T⁺ − T))

*Faces.* F⁺ = [F − r q (E_l − E_k)]/(1 + z r), r = 1 + z/2, depends on F, E_k, E_l, and, through
z = c Δt s/2, on what s = σ_k + σ_l depends on: p_k, p_l and T_f, T_f⁴ = (T_k⁴ + T_l⁴)/2.

p stands for one or more *parameters* of the medium, numbers in each cell on which σ_a, σ_c and C
depend: the density, or factors. Which ones is a matter of the programs alone. Each evaluates a
value, its derivative by T, and then its derivatives by each p (those of s: by p_k and p_l).

The adjoint and the tangent of the scheme are made of these, and of nothing else. The kernels take
`PIECE` cells or faces at most.
"""

import math

import numpy as np

from opalux.base.kernels import njit
from opalux.solver.formulas.programs import run
from opalux.solver.schemes.coupling import POINTS, WEIGHTS
from opalux.solver.schemes.strips import PIECE, aligned

VALUE, BY_TEMPERATURE, FIRST = range(3)
"""Results of a program: those by parameters begin at FIRST."""

# Where the rows of scratch that cells need begin: a temperature, G_T⁺ and −G_T; what the step of
# cells fills; and C̄_p of one parameter after the other. The rows lie in one array, so that loops
# need not find out whether they overlap.
AT, GAIN_NEW, GAIN_OLD, BY_GAIN, BY_MIDDLE, BY_OLD, BY_HEAT, STAR, COOLED, LAGGING, MEAN_BY = range(
    0, 11 * PIECE, PIECE
)

# The rows in their place where σ_a = K Tᵇ and C does not depend on T.
RAISED, RISE, RAISED_MIDDLE, RISE_MIDDLE, BY_C, BY_K = range(0, 6 * PIECE, PIECE)


def cell_scratch(parameters: int) -> np.ndarray:
    """Return the scratch that cells need."""
    return aligned(1, MEAN_BY + parameters * PIECE)[0]


@njit(error_model="numpy", borrows=True)
def evaluate(program, rho, T):
    """Evaluate formulas of (rho, T) in n cells."""
    code, _, registers = program
    n = rho.shape[0]
    for i in range(n):
        registers[0, i] = rho[i]
        registers[1, i] = T[i]
    run(code, registers, n)


@njit(error_model="numpy", borrows=True)
def gain(scratch, capacity, rho, T_old, T_new):
    """Fill the rows of G_T⁺, −G_T and C̄_p of n cells where C depends on T."""
    _, results, registers = capacity
    n, parameters = rho.shape[0], results.shape[0] - FIRST
    for i in range(n):
        scratch[GAIN_NEW + i] = scratch[GAIN_OLD + i] = 0.0
    for p in range(parameters):
        for i in range(n):
            scratch[MEAN_BY + p * PIECE + i] = 0.0
    for q in range(3):
        share, weight = POINTS[q], WEIGHTS[q]
        for i in range(n):
            scratch[AT + i] = T_old[i] + share * (T_new[i] - T_old[i])
        evaluate(capacity, rho, scratch[AT : AT + n])
        C, C_T = registers[results[VALUE]], registers[results[BY_TEMPERATURE]]
        for i in range(n):
            slope = weight * C_T[i] * (T_new[i] - T_old[i])
            scratch[GAIN_NEW + i] += weight * C[i] + share * slope
            scratch[GAIN_OLD + i] += weight * C[i] - (1 - share) * slope
        for p in range(parameters):
            C_by = registers[results[FIRST + p]]
            for i in range(n):
                scratch[MEAN_BY + p * PIECE + i] += weight * C_by[i]


@njit(error_model="numpy", borrows=True)
def evaluate_cells(scratch, T_old, T_new, rho, matter):
    """Evaluate what `exchange` and the parameters need in n cells.

    Parameters
    ----------
    scratch : see `cell_scratch`
    T_old, T_new, rho : (n,) T before and after the step, density
    matter : programs: of σ_a and C at once (all that of σ_a first), of σ_a for a second
        temperature, and of C for a third, with no registers where C does not depend on T
    """
    old, middle, capacity = matter
    n = rho.shape[0]
    if capacity[2].shape[0] > 0:
        gain(scratch, capacity, rho, T_old, T_new)
    for i in range(n):
        middle[2][0, i] = rho[i]
        middle[2][1, i] = 0.5 * (T_old[i] + T_new[i])
    run(middle[0], middle[2], n)
    evaluate(old, rho, T_old)


@njit(error_model="numpy", inline="always")
def exchange(E_old, T_old, E_new, T_new, gain_new, gain_old, C, C_T, s, s_T, m, m_T, a, c_dt):
    """Return 1/g_T⁺, −g_T, −g_E*, −g_E, and g by σ_m, by σ and by C, in one cell.

    ``gain_new``, ``gain_old`` are G_T⁺ and −G_T, ``s`` and ``m`` σ_a at T and at the mean of T and
    T⁺; those with ``_T`` are derivatives by T.
    """
    a_T2 = a * (T_old * T_old)
    a_T3, a_T3_new = a_T2 * T_old, a * (T_new * T_new * T_new)
    shared = C + 4 * a_T3
    per = 1 / (2 * C + c_dt * (s * shared))
    omega = C * per
    shared_T = s_T * shared + s * (C_T + 12 * a_T2)
    omega_T = per * (C_T - omega * (2 * C_T + c_dt * shared_T))
    new, old = a_T3_new * T_new - E_new, a_T3 * T_old - E_old
    by_middle, by_omega = c_dt * (new + omega * (old - new)), c_dt * m * (old - new)
    lag = c_dt * m * omega
    late = c_dt * m - lag
    halved = 0.5 * (by_middle * m_T)
    per_new = 1 / (gain_new + late * (gain_new + 4 * a_T3_new) + halved)
    by_old = gain_old * (1 + late) - halved - by_omega * omega_T - lag * (4 * a_T3)
    by_s = -by_omega * per * (omega * (c_dt * shared))
    by_C = by_omega * per * (1 - omega * (2 + c_dt * s))
    return per_new, by_old, late, lag, by_middle, by_s, by_C


# Rows of what faces hand on: by E_k (and with the other sign by E_l), by T_k³ and T_l³ alike, by s,
# and then by p_k and by p_l, for one parameter after the other.
FALL, BY_T3, BY_S, FACE_BY = range(4)


def face_rows(parameters: int) -> int:
    """Return how many rows faces hand on."""
    return FACE_BY + 2 * parameters


@njit(error_model="numpy", borrows=True)
def evaluate_faces(pair, knows_T, T_k, T_l, rho_k, rho_l):
    """Evaluate ``pair``, the program of s, on n faces between the cells k and l."""
    code, _, registers = pair
    n = rho_k.shape[0]
    if knows_T:  # in one loop: what is copied costs nothing beside the roots
        for i in range(n):
            low, high = T_k[i] * T_k[i], T_l[i] * T_l[i]
            registers[1, i] = math.sqrt(math.sqrt(0.5 * (low * low + high * high)))
            registers[0, i] = rho_k[i]
            registers[2, i] = rho_l[i]
    else:
        for i in range(n):
            registers[0, i] = rho_k[i]
            registers[1, i] = 1.0
            registers[2, i] = rho_l[i]
    run(code, registers, n)


@njit(error_model="numpy", inline="always")
def push(F_new, E_k, E_l, s, slope, over, half_c_dt, q):
    """Return ∂F⁺/∂F, ∂F⁺/∂E_k = −∂F⁺/∂E_l, ∂F⁺/∂T_k over T_k³ and ∂F⁺/∂s, on one face.

    ∂T_f/∂T_k = (T_k/T_f)³/2, so that ∂s/∂T_k over T_k³ is s_T/2 over T_f³: ``slope`` and ``over``.
    They are apart for the sake of a single division.
    """
    z = half_c_dt * s
    linear = 1 + 0.5 * z
    below = 1 + z * linear
    per = 1 / (below * over)
    by_F = per * over
    by_s = -by_F * (half_c_dt * (0.5 * (q * (E_l - E_k)) + F_new * (1 + z)))
    return by_F, by_F * (q * linear), by_s * slope * (per * below), by_s
