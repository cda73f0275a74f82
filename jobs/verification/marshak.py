"""Verification with Marshak waves, as far as they should go."""

from opalux.jobs.verification.page import Section, at_most, figure, table
from opalux.solver.scheme import Feature
from opalux.solver.verification.convergence import centres
from opalux.solver.verification.marshak import LENGTH, MarshakWave
from opalux.solver.verification.variants import FIRST, SECOND, STAGGERED, variants

CELLS = (25, 50)
COLD = (1e-3, 0.1)  # T₀ [keV]
BOUNDS = {FIRST: (0.04, 0.02), SECOND: (0.01, 0.01), STAGGERED: (0.01, 0.01)}  # on `CELLS`


def marshak() -> Section:
    """Waves at equilibrium, into matter of two temperatures."""
    made, axes = figure(10, 4, 2)
    rows, claims = [], []
    for axis, cold in zip(axes, COLD, strict=True):
        wave = MarshakWave(cold)
        x = centres(400, LENGTH)
        axis.plot(x, wave.exact(400), "k-", label="exact")
        axis.set(title=f"T₀ = {cold:g} keV", xlabel="x [cm]", ylabel="T [keV]")
        for number, variant in enumerate(variants(Feature.WALLS, Feature.EDDINGTON)):
            for n, bound in zip(CELLS, BOUNDS[variant], strict=True):
                front, heat = wave.front_and_heat(n, **variant.changes)
                rows.append([f"{cold:g} keV", str(variant), f"{n}", f"{front:.3f}", f"{heat:.3f}"])
                claims.append(
                    at_most(
                        f"Marshak wave, T₀ = {cold:g} keV, {variant}, {n} cells: error",
                        max(abs(front - 1), abs(heat - 1)), bound,
                    )
                )  # fmt: skip
            T = wave.solve(CELLS[0], **variant.changes)
            axis.plot(centres(CELLS[0], LENGTH), T, "osD"[number], markersize=4, label=str(variant))
        axis.legend(fontsize=8)
        axis.grid(alpha=0.3)
    text = f"""
σ = 300 T⁻³, ρ C_v = 0.3, T = 1 keV held at x = 0, T₀ inside, k = 1/3, t = 1 sh: the wave carries
E = a T⁴ into a medium that is opaque until it is hot (for T₀ = 10⁻³ keV, σ = 3·10¹¹/cm). A cell is
σh = {300 * LENGTH / CELLS[0]:.1f} thick at 1 keV on {CELLS[0]} cells, and more where it is colder.
The exact T depends on x/√t alone and obeys an ordinary differential equation, here solved from T₀
(not from 0). Front (T half way between 1 keV and T₀) and heat that came in, as shares of the exact
ones:

{table(["T₀", "scheme", "cells", "front", "heat"], rows)}

Marks: {CELLS[0]} cells. A scheme that took the opacity of a cold cell for that of its face would
not let the wave in at all. The claims bound the larger of the two errors. Out of equilibrium,
Su–Olson's slab (above) is the problem with an exact solution.
"""
    return Section("Marshak waves", text, claims, {"marshak.png": made})
