"""Rows of faces and cells of the consistent scheme at second order; see `second_order`."""

import math

from opalux.base.kernels import njit
from opalux.solver.formulas.programs import run
from opalux.solver.schemes.coupling_stage import GAMMA
from opalux.solver.schemes.opacities import evaluate, face_temperature, whole_power
from opalux.solver.schemes.reconstruction import within_reach
from opalux.solver.schemes.strips import PIECE

DELTA = 1 - 1 / (2 * GAMMA)


@njit(error_model="numpy", borrows=True)
def opacity(out, rho, factor, T, sigma_c):
    """Fill ``out`` (n,) with σ_c of a row of cells; see `opacities`."""
    _, result, registers, power = sigma_c
    if power == 0:
        evaluate(sigma_c, rho, T)
        factor = registers[result]
    for i in range(out.shape[0]):
        out[i] = factor[i] * whole_power(T[i], power, 1.0)


@njit(error_model="numpy", borrows=True)
def half_cells(half_k, half_l, rho_k, rho_l, factor_k, factor_l, T_k, T_l, sigma_k, sigma_l,
               sigma_c, knows_T):  # fmt: skip
    """Fill ``half_k``, ``half_l`` (n,) with σ_c of the half cells between the cells k and l.

    Both at the temperature of the face, see `formulas.pairs`. ``sigma_k``, ``sigma_l`` are the
    cells' own; where one is 0, on an edge, so is its half cell.
    """
    power = sigma_c[3]
    if not knows_T:
        for i in range(half_k.shape[0]):
            half_k[i], half_l[i] = sigma_k[i], sigma_l[i]
    elif power != 0:
        for i in range(half_k.shape[0]):
            low, high = T_k[i] * T_k[i], T_l[i] * T_l[i]
            T_f = math.sqrt(math.sqrt(0.5 * (low * low + high * high)))
            value = whole_power(T_f, power, 1.0)
            half_k[i] = factor_k[i] * value if sigma_k[i] != 0.0 else 0.0
            half_l[i] = factor_l[i] * value if sigma_l[i] != 0.0 else 0.0
    else:
        for low in range(0, half_k.shape[0], PIECE):
            here = slice(low, min(low + PIECE, half_k.shape[0]))
            face_temperature(sigma_c[2][1], T_k[here], T_l[here], 0.5)
            half_cell(half_k[here], rho_k[here], sigma_k[here], sigma_c)
            half_cell(half_l[here], rho_l[here], sigma_l[here], sigma_c)


@njit(error_model="numpy", borrows=True)
def half_cell(half, rho, sigma, sigma_c):
    """Fill ``half`` (n,) with σ_c at the temperatures in register 1, 0 where ``sigma`` is 0."""
    code, result, registers, _ = sigma_c
    n = half.shape[0]
    for i in range(n):
        registers[0, i] = rho[i]
    run(code, registers, n)
    for i in range(n):
        half[i] = registers[result, i] if sigma[i] != 0.0 else 0.0


@njit(error_model="numpy", borrows=True)
def settle(phi, energy, phi_kept, energy_kept, second, E_k, E_l, F_k, F_l, sigma_k, sigma_l, drag,
           w, keep):  # fmt: skip
    """Turn Φ and E of L into those of the stage: store them, combine them in stage 2, bound them.

    The cells k and l are those before the step. Where Φ is bounded (if ``keep``), the excess is
    taken from the outgoing characteristic, a or b, of the donor cell, and E on the face falls with
    it.
    """
    if second:
        for i in range(phi.shape[0]):
            phi[i] = DELTA * phi_kept[i] + (1 - DELTA) * phi[i]
            energy[i] = DELTA * energy_kept[i] + (1 - DELTA) * energy[i]
    if keep:
        per_w = 1 / w
        for i in range(phi.shape[0]):
            flux = phi[i]
            bounded = within_reach(flux, E_k[i], E_l[i], F_k[i], F_l[i], w)
            excess = abs(flux - bounded) * (1 + 0.5 * drag * (sigma_k[i] + sigma_l[i])) * per_w
            phi[i] = bounded
            energy[i] -= excess
    if not second:
        for i in range(phi.shape[0]):
            phi_kept[i], energy_kept[i] = phi[i], energy[i]


@njit(error_model="numpy", borrows=True)
def first_update(E_next, E, Fx, Fy, x, x_energy, below, energy_below, above, energy_above, nu_x,
                 nu_y, k):  # fmt: skip
    """Add γ Δt L(U_n) to n cells; ``nu`` = c Δt/h, faces i and i + 1 of ``x`` belong to cell i."""
    for i in range(E.shape[0]):
        div_x = nu_x * (x[i + 1] - x[i])
        div_y = nu_y * (above[i] - below[i])
        E_next[i] = E[i] - GAMMA * (div_x + div_y)
        Fx[i] -= GAMMA * k * (nu_x * (x_energy[i + 1] - x_energy[i]))
        Fy[i] -= GAMMA * k * (nu_y * (energy_above[i] - energy_below[i]))


@njit(error_model="numpy", borrows=True)
def second_update(E_next, Fx, Fy, E_n, Fx_n, Fy_n, x, x_energy, below, energy_below, above,
                  energy_above, sigma, nu_x, nu_y, k, c_dt):  # fmt: skip
    """Replace U₁ in n cells by U_n + all of L + Δt (1 − γ) R(U₁); R here has no exchange."""
    for i in range(E_n.shape[0]):
        div_x = nu_x * (x[i + 1] - x[i])
        div_y = nu_y * (above[i] - below[i])
        E_next[i] = E_n[i] - (div_x + div_y)
        relaxed = (1 - GAMMA) * (c_dt * sigma[i])
        pull_x = k * (nu_x * (x_energy[i + 1] - x_energy[i]))
        pull_y = k * (nu_y * (energy_above[i] - energy_below[i]))
        Fx[i] = Fx_n[i] - pull_x - relaxed * Fx[i]
        Fy[i] = Fy_n[i] - pull_y - relaxed * Fy[i]


@njit(error_model="numpy", borrows=True)
def count_negative(E):
    """Return how many of n cells have a negative E, or none; a count takes vector instructions."""
    found = 0
    for i in range(E.shape[0]):
        found += not (E[i] >= 0.0)
    return found


@njit(error_model="numpy", borrows=True)
def relax(Fx, Fy, sigma, gamma_c_dt):
    """Relax F of n cells implicitly."""
    for i in range(Fx.shape[0]):
        left = 1 / (1 + gamma_c_dt * sigma[i])
        Fx[i] *= left
        Fy[i] *= left
