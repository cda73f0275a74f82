"""Local derivatives of the staggered scheme: of what a cell and a face make of what they are given.

*Cells.* T⁺ is the root of g(T⁺; T, E, E*, ρ) = 0 (`coupling_fitted`; E* = E + D is what transport
leaves), and E⁺ = E* − G, where G is the energy that matter gains. No solve is repeated: all that is
needed is in the states before and after the step.

*Faces.* F⁺ = [F − r q (E_l − E_k)]/(1 + z r), r = 1 + z/2, depends on F, E_k, E_l, and on σ in z,
which depends on ρ_k, ρ_l and, through T_f, on T_k and T_l.

The adjoint and the tangent of the scheme are made of these, and of nothing else.
"""

from opalux.base.kernels import njit
from opalux.solver.formulas.programs import run
from opalux.solver.schemes.consistent import face_temperature
from opalux.solver.schemes.coupling import POINTS, WEIGHTS


@njit(error_model="numpy")
def value(program, rho, T):
    """Evaluate a formula of (rho, T) for n cells, in a register of ``program``."""
    code, result, registers = program
    n = rho.shape[0]
    registers[0, :n] = rho
    registers[1, :n] = T
    run(code, registers, n)
    return registers[result, :n]


# Rows of what `matter` fills: the energy G that matter gains with its derivatives, and ρ C_v at T.
GAIN, GAIN_NEW, GAIN_OLD, GAIN_RHO, CAPACITY, CAPACITY_T, CAPACITY_RHO = range(7)


@njit(error_model="numpy")
def matter(heat, capacity, C_v, rho, T_old, T_new, at):
    """Fill ``heat`` (7, >= n); G = (T⁺ − T) ρ Σ w_q C_v(ρ, T + p_q (T⁺ − T)), as in `coupling`.

    ``capacity`` are the programs of C_v, ∂C_v/∂ρ and ∂C_v/∂T; without registers C_v is constant.
    ``at`` (>= n,) is scratch.
    """
    n = rho.shape[0]
    if capacity[0][2].shape[0] == 0:
        for i in range(n):
            C = C_v * rho[i]
            heat[GAIN, i] = C * (T_new[i] - T_old[i])
            heat[GAIN_NEW, i], heat[GAIN_OLD, i] = C, -C
            heat[GAIN_RHO, i] = C_v * (T_new[i] - T_old[i])
            heat[CAPACITY, i], heat[CAPACITY_T, i], heat[CAPACITY_RHO, i] = C, 0.0, C_v
        return
    heat[:, :n] = 0.0
    for q in range(3):
        p, weight = POINTS[q], WEIGHTS[q]
        for i in range(n):
            at[i] = T_old[i] + p * (T_new[i] - T_old[i])
        C = value(capacity[0], rho, at[:n])
        C_rho = value(capacity[1], rho, at[:n])
        C_T = value(capacity[2], rho, at[:n])
        for i in range(n):
            rise = T_new[i] - T_old[i]
            mean = weight * rho[i] * C[i]
            slope = weight * rho[i] * C_T[i] * rise
            heat[GAIN, i] += mean * rise
            heat[GAIN_NEW, i] += mean + p * slope
            heat[GAIN_OLD, i] += -mean + (1 - p) * slope
            heat[GAIN_RHO, i] += weight * (C[i] + rho[i] * C_rho[i]) * rise
    C = value(capacity[0], rho, T_old)
    C_rho = value(capacity[1], rho, T_old)
    C_T = value(capacity[2], rho, T_old)
    for i in range(n):
        heat[CAPACITY, i] = rho[i] * C[i]
        heat[CAPACITY_T, i] = rho[i] * C_T[i]
        heat[CAPACITY_RHO, i] = C[i] + rho[i] * C_rho[i]


# Rows of what `cells` fills: derivatives of G by T⁺, T and ρ; those of g by T⁺, T, ρ, −E* and −E.
G_NEW, G_OLD, G_RHO, BY_NEW, BY_OLD, BY_RHO, BY_STAR, BY_E = range(8)


@njit(error_model="numpy")
def cells(out, E_old, T_old, E_new, T_new, rho, C_v, a, c_dt, absorption, capacity, heat, at):
    """Fill ``out`` (8, >= n) for n cells.

    ``absorption`` are the programs of σ_a, ∂σ_a/∂ρ and ∂σ_a/∂T, twice: for T and for the mean of
    T and T⁺; ``capacity`` those of C_v; ``heat`` (7, >= n) and ``at`` (>= n,) are scratch.
    """
    n = rho.shape[0]
    matter(heat, capacity, C_v, rho, T_old, T_new, at)
    for i in range(n):
        at[i] = 0.5 * (T_old[i] + T_new[i])
    old, middle = absorption
    sigma = value(old[0], rho, T_old)
    sigma_rho = value(old[1], rho, T_old)
    sigma_T = value(old[2], rho, T_old)
    sigma_m = value(middle[0], rho, at[:n])
    sigma_m_rho = value(middle[1], rho, at[:n])
    sigma_m_T = value(middle[2], rho, at[:n])
    for i in range(n):
        C, C_T, C_rho = heat[CAPACITY, i], heat[CAPACITY_T, i], heat[CAPACITY_RHO, i]
        T2 = T_old[i] * T_old[i]
        emitted, emitted_T = a * T2 * T2, 4 * a * T2 * T_old[i]
        T2 = T_new[i] * T_new[i]
        emitted_new, emitted_new_T = a * T2 * T2, 4 * a * T2 * T_new[i]
        # ω = 1/(2 + z), z = k (1 + share), and what it depends on
        per_C = 1 / C
        share = emitted_T * per_C
        k = c_dt * sigma[i]
        omega = 1 / (2 + k * (1 + share))
        share_T = (12 * a * T_old[i] * T_old[i] - share * C_T) * per_C
        omega_T = -omega * omega * (c_dt * sigma_T[i] * (1 + share) + k * share_T)
        omega_rho = -omega * omega * (c_dt * sigma_rho[i] * (1 + share) - k * share * C_rho * per_C)
        # g = G + k_m [(1 − ω) (a T⁺⁴ − E⁺) − ω (E − a T⁴)], E⁺ = E* − G
        k_m = c_dt * sigma_m[i]
        imbalance_new, imbalance = emitted_new - E_new[i], emitted - E_old[i]
        by_k = c_dt * ((1 - omega) * imbalance_new + omega * imbalance)
        by_omega = k_m * (imbalance - imbalance_new)
        late = k_m * (1 - omega)
        gained_new, gained_old = heat[GAIN_NEW, i], heat[GAIN_OLD, i]
        out[G_NEW, i], out[G_OLD, i], out[G_RHO, i] = gained_new, gained_old, heat[GAIN_RHO, i]
        out[BY_NEW, i] = gained_new * (1 + late) + late * emitted_new_T + 0.5 * by_k * sigma_m_T[i]
        out[BY_OLD, i] = (
            gained_old * (1 + late) + 0.5 * by_k * sigma_m_T[i] + by_omega * omega_T
            + k_m * omega * emitted_T
        )  # fmt: skip
        out[BY_RHO, i] = (
            heat[GAIN_RHO, i] * (1 + late) + by_k * sigma_m_rho[i] + by_omega * omega_rho
        )
        out[BY_STAR, i] = late
        out[BY_E, i] = k_m * omega


# Rows of what `faces` fills: ∂F⁺/∂F, −∂F⁺/∂E_l = ∂F⁺/∂E_k, and the derivatives by ρ and T.
BY_F, BY_FALL, BY_RHO_K, BY_RHO_L, BY_T_K, BY_T_L = range(6)


@njit(error_model="numpy")
def faces(out, F_new, E_k, E_l, T_k, T_l, rho_k, rho_l, pair, knows_T, c_dt, q):
    """Fill ``out`` (6, >= n) for n faces between the cells k and l.

    ``pair`` are the programs of s = σ_k + σ_l at T_f, ∂s/∂ρ_k, ∂s/∂ρ_l and ∂s/∂T_f.
    """
    n = F_new.shape[0]
    T_f = pair[0][2][1]
    if knows_T:
        face_temperature(T_f, T_k, T_l, 0.5)
    for m in range(4):
        registers = pair[m][2]
        registers[0, :n] = rho_k
        registers[2, :n] = rho_l
        if knows_T and m > 0:
            registers[1, :n] = T_f[:n]
        run(pair[m][0], registers, n)
    s, s_k, s_l, s_T = (
        pair[0][2][pair[0][1]], pair[1][2][pair[1][1]], pair[2][2][pair[2][1]],
        pair[3][2][pair[3][1]],
    )  # fmt: skip
    for i in range(n):
        z = 0.5 * c_dt * s[i]
        r = 1 + 0.5 * z
        by_F = 1 / (1 + z * r)
        by_s = -by_F * (0.5 * q * (E_l[i] - E_k[i]) + F_new[i] * (1 + z)) * (0.5 * c_dt)
        out[BY_F, i] = by_F
        out[BY_FALL, i] = by_F * r * q
        out[BY_RHO_K, i] = by_s * s_k[i]
        out[BY_RHO_L, i] = by_s * s_l[i]
        out[BY_T_K, i] = by_s * s_T[i]
    if knows_T:
        for i in range(n):
            by_T = 0.5 * out[BY_T_K, i] / (T_f[i] * T_f[i] * T_f[i])
            out[BY_T_K, i] = by_T * (T_k[i] * T_k[i] * T_k[i])
            out[BY_T_L, i] = by_T * (T_l[i] * T_l[i] * T_l[i])
    else:
        out[BY_T_K, :n] = 0.0
        out[BY_T_L, :n] = 0.0
