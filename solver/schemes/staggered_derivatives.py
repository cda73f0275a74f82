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
from opalux.solver.schemes.coupling import POINTS, WEIGHTS
from opalux.solver.schemes.opacities import face_temperature


@njit(error_model="numpy")
def values(program, rho, T):
    """Evaluate formulas of (rho, T) for n cells: a value, and its derivatives by rho and T."""
    code, results, registers = program
    n = rho.shape[0]
    for i in range(n):
        registers[0, i] = rho[i]
    for i in range(n):
        registers[1, i] = T[i]
    run(code, registers, n)
    return registers[results[0]], registers[results[1]], registers[results[2]]


# Rows of what `matter` fills: the energy G that matter gains with its derivatives, and ρ C_v at T.
GAIN, GAIN_NEW, GAIN_OLD, GAIN_RHO, CAPACITY, CAPACITY_T, CAPACITY_RHO = range(7)


@njit(error_model="numpy")
def matter(heat, capacity, C_v, rho, T_old, T_new, at):
    """Fill ``heat`` (7, >= n); G = (T⁺ − T) ρ Σ w_q C_v(ρ, T + p_q (T⁺ − T)), as in `coupling`.

    ``capacity`` is the program of C_v, ∂C_v/∂ρ and ∂C_v/∂T; without registers C_v is constant.
    ``at`` (>= n,) is scratch.
    """
    n = rho.shape[0]
    if capacity[2].shape[0] == 0:
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
        C, C_rho, C_T = values(capacity, rho, at)
        for i in range(n):
            rise = T_new[i] - T_old[i]
            mean = weight * rho[i] * C[i]
            slope = weight * rho[i] * C_T[i] * rise
            heat[GAIN, i] += mean * rise
            heat[GAIN_NEW, i] += mean + p * slope
            heat[GAIN_OLD, i] += -mean + (1 - p) * slope
            heat[GAIN_RHO, i] += weight * (C[i] + rho[i] * C_rho[i]) * rise
    C, C_rho, C_T = values(capacity, rho, T_old)
    for i in range(n):
        heat[CAPACITY, i] = rho[i] * C[i]
        heat[CAPACITY_T, i] = rho[i] * C_T[i]
        heat[CAPACITY_RHO, i] = C[i] + rho[i] * C_rho[i]


@njit(error_model="numpy")
def decay(out, heat, T_old, rho, a, c_dt, absorption):
    """Fill the rows of ω = 1/(2 + k (1 + share)), share = 4 a T³/ρ C_v, and of its derivatives."""
    n = rho.shape[0]
    sigma, sigma_rho, sigma_T = values(absorption, rho, T_old)
    C, C_T, C_rho = heat[CAPACITY], heat[CAPACITY_T], heat[CAPACITY_RHO]
    omega, omega_T, omega_rho = out[OMEGA], out[OMEGA_T], out[OMEGA_RHO]
    share, per_C = out[SHARE], out[PER_C]
    for i in range(n):
        per_C[i] = 1 / C[i]
    for i in range(n):
        share[i] = 4 * a * T_old[i] * T_old[i] * T_old[i] * per_C[i]
    for i in range(n):
        omega[i] = 1 / (2 + c_dt * sigma[i] * (1 + share[i]))
    for i in range(n):
        share_T = (12 * a * T_old[i] * T_old[i] - share[i] * C_T[i]) * per_C[i]
        omega_T[i] = sigma_T[i] * (1 + share[i]) + sigma[i] * share_T
    for i in range(n):
        share_rho = -share[i] * C_rho[i] * per_C[i]
        omega_rho[i] = sigma_rho[i] * (1 + share[i]) + sigma[i] * share_rho
    for i in range(n):
        omega_T[i] *= -c_dt * omega[i] * omega[i]
    for i in range(n):
        omega_rho[i] *= -c_dt * omega[i] * omega[i]


# Rows of what `cells` fills: the derivatives of g by T⁺, T, ρ, −E* and −E, and what they need.
BY_NEW, BY_OLD, BY_RHO, BY_STAR, BY_E, OMEGA, OMEGA_T, OMEGA_RHO, SHARE, PER_C, BY_K, BY_OMEGA = (
    range(12)
)


@njit(error_model="numpy")
def cells(out, heat, E_old, T_old, E_new, T_new, rho, C_v, a, c_dt, absorption, capacity, at):
    """Fill ``out`` (12, >= n), and ``heat`` as `matter` does, for n cells.

    ``absorption`` is the program of σ_a, ∂σ_a/∂ρ and ∂σ_a/∂T, twice: for T and for the mean of
    T and T⁺; ``capacity`` that of C_v; ``at`` (>= n,) is scratch. The loops are short, with few
    arrays each, because long ones do not become vector instructions.
    """
    n = rho.shape[0]
    matter(heat, capacity, C_v, rho, T_old, T_new, at)
    for i in range(n):
        at[i] = 0.5 * (T_old[i] + T_new[i])
    old, middle = absorption
    sigma_m, sigma_m_rho, sigma_m_T = values(middle, rho, at)
    decay(out, heat, T_old, rho, a, c_dt, old)
    omega, omega_T, omega_rho = out[OMEGA], out[OMEGA_T], out[OMEGA_RHO]
    by_k, by_omega, late, lag = out[BY_K], out[BY_OMEGA], out[BY_STAR], out[BY_E]
    for i in range(n):  # the mean temperature has been used
        at[i] = a * T_old[i] * T_old[i] * T_old[i] * T_old[i] - E_old[i]
    # g = G + k_m [(1 − ω) (a T⁺⁴ − E⁺) − ω (E − a T⁴)], E⁺ = E* − G
    for i in range(n):
        new = a * T_new[i] * T_new[i] * T_new[i] * T_new[i] - E_new[i]
        by_k[i] = c_dt * (new + omega[i] * (at[i] - new))
    for i in range(n):
        new = a * T_new[i] * T_new[i] * T_new[i] * T_new[i] - E_new[i]
        by_omega[i] = c_dt * sigma_m[i] * (at[i] - new)
    for i in range(n):
        lag[i] = c_dt * sigma_m[i] * omega[i]
    for i in range(n):
        late[i] = c_dt * sigma_m[i] - lag[i]
    gained, by = heat[GAIN_NEW], out[BY_NEW]
    for i in range(n):
        emitted = 4 * a * T_new[i] * T_new[i] * T_new[i]
        by[i] = gained[i] + late[i] * (gained[i] + emitted) + 0.5 * by_k[i] * sigma_m_T[i]
    gained, by = heat[GAIN_OLD], out[BY_OLD]
    for i in range(n):
        by[i] = gained[i] * (1 + late[i]) + 0.5 * by_k[i] * sigma_m_T[i]
    for i in range(n):
        emitted = 4 * a * T_old[i] * T_old[i] * T_old[i]
        by[i] += by_omega[i] * omega_T[i] + lag[i] * emitted
    gained, by = heat[GAIN_RHO], out[BY_RHO]
    for i in range(n):
        by[i] = gained[i] * (1 + late[i]) + by_k[i] * sigma_m_rho[i]
    for i in range(n):
        by[i] += by_omega[i] * omega_rho[i]


# Rows of what `faces` fills: ∂F⁺/∂F, −∂F⁺/∂E_l = ∂F⁺/∂E_k, and the derivatives by ρ and T.
BY_F, BY_FALL, BY_RHO_K, BY_RHO_L, BY_T_K, BY_T_L = range(6)


@njit(error_model="numpy")
def faces(out, F_new, E_k, E_l, T_k, T_l, rho_k, rho_l, pair, knows_T, c_dt, q):
    """Fill ``out`` (6, >= n) for n faces between the cells k and l.

    ``pair`` is the program of s = σ_k + σ_l at T_f, ∂s/∂ρ_k, ∂s/∂ρ_l and ∂s/∂T_f.
    """
    n = F_new.shape[0]
    code, results, registers = pair
    T_f = registers[1]
    for i in range(n):
        registers[0, i] = rho_k[i]
    for i in range(n):
        registers[2, i] = rho_l[i]
    if knows_T:
        face_temperature(T_f, T_k, T_l, 0.5)
    run(code, registers, n)
    s, s_k, s_l, s_T = (
        registers[results[0]], registers[results[1]], registers[results[2]], registers[results[3]]
    )  # fmt: skip
    by_F, fall, by_k, by_l, by_T_k, by_T_l = (
        out[BY_F], out[BY_FALL], out[BY_RHO_K], out[BY_RHO_L], out[BY_T_K], out[BY_T_L]
    )  # fmt: skip
    for i in range(n):
        z = 0.5 * c_dt * s[i]
        by_F[i] = 1 / (1 + z * (1 + 0.5 * z))
    for i in range(n):
        fall[i] = by_F[i] * (q + 0.25 * c_dt * q * s[i])
    for i in range(n):
        by_T_l[i] = 0.5 * q * (E_l[i] - E_k[i]) + F_new[i] * (1 + 0.5 * c_dt * s[i])
    for i in range(n):
        by_T_l[i] *= -0.5 * c_dt * by_F[i]  # by s
    for i in range(n):
        by_k[i] = by_T_l[i] * s_k[i]
    for i in range(n):
        by_l[i] = by_T_l[i] * s_l[i]
    if knows_T:
        for i in range(n):
            by_T_l[i] *= 0.5 * s_T[i] / (T_f[i] * T_f[i] * T_f[i])
        for i in range(n):
            by_T_k[i] = by_T_l[i] * (T_k[i] * T_k[i] * T_k[i])
        for i in range(n):
            by_T_l[i] *= T_l[i] * T_l[i] * T_l[i]
    else:
        by_T_k[:n] = 0.0
        by_T_l[:n] = 0.0
