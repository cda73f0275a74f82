"""Verification with linear problems: plane waves, small waves about equilibrium, diffusion."""

import numpy as np

from jobs.verify_report import Section, at_least, at_most, convergence_plot, figure, table
from solver.verification.checkerboard import Checkerboard
from solver.verification.convergence import fitted_order
from solver.verification.linear_wave import LinearWave
from solver.verification.plane_wave import C, PlaneWave

CELLS = (32, 64, 128, 256)
DIRECTIONS = ((1, 0), (0, 1), (1, 1), (1, 2))
FACTORS = {1.0: "k = 1", 1 / 3: "k = 1/3"}
THICKNESSES = tuple(10.0**n for n in range(-2, 5))  # σ h


def plane_waves() -> Section:
    """Waves in several directions, without absorption."""
    errors = {
        (waves, k): [PlaneWave(sigma=4.0, waves=waves, eddington=k).error(n) for n in CELLS]
        for k in FACTORS
        for waves in DIRECTIONS
    }
    orders = {case: fitted_order(CELLS, values) for case, values in errors.items()}
    made, axes = figure(10, 4, 2)
    for axis, (k, name) in zip(axes, FACTORS.items(), strict=True):
        lines = {f"q = 2π {waves} /cm": (CELLS, errors[waves, k]) for waves in DIRECTIONS}
        convergence_plot(axis, lines, [1])
        axis.set(title=name, xlabel="N", ylabel="relative L2 error of E's wave")
        axis.legend(fontsize=8)
    text = f"""
E = 3 + cos q·x in a periodic square of 1 cm, σ_a = 0, σ_c = 4/cm, up to c t = 0.4 cm. The exact
amplitude is that of the telegraph equation, Ê = e^(−cσt/2) [cosh Ωt + cσ/(2Ω) sinh Ωt] with
Ω² = (cσ/2)² − k c²|q|².

{
        table(
            [
                "q/2π [1/cm]",
                *(f"error at N = {CELLS[-1]}, order, {name}" for name in FACTORS.values()),
            ],
            [
                [str(w), *(f"{errors[w, k][-1]:.2e}, {orders[w, k]:.2f}" for k in FACTORS)]
                for w in DIRECTIONS
            ],
        )
    }
"""
    claims = [at_least("plane waves: lowest fitted order", min(orders.values()), 0.85)]
    return Section("Damped plane waves", text, claims, {"plane_waves.png": made})


SMALL_WAVES = {
    "constant C_v": LinearWave(),
    "C_v = 0.05 T², k = 1/3": LinearWave(heat_capacity="0.05*T^2", eddington=1 / 3),
    "oblique, k = 1/3": LinearWave(waves=(1, 2), eddington=1 / 3),
}


def small_waves() -> Section:
    """Waves about an equilibrium, with absorption and heat capacity."""
    cells = CELLS[:3]
    errors = {name: [wave.error(n) for n in cells] for name, wave in SMALL_WAVES.items()}
    orders = {name: fitted_order(cells, values) for name, values in errors.items()}
    made, axis = figure(5.5, 4)
    convergence_plot(axis, {name: (cells, values) for name, values in errors.items()}, [1])
    axis.set(xlabel="N", ylabel="relative L2 error of (E, F, 4aT³ δT)")
    axis.legend(fontsize=8)
    text = f"""
E = a T₀⁴ (1 + ε cos q·x), T = T₀ = 1.5 keV, ρ = 2 g/cm³, ε = 10⁻⁵, σ_a = 4 ρ √T, σ_c = 6 ρ/T, up to
c t = 0.4 cm. The exact solution is a Fourier mode in space and the exponential of a 3 x 3 matrix in
time. A wrong heat capacity or absorption would leave an error that does not fall with h: with the
factor a of the published coupling (see below) it is of the order of 1.

{
        table(
            ["case", *(f"N = {n}" for n in cells), "order"],
            [
                [name, *(f"{value:.2e}" for value in errors[name]), f"{orders[name]:.2f}"]
                for name in errors
            ],
        )
    }
"""
    claims = [at_least("small waves about equilibrium: lowest order", min(orders.values()), 0.85)]
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
    cfl = 0.98

    def at(wave: PlaneWave | LinearWave, n: int) -> float:
        return wave.distance(n, time={"final": wave.time, "cfl": cfl})

    lines = {
        "scattering, N = 16": [at(scattering_wave(s, 16), 16) for s in THICKNESSES],
        "scattering, N = 32": [at(scattering_wave(s, 32), 32) for s in THICKNESSES],
        "absorbing, N = 16": [at(absorbing_wave(s, 16), 16) for s in THICKNESSES],
    }
    upwind = [scattering_wave(s, 16).upwind_distance(16) for s in THICKNESSES]
    boards = {
        "k = 1": [Checkerboard(s).survivor() for s in THICKNESSES],
        "k = 1/3": [Checkerboard(s, eddington=1 / 3).survivor() for s in THICKNESSES],
        "k = 1, at the CFL limit": [Checkerboard(s, cfl=0.5).survivor() for s in THICKNESSES],
    }
    made, axes = figure(10, 4, 2)
    for (name, errors), marker in zip(lines.items(), "osD", strict=True):
        axes[0].loglog(THICKNESSES, errors, marker=marker, label=name)
    axes[0].loglog(THICKNESSES, upwind, "k--", label="upwind that ignores σ, N = 16")
    axes[0].set(title="wave", xlabel="σ h", ylabel="error of Ê / wave at the start", ylim=(1e-4, 1))
    for (name, left), marker in zip(boards.items(), "os^", strict=True):
        style = ":" if "limit" in name else "-"
        axes[1].loglog(THICKNESSES, np.maximum(left, 1e-12), style, marker=marker, label=name)
    axes[1].set(title="checkerboard", xlabel="σ h", ylabel="share that is left", ylim=(1e-12, 3))
    for axis in axes:
        axis.legend(fontsize=8)
        axis.grid(alpha=0.3)
    thick = [n for n, s in enumerate(THICKNESSES) if s >= 10]
    worst = max(max(errors) for errors in lines.values())
    ratio = min(
        lines["scattering, N = 16"][n] / lines["scattering, N = 32"][n]
        for n in range(len(THICKNESSES))
    )
    text = f"""
For h σ → ∞ at a fixed mesh the equations become diffusion with D = k c/σ, and the scheme must too
(asymptotic preserving). Left: one wave a centimetre on 16 and 32 cells, σ h from 10⁻² to 10⁴, each
compared with its exact amplitude when diffusion has shrunk it by e (or at c t = 0.4 cm, if later).
"Absorbing" has σ_a = σ_c and matter (the linear problem above), "scattering" σ_a = 0. The error is
largest where a cell is about transparent, where it is of first order, and gets to
{lines["scattering, N = 32"][-1]:.1e} (N = 32) in the limit, where the scheme is of second order. An
upwind scheme whose fluxes ignore the opacity is wrong by 100 % there, {upwind[-1]:.2f} being the
whole wave.

Right: what is left of a checkerboard in E after the time in which diffusion on the mesh shrinks it
by e⁻⁸ (3·10⁻⁴), or light crosses 20 cells, at nine tenths of the CFL limit and less. At the limit
itself (cfl = 0.5, k = 1, square cells) and in transparent cells each step turns the pattern over
and only the opacity shrinks it: {boards["k = 1, at the CFL limit"][0]:.2f} is left for σ h = 0.01.
Take cfl = 0.45 where the data are rough and the medium is transparent.
"""
    claims = [
        at_most("diffusion limit: worst error, σh 10⁻² … 10⁴, of a wave of height 1", worst, 0.1),
        at_most(
            "diffusion limit: worst error for σh ≥ 10",
            max(errors[n] for errors in lines.values() for n in thick), 0.01,
        ),
        at_least("diffusion limit: lowest gain from twice the cells", ratio, 1.6),
        at_most(
            "checkerboard: largest share left at 0.9 of the CFL limit",
            max(boards["k = 1"] + boards["k = 1/3"]), 1e-3,
        ),
    ]  # fmt: skip
    return Section("Diffusion limit at a fixed mesh", text, claims, {"diffusion_limit.png": made})
