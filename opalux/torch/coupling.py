"""The exchange of energy between radiation and matter, on tensors, inside autograd.

The equations and the sweeps are those of `opalux.solver.schemes.coupling_fitted`: a cell is frozen
by the same test after the same sweep, so that the results are those of the kernels to rounding.

No sweep is taken back. T⁺ is the root of g(T⁺; T, E, E*, ρ) = 0, so that

    μ = (T̄⁺ − Ē⁺ ∂G/∂T⁺)/(∂g/∂T⁺)

is all of the solve that its derivative needs (`opalux.solver.schemes.staggered_adjoint`), where G
is the energy that matter gains; the derivatives of G and g are those of
`opalux.solver.schemes.staggered_derivatives`.
"""

import dataclasses
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from opalux.solver.schemes.coupling import BISECTIONS, POINTS, TINY, WEIGHTS
from opalux.solver.schemes.coupling_fitted import COLDEST, NEARLY, SWEEPS
from opalux.torch.formulas import TorchFormula


@dataclasses.dataclass(frozen=True)
class Matter:
    """What the exchange in a cell depends on besides its state.

    Attributes
    ----------
    sigma_a : absorption opacity of (rho, T) [1/cm]
    heat : C_v of (rho, T) where it varies
    C_v : C_v where it does not, else 1
    a, c_dt : radiation constant; c Δt [cm]
    tolerance : settled when the error left in T is about this share or less
    """

    sigma_a: TorchFormula
    heat: TorchFormula | None
    C_v: float
    a: float
    c_dt: float
    tolerance: float

    def capacity(self, rho: Tensor, T: Tensor) -> Tensor:
        """Return ρ C_v at T."""
        return self.C_v * rho if self.heat is None else rho * self.heat(rho, T)

    def mean_capacity(self, rho: Tensor, T_n: Tensor, T: Tensor) -> Tensor:
        """Return the mean of ρ C_v between ``T_n`` and ``T``."""
        if self.heat is None:
            return self.C_v * rho
        parts = (
            weight * (rho * self.heat(rho, T_n + point * (T - T_n)))
            for point, weight in zip(POINTS, WEIGHTS, strict=True)
        )
        return sum(parts, start=torch.zeros_like(T))

    def gain(self, rho: Tensor, T_n: Tensor, T: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the derivatives by T, T_n and ρ of the energy that matter gains from T_n to T."""
        rise = T - T_n
        if self.heat is None:
            return self.C_v * rho, -self.C_v * rho, self.C_v * rise
        by_new, by_old, by_rho = (torch.zeros_like(T) for _ in range(3))
        for point, weight in zip(POINTS, WEIGHTS, strict=True):
            at = T_n + point * rise
            C = self.heat(rho, at)
            mean, slope = weight * rho * C, weight * rho * self.heat.by("T", rho, at) * rise
            by_new = by_new + (mean + point * slope)
            by_old = by_old + ((1 - point) * slope - mean)
            by_rho = by_rho + weight * (C + rho * self.heat.by("rho", rho, at)) * rise
        return by_new, by_old, by_rho

    def capacities(self, rho: Tensor, T: Tensor) -> tuple[Tensor, Tensor | float, Tensor | float]:
        """Return ρ C_v at T, and its derivatives by T and ρ."""
        if self.heat is None:
            return self.C_v * rho, 0.0, self.C_v
        C, C_T, C_rho = self.heat(rho, T), self.heat.by("T", rho, T), self.heat.by("rho", rho, T)
        return rho * C, rho * C_T, C + rho * C_rho

    def omega(self, rho: Tensor, T: Tensor) -> Tensor:
        """Return ω = 1/(2 + z), the share of the old imbalance."""
        C = self.capacity(rho, T)
        stiff = self.c_dt * self.sigma_a(rho, T) * (C + 4 * self.a * (T * T * T))
        return C / (C + C + stiff)


def exchange(
    E: Tensor, T: Tensor, brought: Tensor, rho: Tensor, matter: Matter
) -> tuple[Tensor, Tensor]:
    """Bring ``brought`` = D to the cells and couple them; return E⁺ and T⁺.

    Parameters
    ----------
    E, T, brought, rho : (...) of one shape
    """
    E_new, T_new = _Exchange.apply(E, T, E + brought, rho, matter)
    return E_new, T_new


class _Exchange(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, E: Tensor, T: Tensor, goal: Tensor, rho: Tensor, matter: Matter
    ) -> tuple[Tensor, Tensor]:
        E_new, T_new = solve(E, T, goal, rho, matter)
        ctx.matter = matter
        ctx.save_for_backward(E, T, rho, E_new, T_new)
        return E_new, T_new

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *bars: Tensor) -> tuple[Tensor | None, ...]:
        E_bar, T_bar = bars
        E, T, rho, E_new, T_new = ctx.saved_tensors
        m: Matter = ctx.matter
        a, c_dt, sigma_a = m.a, m.c_dt, m.sigma_a
        gain_new, gain_old, gain_rho = m.gain(rho, T, T_new)
        C, C_T, C_rho = m.capacities(rho, T)
        emitted_T, emitted_new_T = 4 * a * (T * T * T), 4 * a * (T_new * T_new * T_new)
        sigma, middle = sigma_a(rho, T), 0.5 * (T + T_new)
        # ω = 1/(2 + z), z = k (1 + share), and what it depends on
        share = emitted_T / C
        omega = 1 / (2 + c_dt * sigma * (1 + share))
        by_z = -omega * omega * c_dt
        share_T = (12 * a * (T * T) - share * C_T) / C
        omega_T = by_z * (sigma_a.by("T", rho, T) * (1 + share) + sigma * share_T)
        omega_rho = by_z * (sigma_a.by("rho", rho, T) * (1 + share) - sigma * share * C_rho / C)
        # g = G + k [(1 − ω) (a T⁺⁴ − E⁺) − ω (E − a T⁴)], E⁺ = E* − G
        k = c_dt * sigma_a(rho, middle)
        now, before = 0.25 * T_new * emitted_new_T - E_new, 0.25 * T * emitted_T - E
        by_k = c_dt * ((1 - omega) * now + omega * before)
        by_omega, late = k * (before - now), k * (1 - omega)
        by_middle = 0.5 * by_k * sigma_a.by("T", rho, middle)
        g_new = gain_new * (1 + late) + late * emitted_new_T + by_middle
        g_old = gain_old * (1 + late) + by_middle + by_omega * omega_T + k * omega * emitted_T
        g_rho = gain_rho * (1 + late) + by_k * sigma_a.by("rho", rho, middle) + by_omega * omega_rho
        mu = (T_bar - E_bar * gain_new) / g_new
        return (
            mu * (k * omega),
            -E_bar * gain_old - mu * g_old,
            E_bar + mu * late,
            -E_bar * gain_rho - mu * g_rho,
            None,
        )


def solve(E: Tensor, T: Tensor, goal: Tensor, rho: Tensor, matter: Matter) -> tuple[Tensor, Tensor]:
    """Return E⁺ and T⁺ of cells to which transport left ``goal`` = E + D."""
    a, c_dt, tolerance = matter.a, matter.c_dt, matter.tolerance
    omega = matter.omega(rho, T)
    late, lag = 1 - omega, omega * (E - a * (T * T * T) * T)
    sigma, slope = matter.sigma_a(rho, T), matter.capacity(rho, T)
    capacity, T_k, change = slope, T, tolerance * T + TINY
    all_fine = False
    for _ in range(SWEEPS):
        a_T3, k = a * (T_k * T_k * T_k), c_dt * sigma
        gained = capacity * (T_k - T)
        g = gained + k * (late * (gained - (goal - a_T3 * T_k)) - lag)
        step = -g / (slope + k * (late * (slope + 4 * a_T3)))
        step = torch.where(change != 0, step, 0)
        T_k = T_k + step
        fine = (step * step <= tolerance * T_k * change.abs()) & (T_k > 0)
        change = torch.where(fine, 0, step)
        capacity, slope = matter.mean_capacity(rho, T, T_k), matter.capacity(rho, T_k)
        all_fine = bool(fine.all())
        if all_fine:
            break
        sigma = matter.sigma_a(rho, 0.5 * (T + T_k))
    if not all_fine:
        bad = ~((change.abs() <= NEARLY * T_k) & (T_k > 0))
        found = bounded(T[bad], goal[bad], rho[bad], matter)
        T_k = T_k.masked_scatter(bad, torch.maximum(found, COLDEST * T[bad]))
        late, lag = late.masked_fill(bad, 1), lag.masked_fill(bad, 0)
        capacity = matter.mean_capacity(rho, T, T_k)
    gained = capacity * (T_k - T)
    E_new = goal - gained
    cancelled = E_new.abs() < tolerance * gained
    if cancelled.any():
        # Nearly all of E went into matter, and the rest is a rounding error: use E's own equation.
        k = c_dt * matter.sigma_a(rho, T_k)
        own = (goal - k * lag + k * late * a * T_k**4) / (1 + k * late)
        E_new = torch.where(cancelled, own, E_new)
    return E_new, T_k


def bounded(T_n: Tensor, goal: Tensor, rho: Tensor, matter: Matter) -> Tensor:
    """Return T of n cells that the sweeps did not settle; see `coupling.couple_cell`."""
    a, tolerance = matter.a, matter.tolerance
    T_r = (goal.clamp(min=0) / a).sqrt().sqrt()
    low, high = torch.minimum(T_n, T_r), torch.maximum(T_n, T_r)
    low = torch.where(goal < 0, 0, low)
    T, active = high, torch.ones_like(T_n, dtype=torch.bool)
    for attempt in range(BISECTIONS):
        k = matter.c_dt * matter.sigma_a(rho, T)
        slope = matter.capacity(rho, T)
        gained = matter.mean_capacity(rho, T_n, T) * (T - T_n)
        g = gained + k * (gained - (goal - a * (T * T * T) * T))
        step = -g / (slope + k * (slope + 4 * a * (T * T * T)))
        high, low = torch.where(step < 0, T, high), torch.where(step > 0, T, low)
        active = active & ~((step.abs() <= tolerance * T) | (high - low <= tolerance * T))
        if not active.any():
            break
        moved = T + step
        inside = (low < moved) & (moved < high)
        if attempt % 4 == 3:
            inside = torch.zeros_like(inside)
        T = torch.where(active, torch.where(inside, moved, 0.5 * (low + high)), T)
    return T
