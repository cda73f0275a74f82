"""Verification of what happens at the edges: where signals are read, and what gets out."""

import numpy as np

from opalux.jobs.verification.page import Section, at_least, at_most, figure, table
from opalux.solver.scheme import Feature
from opalux.solver.verification.contrasts import Contrasts
from opalux.solver.verification.convergence import fitted_order
from opalux.solver.verification.driven_wave import DrivenWave
from opalux.solver.verification.edge_wave import KINDS, EdgeWave
from opalux.solver.verification.lit_slab import TRANSPORT, LitSlab
from opalux.solver.verification.variants import FIRST, SECOND, STAGGERED, Variant, variants

NAMES = {1.0: "k = 1", 1 / 3: "k = 1/3"}
CELLS = (32, 64, 128)
ALL = variants(Feature.WALLS, Feature.PERIODIC, Feature.VACUUM, Feature.EDDINGTON)
KEPT = {FIRST: (0.65, 0.3), SECOND: (0.96, 0.85), STAGGERED: (0.96, 0.85)}  # k = 1, 1/3
SLABS = (1.0, 10.0)


def edge_waves() -> Section:
    """Waves cut off by edges of every kind."""
    rows = []
    orders: dict[tuple[Variant, float], list[float]] = {}
    for kind, name in KINDS.items():
        for k, label in NAMES.items():
            line, wave = [name, label], EdgeWave(kind, k)
            for variant in ALL:
                errors = [wave.errors(n, **variant.changes) for n in CELLS]
                fits = {key: fitted_order(CELLS, [e[key] for e in errors]) for key in errors[0]}
                for key in ("E at the edge", "F at the edge"):
                    line.append(f"{errors[-1][key]:.1e} ({fits[key]:.2f})")
                orders.setdefault((variant, wave.lowest_order(variant)), []).append(
                    min(fits.values())
                )
            rows.append(line)
    head = ["edges", "k", *(f"{field}, {variant}" for variant in ALL for field in "EF")]
    text = f"""
A damped wave, q = 2π/cm, σ_a = 0, σ_c = 2/cm (0 with `free`), on x from 0.13 to 0.91 cm, that is,
cut off anywhere; both edges are of the kind shown, and are given as formulas of t what makes the
wave the solution: `source` its signal and F, `vacuum` the temperature with a T⁴ = E + βF. Mostly it
goes to the right; between walls it stands. Errors in time (root mean square up to c t = 0.4 cm, in
units of the wave) of E and F extrapolated to the edge from the first two cells, at N = {CELLS[-1]},
and the fitted order in brackets:

{table(head, rows)}

The orders claimed above are the lowest of E and F, in the first cell and at the edge. Edges that
prescribe E alone or F alone mirror at `order: 2`, and are of first order there. With `staggered`
every kind of edge is of second order.
"""
    claims = [
        at_least(f"edges: lowest order, {variant}, {len(found)} cases", min(found), bound)
        for (variant, bound), found in orders.items()
    ]
    return Section("Signals beside the edges", text, claims, {})


def driven_wave() -> Section:
    """What a mesh keeps of the published source's light after a centimetre."""
    cells = (32, 64, 128)
    made, axes = figure(10, 4, 2)
    rows, claims = [], []
    for axis, (k, name), place in zip(axes, NAMES.items(), (0, 1), strict=True):
        for number, variant in enumerate(ALL):
            kept = [DrivenWave(k).kept(n, **variant.changes) for n in cells]
            rows.append([name, str(variant), *(f"{a:.2f}, {p:+.2f}" for a, p in kept)])
            amplitudes = [a for a, _ in kept]
            axis.semilogx(cells, amplitudes, f"{'osD'[number]}-", label=str(variant))
            claims.append(
                at_least(
                    f"light of 500/sh, {name}, {variant}, 64 cells/cm: amplitude kept",
                    amplitudes[1], KEPT[variant][place],
                )
            )  # fmt: skip
        axis.axhline(1, color="k", linewidth=0.8)
        axis.set_xticks(cells, [str(n) for n in cells])
        axis.minorticks_off()
        axis.set(title=name, xlabel="cells per cm", ylabel="amplitude after 1 cm / exact")
        axis.legend(fontsize=8)
        axis.grid(alpha=0.3)
    text = f"""
The published source, E = a T⁴ + 5 sin 2πft with f = 500/sh, before σ_a = σ_c = 5/cm (the published
ρT) whose matter is so heavy that T stays at 5 keV. P1 then damps waves as e^(iωt − κx) with
k c² κ² = (iω + cσ_a)(iω + cσ_c). What is left of the wave behind 1 cm, as a share of the exact
amplitude, and the phase [rad] by which it is off, on so many cells a centimetre:

{table(["k", "scheme", *(f"{n}" for n in cells)], rows)}
"""
    return Section("Light that oscillates", text, claims, {"driven_wave.png": made})


def slabs() -> Section:
    """What a slab between open edges lets out, and contrasts of a million."""
    rows, claims = [], []
    for variant in ALL:
        errors = []
        for tau in SLABS:
            for condition in ("mark", "marshak"):
                slab = LitSlab(tau, 1 / 3, condition)
                errors.append(slab.error(64, **variant.changes))
        highest = max(Contrasts(seed).highest(**variant.changes) for seed in range(3))
        F, E = LitSlab(10.0).solve(64, **variant.changes)
        rows.append([str(variant), f"{max(errors):.1e}", f"{F:.4f}, {E:.4f}", f"{highest:.3f}"])
        claims += [
            at_most(f"lit slab, {variant}, 64 cells: worst error of F and E", max(errors), 0.01),
            at_most(f"random contrasts of 10⁶, {variant}: highest E/source", highest, 1.1),
        ]
    F, E = LitSlab(10.0).exact
    off = float(np.abs(np.array([F, E]) / TRANSPORT - 1).max())
    claims.append(at_most("lit slab, τ = 10: P1 (exact, k = 1/3) off transport", off, 0.03))
    text = f"""
A slab of 1 cm that scatters (τ = 1 and 10, k = 1/3), lit from the left, with `vacuum` edges: in
steady state F = 1/(β_left + β + τ/k) everywhere, and E = βF on the right. Second column: the worst
relative error of F and E on 64 cells, after Mark and after Marshak. Third: F and E behind τ = 10;
P1's exact values are {F:.4f} and {E:.4f}, those of transport (S32) {TRANSPORT[0]} and
{TRANSPORT[1]}.

Last: density drawn at random between 10⁻³ and 10³ in each of 16 x 16 cells, a source on the left;
the highest E that there ever is, over that of the source. Nothing focuses light here, so that it
cannot be above 1 for long.

{table(["scheme", "error", "F, E behind τ = 10", "highest E"], rows)}
"""
    return Section("Lit slabs, and contrasts of a million", text, claims, {})
