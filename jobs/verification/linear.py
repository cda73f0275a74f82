"""Verification with linear problems: plane waves, small waves about equilibrium, diffusion."""

import numpy as np

from opalux.jobs.verification.page import (
    STYLES,
    Claim,
    Section,
    Series,
    at_least,
    at_most,
    convergence_plot,
    figure,
    table,
)
from opalux.solver.verification.checkerboard import Checkerboard
from opalux.solver.verification.convergence import fitted_order
from opalux.solver.verification.linear_wave import CONSTANTS, LinearWave
from opalux.solver.verification.plane_wave import C, PlaneWave

CELLS = {1: (32, 64, 128, 256), 2: (32, 64, 128)}  # by order of the scheme
LOWEST = {1: 0.85, 2: 1.8}  # orders of convergence that are claimed
DIRECTIONS = ((1, 0), (0, 1), (1, 1), (1, 2))
FACTORS = {1.0: "k = 1", 1 / 3: "k = 1/3"}
THICKNESSES = tuple(10.0**n for n in range(-2, 5))  # σ h


def order_claims(name: str, orders: dict[int, list[float]]) -> list[Claim]:
    """Claim the lowest fitted order of each scheme order."""
    return [
        at_least(f"{name}: lowest fitted order, order: {order}", min(found), LOWEST[order])
        for order, found in orders.items()
    ]


def plane_waves() -> Section:
    """Waves in several directions, without absorption."""
    made, axes = figure(10, 4.2, 2)
    rows = {waves: [f"{waves}"] for waves in DIRECTIONS}
    orders: dict[int, list[float]] = {1: [], 2: []}
    for axis, (k, name) in zip(axes, FACTORS.items(), strict=True):
        lines: dict[str, dict[int, Series]] = {}
        for waves in DIRECTIONS:
            wave = PlaneWave(sigma=4.0, waves=waves, eddington=k)
            series = lines[f"q = 2π {waves} /cm"] = {}
            for order, cells in CELLS.items():
                errors = [wave.error(n, order=order) for n in cells]
                series[order] = cells, errors
                orders[order].append(fitted_order(cells, errors))
                rows[waves].append(f"{errors[2]:.1e} ({orders[order][-1]:.2f})")
        convergence_plot(axis, lines)
        axis.set(title=name, xlabel="N", ylabel="relative L2 error of E's wave")
    head = ["q/2π [1/cm]", *(f"{name}, order: {n}" for name in FACTORS.values() for n in CELLS)]
    text = f"""
E = 3 + cos q·x in a periodic square of 1 cm, σ_a = 0, σ_c = 4/cm, up to c t = 0.4 cm. The exact
amplitude is that of the telegraph equation, Ê = e^(−cσt/2) [cosh Ωt + cσ/(2Ω) sinh Ωt] with
Ω² = (cσ/2)² − k c²|q|². Errors at N = {CELLS[1][2]}, and the fitted order in brackets:

{table(head, rows.values())}
"""
    claims = order_claims("plane waves", orders)
    return Section("Damped plane waves", text, claims, {"plane_waves.png": made})


SMALL_WAVES = {
    "constant C_v": LinearWave(),
    "C_v = 0.05 T², k = 1/3": LinearWave(heat_capacity="0.05*T^2", eddington=1 / 3),
    "oblique, k = 1/3": LinearWave(waves=(1, 2), eddington=1 / 3),
}


def small_waves() -> Section:
    """Waves about an equilibrium, with absorption and heat capacity."""
    cells = CELLS[2]
    lines: dict[str, dict[int, Series]] = {}
    rows = []
    orders: dict[int, list[float]] = {1: [], 2: []}
    for name, wave in SMALL_WAVES.items():
        lines[name] = {}
        row = [name]
        for order in orders:
            errors = [wave.error(n, order=order) for n in cells]
            lines[name][order] = cells, errors
            orders[order].append(fitted_order(cells, errors))
            row.append(f"{errors[-1]:.1e} ({orders[order][-1]:.2f})")
        rows.append(row)
    first = SMALL_WAVES["constant C_v"]
    published = LinearWave(heat_capacity=f"{CONSTANTS.a!r}*{first.heat_capacity}")
    off = first.error(cells[-1], material=published.problem(cells[-1]).material)
    made, axis = figure(5.5, 4.2)
    convergence_plot(axis, lines)
    axis.set(xlabel="N", ylabel="relative L2 error of (E, F, 4aT³ δT)")
    text = f"""
E = a T₀⁴ (1 + ε cos q·x), T = T₀ = 1.5 keV, ρ = 2 g/cm³, ε = 10⁻⁵, σ_a = 4 ρ √T, σ_c = 6 ρ/T, up to
c t = 0.4 cm. The exact solution is a Fourier mode in space and the exponential of a 3 x 3 matrix in
time. A wrong heat capacity or absorption would leave an error that does not fall with h: with the
heat capacity a C_v of the published coupling (see below) the first case is off by {off:.2f} at
N = {cells[-1]}. Errors there, and the fitted order in brackets:

{table(["case", "order: 1", "order: 2"], rows)}
"""
    claims = order_claims("small waves about equilibrium", orders)
    return Section("Small waves about an equilibrium", text, claims, {"small_waves.png": made})


def scattering_wave(thickness: float, n: int) -> PlaneWave:
    """Return the wave at a fixed mesh, up to the time when diffusion has shrunk it by e."""
    sigma = thickness * n
    return PlaneWave(sigma=sigma, time=max(0.4, sigma / (2 * np.pi) ** 2) / C)


def absorbing_wave(thickness: float, n: int) -> LinearWave:
    """Return the like with absorption: radiation and matter diffuse together."""
    sigma = thickness * n
    time = max(0.4, 2 * sigma / (2 * np.pi) ** 2) / C
    return LinearWave(sigma_a=repr(sigma), sigma_c=repr(sigma), time=time)


def diffusion_limit() -> Section:
    """Fixed meshes, opacities over six decades; a checkerboard."""

    def at(wave: PlaneWave | LinearWave, n: int, order: int = 1) -> float:
        return wave.distance(n, order=order, time={"final": wave.time, "cfl": 0.98})

    lines = {
        ("scattering, N = 16", 1): [at(scattering_wave(s, 16), 16) for s in THICKNESSES],
        ("scattering, N = 32", 1): [at(scattering_wave(s, 32), 32) for s in THICKNESSES],
        ("absorbing, N = 16", 1): [at(absorbing_wave(s, 16), 16) for s in THICKNESSES],
        ("scattering, N = 16, order 2", 2): [
            at(scattering_wave(s, 16), 16, 2) for s in THICKNESSES[:-1]
        ],
    }
    coarse, fine, _, second = lines.values()
    upwind = [scattering_wave(s, 16).upwind_distance(16) for s in THICKNESSES]
    boards = {
        ("k = 1", 1): [Checkerboard(s).survivor() for s in THICKNESSES],
        ("k = 1/3", 1): [Checkerboard(s, eddington=1 / 3).survivor() for s in THICKNESSES],
        ("k = 1, order 2", 2): [Checkerboard(s).survivor(order=2) for s in THICKNESSES[:-1]],
        ("k = 1, at the CFL limit", 1): [Checkerboard(s, cfl=0.5).survivor() for s in THICKNESSES],
    }
    made, axes = figure(10, 4.2, 2)
    for ((name, order), errors), marker in zip(lines.items(), "osD^", strict=True):
        axes[0].loglog(THICKNESSES[: len(errors)], errors, STYLES[order], marker=marker, label=name)
    axes[0].loglog(THICKNESSES, upwind, "k:", label="upwind that ignores σ, N = 16")
    axes[0].set(title="wave", xlabel="σ h", ylabel="error of Ê / wave at the start", ylim=(1e-4, 1))
    for ((name, order), left), marker in zip(boards.items(), "osD^", strict=True):
        axes[1].loglog(
            THICKNESSES[: len(left)], np.maximum(left, 1e-12), STYLES[order], marker=marker,
            label=name,
        )  # fmt: skip
    axes[1].set(title="checkerboard", xlabel="σ h", ylabel="share that is left", ylim=(5e-13, 3))
    for axis in axes:
        axis.legend(fontsize=8)
        axis.grid(alpha=0.3)
    thick = THICKNESSES.index(10.0)
    at_limit = boards["k = 1, at the CFL limit", 1][0]
    survivor = max(max(shares) for name, shares in boards.items() if "limit" not in name[0])
    text = f"""
For h σ → ∞ at a fixed mesh the equations become diffusion with D = k c/σ, and so must the scheme
(asymptotic preserving). Left: one wave a centimetre on 16 and 32 cells, σ h from 10⁻² to 10⁴, each
compared with its exact amplitude when diffusion has shrunk it by e (or at c t = 0.4 cm, if later).
"Absorbing" has σ_a = σ_c and matter (the linear problem above), "scattering" σ_a = 0. At first
order the error is largest where cells are nearly transparent, and falls to {fine[-1]:.1e} (N = 32)
in the limit, where the scheme is of second order in h. An upwind scheme with fluxes that ignore the
opacity loses the whole wave there, {upwind[-1]:.2f} being all of it.

Right: what is left of a checkerboard in E after the time in which diffusion on the mesh shrinks it
by e⁻⁸ (3·10⁻⁴), or light crosses 20 cells, at nine tenths of the CFL limit and less. At the limit
itself (cfl = 0.5, k = 1, square cells) and in transparent cells each step of the scheme of first
order reverses the pattern, and only the opacity shrinks it: {at_limit:.2f} is left for σ h = 0.01.
Take cfl = 0.45 where the data are rough and the medium is transparent.
"""
    claims = [
        at_most(
            "diffusion limit: worst error, σh from 10⁻² to 10⁴, of a wave of height 1",
            max(max(errors) for errors in lines.values()), 0.1,
        ),
        at_most(
            "diffusion limit: worst error for σh ≥ 10",
            max(max(errors[thick:]) for errors in lines.values()), 0.02,
        ),
        at_least(
            "diffusion limit: least gain from twice the cells",
            min(a / b for a, b in zip(coarse, fine, strict=True)), 1.6,
        ),
        at_most(
            "diffusion limit: error of order: 2 over that of order: 1, σh ≥ 100",
            max(b / a for a, b in zip(coarse[thick + 1 : -1], second[thick + 1 :], strict=True)),
            1.25,
        ),
        at_most("checkerboard: largest share left at 0.9 of the CFL limit", survivor, 1e-3),
    ]  # fmt: skip
    return Section("Diffusion limit at a fixed mesh", text, claims, {"diffusion_limit.png": made})
