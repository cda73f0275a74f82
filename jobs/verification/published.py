"""Where the published scheme solves other equations than it says."""

import numpy as np

from opalux.jobs.verification.page import Claim, Section, at_least, figure
from opalux.solver.verification.convergence import fitted_order
from opalux.solver.verification.plane_wave import C, PlaneWave
from opalux.solver.verification.relaxation import Relaxation

CELLS = (64, 128, 256)
SHORT = 1e-4  # sh: radiation and matter have met by then


def published() -> Section:
    """Both schemes on a plane wave and in one cell."""
    wave = PlaneWave(sigma=4.0, time=0.2 / C)
    right, fourfold = wave.amplitude(), wave.amplitude(4 * wave.sigma)
    published = [wave.published_amplitude(n) for n in CELLS]
    consistent = [wave.distance(n) for n in CELLS]
    lines = {
        "consistent, to σ": consistent,
        "published, to σ": [abs(amplitude - right) for amplitude in published],
        "published, to 4σ": [abs(amplitude - fourfold) for amplitude in published],
    }
    cell = Relaxation()
    made, axes = figure(10, 4, 2)
    for (name, errors), style in zip(lines.items(), ("o-", "s-", "s--"), strict=True):
        axes[0].loglog(CELLS, errors, style, label=name)
    axes[0].set(title="plane wave: error of Ê", xlabel="N", ylabel="|Ê − exact|")
    axes[0].set_xticks(CELLS, [str(n) for n in CELLS])
    axes[0].minorticks_off()
    t = np.linspace(0.0, SHORT, 200)
    axes[1].plot(1e6 * t, cell.exact(t), "k-", linewidth=1, label="exact")
    ends = {}
    for scheme, mark in (("consistent", "o"), ("published", "s")):
        times, T = cell.computed(SHORT, scheme=scheme)
        axes[1].plot(1e6 * times, T, mark, markersize=4, label=scheme)
        ends[scheme] = float(cell.computed(0.02, scheme=scheme)[1][-1])
    levels = {scheme: cell.equilibrium(published=scheme == "published") for scheme in ends}
    for level in levels.values():
        axes[1].axhline(level, color="grey", linewidth=0.6, linestyle=":")
    axes[1].set(title="one cell: T [keV]", xlabel="t [10⁻⁶ sh]")
    for axis in axes:
        axis.legend(fontsize=8)
        axis.grid(alpha=0.3)
    text = f"""
`scheme: published` reproduces the original program, for comparison. It differs from the
equations in two places; `consistent` does not:

1. F relaxes with the sum of M σ over the four faces of a cell, in both components, instead of the
   mean over the two faces of each axis. As h → 0 that is an opacity of 4 σ. Left: the wave above at
   c t = 0.2 cm, Ê = {right:.4f}; with 4 σ it would be {fourfold:.4f}. The published scheme
   converges to the latter and stays {lines["published, to σ"][-1]:.2f} away from the former.
2. The coupling lacks a factor 1/a, so that the heat capacity is in effect a C_v, 73 times too
   small. Right: E = 12, T = 5, ρ = 2 in one cell, σ_a = ρ T. Energy conservation ends at
   T = {levels["consistent"]:.5f} keV, where `consistent` ends ({ends["consistent"]:.5f});
   `published` ends at {ends["published"]:.5f}, the state that keeps E + a ρ C_v T
   ({levels["published"]:.5f}), and reaches it too early.
"""
    order = fitted_order(CELLS, lines["published, to 4σ"])
    apart = lines["published, to σ"][-1] / lines["consistent, to σ"][-1]
    claims = [
        at_least("published: order of its convergence to 4σ", order, 0.85),
        at_least("published: how many times further from σ than consistent", apart, 10, 0),
        *(
            Claim(
                f"one cell: T at the end, {scheme}", f"{ends[scheme]:.5f}", f"{level:.5f}",
                abs(ends[scheme] - level) < (1e-7 if scheme == "consistent" else 1e-4),
            )
            for scheme, level in levels.items()
        ),
    ]  # fmt: skip
    return Section("The published scheme beside it", text, claims, {"published.png": made})
