"""Verification with nonlinear problems: Su–Olson's slab, a manufactured solution."""

import numpy as np

from jobs.verify_report import Claim, Section, at_least, at_most, convergence_plot, figure, table
from solver.verification.convergence import fitted_order
from solver.verification.manufactured import Manufactured
from solver.verification.su_olson import CELLS, PLACES, TABLE, SuOlson, exact

NAMES = {1.0: "k = 1", 1 / 3: "k = 1/3"}
SLAB_CELLS = (25, 50, 100, 200)  # per mean free path
AWAY = [place != 0.5 for place in PLACES]  # the table's places away from the source's edge


def su_olson() -> Section:
    """The slab that radiates into a cold medium, against exact profiles and the table."""
    made, axes = figure(13, 4, 3)
    x = np.linspace(0.0, 3.5, 176)
    means, worst, rows = {}, 0.0, []
    for panel, k in enumerate(NAMES):
        for tau, colour in ((1.0, "C0"), (10.0, "C3")):
            slab = SuOlson(k, tau)
            W, V = exact(x, tau, k)
            axes[panel].plot(x, W, "-", color=colour, label=f"W, τ = {tau:g}")
            axes[panel].plot(x, V, "--", color=colour, label=f"V, τ = {tau:g}")
            places, found_W, found_V = slab.solve(SLAB_CELLS[1])
            shown = np.flatnonzero(places <= 3.5)[:: SLAB_CELLS[1] // 10]
            axes[panel].plot(places[shown], found_W[shown], "o", color=colour, markersize=3)
            axes[panel].plot(places[shown], found_V[shown], "s", color=colour, markersize=3)
            means[k, tau] = [slab.mean_error(n) for n in SLAB_CELLS]
            errors = slab.table_errors(CELLS[k])
            at_edge = float(errors[:, PLACES.index(0.5)].max())
            away = float(errors[:, AWAY].max())
            worst = max(worst, away)
            order = fitted_order(SLAB_CELLS, means[k, tau])
            rows.append(
                [NAMES[k], f"{tau:g}", str(CELLS[k]), f"{away:.1e}", f"{at_edge:.1e}",
                 f"{order:.2f}"]
            )  # fmt: skip
        axes[panel].set(title=NAMES[k], xlabel="x [mean free paths]", ylabel="W, V")
        axes[panel].legend(fontsize=8)
        axes[panel].grid(alpha=0.3)
    lines = {f"{NAMES[k]}, τ = {tau:g}": (SLAB_CELLS, values) for (k, tau), values in means.items()}
    convergence_plot(axes[2], lines, [1])
    axes[2].set(title="mean error", xlabel="cells per mean free path", ylabel="mean |error|")
    axes[2].legend(fontsize=8)
    orders = [fitted_order(SLAB_CELLS, values) for values in means.values()]
    computed = np.array([exact(np.array(PLACES), tau, k) for k, tau in TABLE])
    text = f"""
A slab |x| ≤ 1/2 radiates into a cold medium with ρ C_v = 4 a T³ and σ_a = σ_c = 1 (Su and Olson,
Ann. Nucl. Energy 24, 1997, here with P1 in place of transport): W = E/(a T_H⁴), V = (T/T_H)⁴. The
problem is linear in W and V, so that exact profiles can be had by Laplace inversion. Those agree
with the table that the tests use (`solver/verification/su_olson.py`, five decimals) and with an
independent cosine series. The solver knows nothing of that linearity: it runs its nonlinear
coupling with C_v = 4 T³, from T = 10⁻³, in one row of cells with a reflecting wall at x = 0 and
time steps at 0.98 of the CFL limit.

Lines: exact; marks: computed with {SLAB_CELLS[1]} cells per mean free path (every tenth part of one
is shown).

{
        table(
            [
                "k",
                "τ",
                "cells per mean free path",
                "worst error at the table's places",
                "at the source's edge",
                "order of the mean error",
            ],
            rows,
        )
    }
"""
    claims = [
        at_most(
            "Su–Olson: exact profiles against the table",
            float(np.abs(computed - np.array(list(TABLE.values()))).max()), 1e-5,
        ),
        at_most("Su–Olson: worst error of W and V away from the source's edge", worst, 2e-3),
        at_least("Su–Olson: lowest fitted order of the mean error", min(orders), 0.9),
    ]  # fmt: skip
    return Section("Su–Olson's slab", text, claims, {"su_olson.png": made})


def manufactured() -> Section:
    """A manufactured solution whose coefficients all vary."""
    cells = (16, 32, 64, 128)
    made, axes = figure(10, 4, 2)
    claims: list[Claim] = []
    rows = []
    for axis, (k, name) in zip(axes, NAMES.items(), strict=True):
        problem = Manufactured(k)
        errors = [problem.errors(n) for n in cells]
        lines = {field: (cells, [e[field] for e in errors]) for field in ("E", "F", "T")}
        convergence_plot(axis, lines, [1])
        axis.set(title=name, xlabel="N", ylabel="relative L2 error")
        axis.legend(fontsize=8)
        orders = {field: fitted_order(*line) for field, line in lines.items()}
        for field, order in orders.items():
            rows.append([name, field, f"{lines[field][1][-1]:.1e}", f"{order:.2f}"])
        claims.append(at_least(f"manufactured, {name}: lowest order", min(orders.values()), 0.85))
    text = f"""
ρ(x, y) between 1 and 2, σ_a = 10 ρ/T², σ_c = 2 ρ T plus a small term, C_v ∝ T, a volume source
S(x, y, t), rectangular cells, and E, F, T prescribed on all four edges. Only the energy equation
has a source to choose, so the fields are built to satisfy the other two exactly: with u = T⁴ =
A + B e^(−λt) f(x, y), the temperature equation gives E = a u + (C/4cs) ∂t u, and the flux
F = −P e^(−λt) ∇f/(ρT) satisfies its equation for σ_c = κ ρ T + (3/4 + A/(4T⁴)) λ/c. The derivation
stands in `solver/verification/manufactured.py`; a test puts the fields into the three equations by
finite differences. Ghost cells are given the exact values at their centres; the density there is
continued from inside, as always.

{table(["k", "field", f"error at N = {cells[-1]}", "order"], rows)}
"""
    return Section("Manufactured solution", text, claims, {"manufactured.png": made})
